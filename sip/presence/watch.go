package presence

import "perch/hotdesk/directory"

// Lamps answers what to show for an extension. Its zero value is ready to use.
// It holds nothing: Perch carries no calls yet, so every extension is idle.
type Lamps struct{}

// Watch gives the present state of target. An AOR that names no extension has
// the state of one that is never there.
func (Lamps) Watch(target directory.AOR) State { return State{Entity: target} }
