package presence

import "perch/hotdesk/directory"

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
type Direction string

// The extension called, or was called.
const (
	Initiator Direction = "initiator"
	Recipient Direction = "recipient"
)

// Phase is a state of the dialog's life (RFC 4235 section 3.7.1).
type Phase string

// From the first INVITE to the end.
const (
	Trying     Phase = "trying"     // INVITE sent or received, no answer yet
	Proceeding Phase = "proceeding" // 1xx without a tag
	Early      Phase = "early"      // 1xx with a tag: it rings
	Confirmed  Phase = "confirmed"  // 2xx: they talk
	Terminated Phase = "terminated"
)
