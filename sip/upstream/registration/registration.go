// Package registration is what Perch holds at a PBX on behalf of the people who
// are logged in: one record per extension, and the rules by which it is made,
// refreshed, retried and given up. It is pure: it sends nothing and stores
// nothing. It promises that a registration is never held for longer than
// somebody wants it, and that a PBX which refuses is asked ever more seldom.
package registration

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"perch/hotdesk/directory"
)

// State is how far a registration has come.
type State string

// The states; the empty one of a record that was just made is Registering.
const (
	Registering   State = "registering"
	Registered    State = "registered"
	Failed        State = "failed"        // the PBX refused or was silent; it is tried again
	Unregistering State = "unregistering" // nobody is logged in any more
)

// States lists the closed set, for metrics.
func States() []State { return []State{Registering, Registered, Failed, Unregistering} }

// Account is what the directory says of a registration: where, and as whom.
type Account struct {
	Number   string         `json:"number"`
	URI      string         `json:"uri"` // of the tenant's upstream
	Username string         `json:"username"`
	Password directory.Kept `json:"password,omitzero"` // sealed as the extension's: what was registered must be undone when the extension has gone
}

// Generation tells two accounts apart without telling what is in them.
func (a Account) Generation() string {
	sum := sha256.Sum256([]byte(a.URI + "\x00" + a.Username + "\x00" + a.Password.Value))
	return hex.EncodeToString(sum[:8])
}

// Contact is an address of ours that the PBX holds, with the time (Unix ms)
// until which it does.
type Contact struct {
	URI     string `json:"uri"`
	Expires int64  `json:"expires"`
}

// Record is the registration of one extension as the store keeps it. Times are
// Unix milliseconds.
type Record struct {
	Tenant directory.TenantCode `json:"tenant,omitempty"`
	Account
	Gen    string `json:"gen"`
	Wanted bool   `json:"wanted,omitempty"` // somebody is logged in
	Change int64  `json:"change,omitempty"` // counts what people changed; the store's
	Claim  int64  `json:"claim,omitempty"`  // who holds the record while it is worked at; the store's

	State    State     `json:"state"`
	Since    int64     `json:"since"` // of the state
	CallID   string    `json:"call_id"`
	CSeq     uint32    `json:"cseq"`               // of the next request
	Contacts []Contact `json:"contacts,omitempty"` // the first is ours now, the rest are to be removed
	Hop      string    `json:"hop,omitempty"`      // where the PBX answered last
	Node     string    `json:"node,omitempty"`     // who holds it, and refreshes it
	Status   int       `json:"status,omitempty"`   // of the last response; 0: none came
	Why      string    `json:"why,omitempty"`      // of a failure: a word of Reasons
	Fails    int       `json:"fails,omitempty"`    // in a row
}

// Expires is until when the PBX holds our contact; zero: it does not.
func (r Record) Expires() time.Time {
	if len(r.Contacts) == 0 || r.Contacts[0].Expires == 0 {
		return time.Time{}
	}
	return time.UnixMilli(r.Contacts[0].Expires)
}

// Stays tells that the record is still of use: somebody wants it, or the PBX
// may hold something of ours.
func (r Record) Stays() bool { return r.Wanted || len(r.Contacts) > 0 }
