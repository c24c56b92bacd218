package trace

import "errors"

// ErrConflict says that the trace changed since it was read: read and fold
// again.
var ErrConflict = errors.New("trace: changed meanwhile")
