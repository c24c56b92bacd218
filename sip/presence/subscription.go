package presence

import (
	"encoding/json"

	"perch/hotdesk/directory"
	"perch/sip/location"
)

// Subscription is one subscription (RFC 6665) as the store keeps it, so that
// it survives a restart and any node can refresh it. Times are Unix ms.
type Subscription struct {
	ID      string               `json:"id"` // of the dialog: call-id, local tag, remote tag, hashed
	Tenant  directory.TenantCode `json:"tenant"`
	Event   string               `json:"event"` // package, e.g. "dialog"
	EventID string               `json:"event_id,omitempty"`
	Target  string               `json:"target"` // user part asked for; may name nobody
	Entity  string               `json:"entity"` // URI as asked for, for documents
	MAC     string               `json:"mac,omitempty"`
	Number  string               `json:"number,omitempty"` // watcher's number; with empty MAC a static one
	Session directory.SessionID  `json:"session,omitempty"`
	Flow    location.Flow        `json:"flow"`
	Expires int64                `json:"expires"`
	Version uint32               `json:"version"` // last document's version (RFC 4235 section 4.1)
	Lit     bool                 `json:"lit,omitempty"`
	Shown   string               `json:"shown,omitempty"`   // digest of the state sent last; empty: idle
	Sent    int64                `json:"sent,omitempty"`    // when
	Suspect int64                `json:"suspect,omitempty"` // since when the watcher answers no NOTIFY; 0: it does
	Dialog  json.RawMessage      `json:"dialog"`            // the dialog package's own JSON
}
