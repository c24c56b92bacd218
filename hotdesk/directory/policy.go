package directory

import "time"

// Policy is one level's settings; nil and empty inherit from the level above
// (tenant, then site, then extension, then device).
type Policy struct {
	MaxLogins  *int      `json:"max_logins,omitempty" yaml:"max_logins"`
	OnConflict string    `json:"on_conflict,omitempty" yaml:"on_conflict"` // move, deny
	OnOccupied string    `json:"on_occupied,omitempty" yaml:"on_occupied"` // replace, deny, ask
	MaxSession *Duration `json:"max_session,omitempty" yaml:"max_session"`
	LogoutAt   string    `json:"logout_at,omitempty" yaml:"logout_at"` // HH:MM in the site's time zone
	IdleLogout *Duration `json:"idle_logout,omitempty" yaml:"idle_logout"`
	MaxDefer   *Duration `json:"max_defer,omitempty" yaml:"max_defer"`  // longest a reload waits for calls
	Sites      []string  `json:"sites,omitzero" yaml:"sites"`           // sites the extension may use; empty, not nil: all
	PINSource  []string  `json:"pin_source,omitzero" yaml:"pin_source"` // own, voicemail, tenant; first that exists
	// Supervisors allows supervisors' PINs; off by default.
	Supervisors *bool `json:"supervisors,omitempty" yaml:"supervisors"`
	// LoginKey puts a key to log in or out on desks where there is room; on by
	// default.
	LoginKey *bool `json:"login_key,omitempty" yaml:"login_key"`
	// Screen is what the phones' own screens offer.
	Screen ScreenPolicy `json:"screen,omitzero" yaml:"screen"`
	// WarnBefore is how long before an automatic logout the person is warned.
	WarnBefore *Duration `json:"warn_before,omitempty" yaml:"warn_before"`
	Shift      string    `json:"shift,omitempty" yaml:"shift"`           // name of a calendar whose shifts end sessions; Never: none
	PINChange  *bool     `json:"pin_change,omitempty" yaml:"pin_change"` // people may change their own PIN
	PINMin     *int      `json:"pin_min,omitempty" yaml:"pin_min"`       // fewest digits of a PIN that people choose
	PINWeak    string    `json:"pin_weak,omitempty" yaml:"pin_weak"`     // allow, deny: repeats, sequences, the own number
}

// Duration is a time.Duration written as text ("8h", "90m").
type Duration time.Duration

// MarshalText writes Go's duration syntax.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads Go's duration syntax.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	*d = Duration(v)
	return err
}

// Values of OnConflict and OnOccupied.
const (
	Move    = "move"
	Deny    = "deny"
	Replace = "replace"
	Ask     = "ask"
)

// Allow is the other value of PINWeak.
const Allow = "allow"

// Never lifts a LogoutAt or Shift that a level above has set; a duration of zero
// lifts a MaxSession, IdleLogout or WarnBefore.
const Never = "never"

// Sources of a PIN.
const (
	PINOwn       = "own"
	PINVoicemail = "voicemail"
	PINTenant    = "tenant"
)

// DefaultPolicy holds what applies where no level says otherwise.
func DefaultPolicy() Policy {
	one, four, on, off, deferral, warn := 1, 4, true, false, Duration(2*time.Hour), Duration(5*time.Minute)
	return Policy{
		MaxLogins: &one, OnConflict: Move, OnOccupied: Replace, MaxDefer: &deferral,
		PINSource: []string{PINOwn, PINVoicemail, PINTenant}, Supervisors: &off, LoginKey: &on, Screen: DefaultScreen(),
		WarnBefore: &warn, PINChange: &on, PINMin: &four, PINWeak: Deny,
	}
}

// Resolve lays the levels over the defaults, the most general first.
func Resolve(levels ...Policy) Policy {
	p := DefaultPolicy()
	for _, l := range levels {
		p = p.under(l)
	}
	return p
}

func (p Policy) under(l Policy) Policy {
	if l.MaxLogins != nil {
		p.MaxLogins = l.MaxLogins
	}
	if l.OnConflict != "" {
		p.OnConflict = l.OnConflict
	}
	if l.OnOccupied != "" {
		p.OnOccupied = l.OnOccupied
	}
	if l.MaxSession != nil {
		p.MaxSession = l.MaxSession
	}
	if l.LogoutAt != "" {
		p.LogoutAt = l.LogoutAt
	}
	if l.IdleLogout != nil {
		p.IdleLogout = l.IdleLogout
	}
	if l.MaxDefer != nil {
		p.MaxDefer = l.MaxDefer
	}
	if l.Sites != nil {
		p.Sites = l.Sites
	}
	if l.PINSource != nil {
		p.PINSource = l.PINSource
	}
	if l.Supervisors != nil {
		p.Supervisors = l.Supervisors
	}
	if l.LoginKey != nil {
		p.LoginKey = l.LoginKey
	}
	p.Screen = p.Screen.under(l.Screen)
	if l.WarnBefore != nil {
		p.WarnBefore = l.WarnBefore
	}
	if l.Shift != "" {
		p.Shift = l.Shift
	}
	if l.PINChange != nil {
		p.PINChange = l.PINChange
	}
	if l.PINMin != nil {
		p.PINMin = l.PINMin
	}
	if l.PINWeak != "" {
		p.PINWeak = l.PINWeak
	}
	return p
}
