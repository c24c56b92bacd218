package feature

import (
	"strings"

	"perch/hotdesk/directory"
	"perch/metrics"
)

// Code is what a feature code is for; what people dial for it is the tenant's
// choice. It is also the metric's label.
type Code string

// The codes.
const (
	Login  Code = metrics.FeatureLogin
	Logout Code = metrics.FeatureLogout
	WhoAmI Code = metrics.FeatureWhoami
	Reload Code = metrics.FeatureReload

	NewPIN     Code = metrics.FeaturePIN        // change the own PIN
	Supervised Code = metrics.FeatureSupervisor // a login with a supervisor's PIN
)

// Dialled is a feature code as somebody dialled it. It prints as its code
// alone: the rest may be a PIN, in its own place or typed into the wrong one.
type Dialled struct {
	Code      Code
	Number    string           // logins only; empty: to be asked for
	PIN       directory.Secret // logins only; empty: to be asked for
	Malformed bool             // a code, followed by something it does not take
	Confirmed bool             // logins only; whoever sits there may be logged out
}

// logsIn tells whether the code is for a login.
func (c Code) logsIn() bool { return c == Login || c == Supervised }

// whole tells whether nothing is left to ask for.
func (d Dialled) whole() bool {
	switch {
	case d.Malformed:
		return true
	case d.Code.logsIn():
		return d.Number != "" && d.PIN != ""
	}
	return d.Code != NewPIN // a PIN that is dialled would stay in the phone's list of calls
}

// String gives the code.
func (d Dialled) String() string { return string(d.Code) }

// GoString hides the rest from %#v too.
func (d Dialled) GoString() string { return d.String() }

const (
	maxUser   = 256 // bytes of a user part that are looked at
	maxDigits = 32  // of a number or PIN
)

// Parse reads the user part of a Request-URI: a code, for login followed by
// *number or *number*pin, with an optional # at the end. Percent escapes are
// decoded first (RFC 3261 section 19.1.4: %2A and * are the same user), and
// parameters of a telephone number (RFC 3966, ";phone-context=...") do not
// count. The longest code wins. ok is false when no code was dialled.
func Parse(user string, codes directory.FeatureCodes) (d Dialled, ok bool) {
	tooLong := len(user) > maxUser
	digits, _, _ := strings.Cut(unescape(user[:min(len(user), maxUser)]), ";")
	code, rest, ok := longest(digits, codes)
	if !ok {
		return Dialled{}, false
	}
	d = Dialled{Code: code}
	args, good := arguments(strings.TrimSuffix(rest, "#"))
	if !good || tooLong || len(args) > 2 || len(args) > 0 && !code.logsIn() {
		return Dialled{Code: code, Malformed: true}, true
	}
	if len(args) > 0 {
		d.Number = args[0]
	}
	if len(args) > 1 {
		d.PIN = directory.Secret(args[1])
	}
	return d, true
}

// longest finds the longest code that the digits begin with. What follows must
// be a separator: *115 is another number than *11.
func longest(digits string, codes directory.FeatureCodes) (code Code, rest string, ok bool) {
	length := 0
	for _, c := range []struct {
		dialled string
		code    Code
	}{
		{codes.Login, Login},
		{codes.Logout, Logout},
		{codes.WhoAmI, WhoAmI},
		{codes.Reload, Reload},
		{codes.PIN, NewPIN},
		{codes.Supervisor, Supervised},
	} {
		after, is := strings.CutPrefix(digits, c.dialled)
		if !is || c.dialled == "" || len(c.dialled) <= length || after != "" && after[0] != '*' && after[0] != '#' {
			continue
		}
		code, rest, ok, length = c.code, after, true, len(c.dialled)
	}
	return code, rest, ok
}

// arguments splits *a*b; each is one or more digits.
func arguments(s string) ([]string, bool) {
	if s == "" {
		return nil, true
	}
	s, ok := strings.CutPrefix(s, "*")
	if !ok {
		return nil, false
	}
	args := strings.Split(s, "*")
	for _, a := range args {
		if a == "" || len(a) > maxDigits || strings.Trim(a, "0123456789") != "" {
			return nil, false
		}
	}
	return args, true
}

// unescape decodes each %HH; a percent sign that begins none stays, and then
// is part of no code.
func unescape(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			hi, lo := unhex(s[i+1]), unhex(s[i+2])
			if hi >= 0 && lo >= 0 {
				out = append(out, byte(hi<<4|lo))
				i += 2
				continue
			}
		}
		out = append(out, s[i])
	}
	return string(out)
}

// unhex gives the value of a hex digit, or -1.
func unhex(c byte) int {
	if c >= 'A' && c <= 'F' {
		c += 'a' - 'A'
	}
	return strings.IndexByte("0123456789abcdef", c)
}
