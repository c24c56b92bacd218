// Package event holds the news of Perch: what has happened, written to the
// tenant's stream by the same script that made it happen, so that an event
// exists if and only if the change does. It knows no store and no subscriber;
// it promises that an Event carries no secret.
package event

import (
	"encoding/json"
	"time"

	"perch/hotdesk/directory"
)

// Type names what happened; the set is closed.
type Type string

// The types, in the order of a login.
const (
	LoginRefused      Type = "login.refused"      // Reason; Door
	BindingCreated    Type = "binding.created"    // Door
	BindingEnded      Type = "binding.ended"      // Door, Reason: logout, move, replaced, removed, expired, or a hotdesk.End
	SessionWarning    Type = "session.warning"    // Reason: expired, logout_at, idle, reserved; Millis: until then
	DialogStarted     Type = "dialog.started"     // the device is in a call
	DialogEnded       Type = "dialog.ended"       // and no longer
	CallStarted       Type = "call.started"       // Call
	CallChanged       Type = "call.changed"       // Call
	CallEnded         Type = "call.ended"         // Call
	ReloadRequested   Type = "reload.requested"   // Reason: login, logout, operator
	NotifySent        Type = "notify.sent"        // Detail: the event header's value
	NotifyAnswered    Type = "notify.answered"    // Status; 0: silence
	ConfigFetched     Type = "config.fetched"     // Digest; Targets: BLF keys rendered
	ConfigPushed      Type = "config.pushed"      // Digest; Targets: the phone took its settings by NOTIFY and fetches nothing
	ContactAdded      Type = "contact.added"      // Session; Target: user of the AOR
	ContactRefreshed  Type = "contact.refreshed"  // only while a reload of the device is open
	ContactRemoved    Type = "contact.removed"    // Reason: unregistered, expired, superseded, flow-lost
	ContactRestarted  Type = "contact.restarted"  // the phone has booted: another Call-ID
	ContactLost       Type = "contact.lost"       // still registered, but its flow is gone
	ContactRevived    Type = "contact.revived"    // the device was heard again, by another flow
	SubscriptionLit   Type = "subscription.lit"   // Target: first NOTIFY got 200
	SubscriptionEnded Type = "subscription.ended" // Reason
	StepSkipped       Type = "step.skipped"       // Target: step; Reason
	StepFailed        Type = "step.failed"        // Target: step; Reason
	TraceReady        Type = "trace.ready"        // Millis: key press to ready; Detail: kind; Reason: skipped, where the brand has no templates
	TraceFailed       Type = "trace.failed"       // Target: step; Reason
	TraceSuperseded   Type = "trace.superseded"   // a newer trace of the device took over
	DirectoryChanged  Type = "directory.changed"  // the tenant's directory was applied
	ProvisioningAlarm Type = "provisioning.alarm" // Reason: device.AlarmKind; Detail: the address it came from
	PINChanged        Type = "pin.changed"        // Number, Door, By
	PINRefused        Type = "pin.refused"        // Reason; Door
	LockoutBegan      Type = "lockout.began"      // Target: source, or empty where an extension is guessed at from many; Reason: source, extension; Until
	LockoutLifted     Type = "lockout.lifted"     // Target: source; By, Door
	AdminActed        Type = "admin.acted"        // Detail: what; By, Door
	Erased            Type = "person.erased"      // Target: the pseudonym; By, Door
	DeviceArmed       Type = "reload.armed"       // an ending session spoke up: its reload is due again
)

// News of upstreams and of emergency calls.
const (
	UpstreamRegistered   Type = "upstream.registered"   // Number; Target: the next hop
	UpstreamUnregistered Type = "upstream.unregistered" // Number
	UpstreamFailed       Type = "upstream.failed"       // Number; Reason; Status; Target: the next hop. Told when it begins to fail
	UpstreamChallenged   Type = "upstream.challenged"   // Number, where there is one; Reason: no_password, credentials: a call that the upstream wants a password for
	UpstreamUp           Type = "upstream.up"           // Target: the next hop
	UpstreamDown         Type = "upstream.down"         // Target: the next hop; Reason
	EmergencyCalled      Type = "emergency.called"      // MAC, Number of who sits there, Target: number dialled, Detail: desk and address; Status: the answer
	EmergencyFailed      Type = "emergency.failed"      // like emergency.called; Reason: no_route, unanswered
)

// Event is one piece of news. ID and At come from the store; ID orders the
// events of a tenant and is where a reader resumes.
type Event struct {
	ID        string               `json:"-"`
	Type      Type                 `json:"type"`
	At        int64                `json:"at"` // Unix ms
	Node      string               `json:"node,omitempty"`
	Tenant    directory.TenantCode `json:"tenant"`
	MAC       string               `json:"mac,omitempty"` // 12 hex digits
	Line      int                  `json:"line,omitempty"`
	Number    string               `json:"number,omitempty"`
	Site      string               `json:"site,omitempty"`
	Session   directory.SessionID  `json:"session,omitempty"`
	Trace     string               `json:"trace,omitempty"`
	Door      string               `json:"door,omitempty"`
	Brand     string               `json:"brand,omitempty"`
	Reason    string               `json:"reason,omitempty"`
	Target    string               `json:"target,omitempty"`
	Targets   []string             `json:"targets,omitempty"`
	Digest    string               `json:"digest,omitempty"`
	Detail    string               `json:"detail,omitempty"`
	Status    int                  `json:"status,omitempty"`
	Millis    int64                `json:"ms,omitempty"`
	Call      json.RawMessage      `json:"call,omitempty"`      // calls.Call, what is public of it
	By        string               `json:"by,omitempty"`        // who, when not the person: "admin", "supervisor:<name>", "owner", "directory"
	Rule      string               `json:"rule,omitempty"`      // the setting that decided, with value and level
	Desk      string               `json:"desk,omitempty"`      // code of the desk whose seats went together
	Companion bool                 `json:"companion,omitempty"` // a further seat of that desk: the login or logout is counted at another
	Until     int64                `json:"until,omitempty"`     // Unix ms of the session's end, of binding.created
}

// Time is At as a time.
func (e Event) Time() time.Time { return time.UnixMilli(e.At) }

// Device is the device of the event; the zero MAC where there is none.
func (e Event) Device() directory.DeviceID {
	mac, _ := directory.ParseMAC(e.MAC)
	return directory.DeviceID{Tenant: e.Tenant, MAC: mac}
}
