package audit

import (
	"slices"
	"strings"

	"perch/hotdesk/directory"
	"perch/internal/event"
)

// Act is what was done.
type Act string

// The acts.
const (
	Login     Act = "login"
	Logout    Act = "logout"    // Result: logout, move, replaced, removed, expired, ... as in binding.ended
	Refused   Act = "refused"   // a login; Result: why
	PIN       Act = "pin"       // a change of a PIN; Result: ok, or why not
	Lockout   Act = "lockout"   // a source is locked out of an extension, or an extension is guessed at from many; Result: which
	Lift      Act = "lift"      // an admin ended lockouts
	Reload    Act = "reload"    // an admin made phones reload
	Directory Act = "directory" // the tenant's directory was changed
	Admin     Act = "admin"     // another act of an admin; Detail: which
	Emergency Act = "emergency" // an emergency call; Result: what became of it
	Alarm     Act = "alarm"     // somebody suspicious at the phones' web server; Result: why, Detail: the address
	Erase     Act = "erase"     // a person's data was erased; Detail: the pseudonym
)

// Acts lists the closed set.
func Acts() []Act {
	return []Act{Login, Logout, Refused, PIN, Lockout, Lift, Reload, Directory, Admin, Emergency, Alarm, Erase}
}

// Record is one line of the audit. Number is whose extension it is about, or
// what stands for it once that person was erased; the store keeps it apart.
type Record struct {
	ID     string               `json:"-"` // of the record; later ones are greater
	Event  string               `json:"event"`
	At     int64                `json:"at"` // Unix ms
	Tenant directory.TenantCode `json:"-"`
	Act    Act                  `json:"act"`
	Number string               `json:"-"`
	MAC    string               `json:"mac,omitempty"`
	Line   int                  `json:"line,omitempty"`
	Desk   string               `json:"desk,omitempty"` // label at that time
	Site   string               `json:"site,omitempty"` // code at that time
	Door   string               `json:"door,omitempty"`
	By     string               `json:"by,omitempty"` // who, when not the person
	Rule   string               `json:"rule,omitempty"`
	Result string               `json:"result,omitempty"`
	Source string               `json:"source,omitempty"` // of a lockout: device or address
	Trace  string               `json:"trace,omitempty"`
	Until  int64                `json:"until,omitempty"` // of a login: end of the session, Unix ms
	Detail string               `json:"detail,omitempty"`
}

// maxDetail bounds a text that somebody gave, in bytes.
const maxDetail = 300

// Of makes the record of an event; false for one that is no act.
func Of(e event.Event) (Record, bool) {
	r := Record{
		Event: e.ID, At: e.At, Tenant: e.Tenant, Number: e.Number, MAC: e.MAC, Line: e.Line, Door: e.Door, By: e.By, Rule: e.Rule,
		Result: e.Reason, Trace: e.Trace, Detail: clean(e.Detail),
	}
	switch e.Type {
	case event.BindingCreated:
		r.Act, r.Result, r.Until, r.Detail = Login, "ok", e.Until, ""
		if r.By == "" {
			r.By = clean(e.Detail) // as events told it before they had a field for it
		}
	case event.BindingEnded:
		r.Act = Logout
	case event.LoginRefused:
		r.Act = Refused
	case event.PINChanged:
		r.Act, r.Result = PIN, "ok"
	case event.PINRefused:
		r.Act = PIN
	case event.LockoutBegan:
		r.Act, r.Source, r.Until = Lockout, clean(e.Target), e.Until
	case event.LockoutLifted:
		r.Act, r.Source = Lift, clean(e.Target)
	case event.ReloadRequested:
		if e.Reason != "operator" {
			return Record{}, false
		}
		r.Act = Reload
		if r.By == "" && (e.Door == "api" || e.Door == "cli") {
			r.By = "admin"
		}
	case event.DirectoryChanged:
		r.Act, r.Result = Directory, "changed"
	case event.ProvisioningAlarm:
		r.Act = Alarm
	case event.AdminActed:
		r.Act = Admin
	case event.Erased:
		r.Act, r.Number, r.Detail = Erase, "", clean(e.Target)
	default:
		if !strings.HasPrefix(string(e.Type), "emergency.") {
			return Record{}, false
		}
		r.Act = Emergency
		if e.Reason == "" {
			r.Result = strings.TrimPrefix(string(e.Type), "emergency.")
		}
	}
	return r, true
}

// clean makes a foreign text fit for a record.
func clean(s string) string {
	s = strings.ToValidUTF8(s, "?")
	s = strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return '?'
		}
		return c
	}, s)
	return strings.ToValidUTF8(s[:min(len(s), maxDetail)], "")
}

// Match narrows records; empty fields match all.
type Match struct {
	MAC, Desk, Number string
	Acts              []Act
	Since, Until      int64 // Unix ms; Until is not included; 0: unbounded
}

// Takes tells whether a record matches. A desk is meant by its label, whatever
// its case.
func (m Match) Takes(r Record) bool {
	switch {
	case m.MAC != "" && r.MAC != m.MAC,
		m.Desk != "" && !strings.EqualFold(r.Desk, m.Desk),
		m.Number != "" && r.Number != m.Number,
		len(m.Acts) > 0 && !slices.Contains(m.Acts, r.Act),
		m.Since > 0 && r.At < m.Since,
		m.Until > 0 && r.At >= m.Until:
		return false
	}
	return true
}
