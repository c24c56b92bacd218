// Package reload makes one device take its configuration and verifies that it
// did: an intent is kept in the store from the commit of a login until its
// trace is ready, and each attempt ends in a verified state or names the step
// that never came. It knows no SIP stack and no store; a Sender sends.
package reload

import (
	"perch/hotdesk/directory"
)

// Intent is one open reload of one device. The script that changes a seat
// writes it, so that it exists if and only if the change does. Times are Unix
// milliseconds.
type Intent struct {
	Trace    string               `json:"trace"`
	Tenant   directory.TenantCode `json:"tenant"`
	MAC      string               `json:"mac"`
	Session  directory.SessionID  `json:"session,omitempty"`  // the identity the device shall have; empty: its own account
	Reason   string               `json:"reason"`             // login, logout, operator
	Created  int64                `json:"created"`            // when it was first due
	Force    bool                 `json:"force,omitempty"`    // does not wait for calls
	Reboot   bool                 `json:"reboot,omitempty"`   // starts with the recipe's reboot
	Stage    int                  `json:"stage,omitempty"`    // next attempt of the recipe
	Sent     int                  `json:"sent,omitempty"`     // NOTIFYs sent
	Pushed   bool                 `json:"pushed,omitempty"`   // settings were pushed, or could not be
	Deadline int64                `json:"deadline,omitempty"` // after the last attempt: when to give up
	Claimed  int64                `json:"claimed,omitempty"`
}
