package directory

import "strconv"

// ScreenPolicy is what a level says of the phones' own screens; nil and empty
// inherit from the level above.
type ScreenPolicy struct {
	// Push is what Perch sends to a phone's screen and settings by NOTIFY: off,
	// messages, or settings too. Off by default: a phone that takes settings by
	// NOTIFY takes them from whoever can pass for its registrar.
	Push string `json:"push,omitempty" yaml:"push"`
	// IdleLogin makes an idle phone open the login by itself where its brand
	// can; off by default.
	IdleLogin *bool `json:"idle_login,omitempty" yaml:"idle_login"`
	// QRLogin offers to log in with a code that is confirmed elsewhere; on by
	// default.
	QRLogin *bool `json:"qr_login,omitempty" yaml:"qr_login"`
	// Directory offers the tenant's extensions; on by default.
	Directory *bool `json:"directory,omitempty" yaml:"directory"`
}

// Values of Push.
const (
	PushOff      = "off"
	PushMessages = "messages"
	PushSettings = "settings"
)

// DefaultScreen holds what applies where no level says otherwise.
func DefaultScreen() ScreenPolicy {
	on, off := true, false
	return ScreenPolicy{Push: PushOff, IdleLogin: &off, QRLogin: &on, Directory: &on}
}

// Messages tells whether texts may be sent to the phones.
func (s ScreenPolicy) Messages() bool { return s.Push == PushMessages || s.Push == PushSettings }

// Settings tells whether a login may be sent to the phones as settings.
func (s ScreenPolicy) Settings() bool { return s.Push == PushSettings }

func (s ScreenPolicy) under(l ScreenPolicy) ScreenPolicy {
	if l.Push != "" {
		s.Push = l.Push
	}
	if l.IdleLogin != nil {
		s.IdleLogin = l.IdleLogin
	}
	if l.QRLogin != nil {
		s.QRLogin = l.QRLogin
	}
	if l.Directory != nil {
		s.Directory = l.Directory
	}
	return s
}

// screenPolicy reads the mapping screen of a policy.
func (p *parser) screenPolicy(f field) ScreenPolicy {
	var s ScreenPolicy
	p.object(f.place, f.node, func(g field) bool {
		switch g.key {
		case "push":
			s.Push = p.oneOf(g, PushOff, PushMessages, PushSettings)
		case "idle_login":
			s.IdleLogin = p.boolean(g)
		case "qr_login":
			s.QRLogin = p.boolean(g)
		case "directory":
			s.Directory = p.boolean(g)
		default:
			return false
		}
		return true
	}, "push", "idle_login", "qr_login", "directory")
	return s
}

// each gives what is set, as the diff and the export write it.
func (s ScreenPolicy) each(add func(key, value string, quote bool)) {
	if s.Push != "" {
		add("push", s.Push, true)
	}
	for _, b := range []struct {
		key string
		on  *bool
	}{{"idle_login", s.IdleLogin}, {"qr_login", s.QRLogin}, {"directory", s.Directory}} {
		if b.on != nil {
			add(b.key, strconv.FormatBool(*b.on), false)
		}
	}
}

func screenFlow(s ScreenPolicy) flow {
	var f flow
	s.each(func(key, value string, quote bool) {
		if quote {
			f.text(key, value)
		} else {
			f.raw(key, value)
		}
	})
	return f
}
