package reload

import (
	"context"
	"errors"

	"perch/hotdesk/directory"
	"perch/sip/location"
)

// Notice is one NOTIFY to one contact, outside any dialog.
type Notice struct {
	Domain      string // of From: sip:perch@<domain>
	CallID      string // one per reload; retries after a challenge keep it
	Contact     location.Contact
	Event       string
	ContentType string
	Body        []byte
	// Username and Password answer the phone's challenge: the credentials that
	// the phone registered this contact with.
	Username string
	Password directory.Secret
}

// ErrNoFlow says that there is no way to the contact: its connection is gone,
// or its node is not this one and cannot be reached.
var ErrNoFlow = errors.New("reload: no flow to the contact")

// Sender sends a NOTIFY and answers one challenge. Send returns once the
// request has left, or with the reason why it has not; the channel then gives
// the status of the final response, once: 0 for silence.
type Sender interface {
	Send(ctx context.Context, n Notice) (answer <-chan int, err error)
}
