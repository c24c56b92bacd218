package presence

import (
	"perch/hotdesk/directory"
	"perch/sip/calls"
)

// State is what watchers may know of one extension. No dialog means idle, or
// nobody, or no such extension: alike on purpose.
type State struct {
	Entity  directory.AOR
	Version uint64 // grows with every change of this extension; 0 before the first
	Dialogs []Dialog
}

// Dialog is one call of the extension (RFC 4235 section 3).
type Dialog struct {
	ID        string // unique among the extension's dialogs, the same for the whole call
	CallID    string
	LocalTag  string
	RemoteTag string
	Direction Direction // empty when not known
	Phase     Phase
	Local     Party // the extension
	Remote    Party // the one it talks to
}

// Party is one end of a dialog. Each text may be empty.
type Party struct {
	URI     string
	Display string // name, any text
	Target  string // the URI that reaches this end's phone
}

// Direction says who began the call (RFC 4235 section 4.1.1).
type Direction = calls.Direction

// The extension called, or was called.
const (
	Initiator = calls.Initiator
	Recipient = calls.Recipient
)

// Phase is a state of the dialog's life (RFC 4235 section 3.7.1).
type Phase = calls.Phase

// From the first INVITE to the end.
const (
	Trying     = calls.Trying
	Proceeding = calls.Proceeding
	Early      = calls.Early
	Confirmed  = calls.Confirmed
	Terminated = calls.Terminated
)

// Phase is the state of the extension as one word: that of its most advanced
// dialog, Terminated when it is idle.
func (s State) Phase() Phase {
	best := Phase("")
	for _, d := range s.Dialogs {
		if d.Phase != Terminated && (best == "" || best.Before(d.Phase)) {
			best = d.Phase
		}
	}
	if best == "" {
		return Terminated
	}
	return best
}
