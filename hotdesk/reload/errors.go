package reload

import "errors"

// ErrSuperseded says that the device has another open reload by now, or none:
// this one is no longer anybody's.
var ErrSuperseded = errors.New("reload: superseded")
