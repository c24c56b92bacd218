// Package flatprofile is the vocabulary of Cisco's XML profile (root element
// flat-profile), which the SPA phones and the multiplatform phones share: what a
// key does, the dial plan, the time zone, the rule that names the server. It
// knows neither's models, files or other settings. It promises that no value of
// a desk becomes a further field of a key or a further argument of the rule.
// The facts are from Cisco's provisioning guides for both families.
package flatprofile

import (
	"fmt"
	"strings"
	"time"

	"perch/hotdesk/directory"
	"perch/provisioning/brand"
)

// Transport is the value of SIP_Transport_N_.
func Transport(t brand.Transport) string {
	switch t {
	case brand.TCP:
		return "TCP"
	case brand.TLS:
		return "TLS"
	}
	return "UDP"
}

// Word makes a text fit for a place where a semicolon ends a field and a dollar
// sign begins a macro: both become blanks, as do the equals sign and the bar.
func Word(s string) string {
	return strings.Map(func(c rune) rune {
		if strings.ContainsRune(";=$|", c) {
			return ' '
		}
		return c
	}, s)
}

// maxName bounds the name on a key. The screens show about ten characters.
const maxName = 32

// Name is the label of a key.
func Name(s brand.Slot) string {
	if !s.Used {
		return ""
	}
	name := s.Key.Label
	if name == "" {
		name = s.Text()
	}
	return brand.ClipTo(Word(name), maxName)
}

// Known tells the types of key that the profile can show. URL and DTMF keys
// have no common form.
func Known(k directory.Key) bool {
	switch k.Type {
	case brand.KeyBLF, brand.KeySpeedDial, brand.KeyPark, brand.KeyPickup:
		return true
	case brand.KeyVoicemail:
		return k.Value != ""
	}
	return false
}

// Function is the value of an extended function: a lamp that also dials and
// picks up, or a speed dial. An empty slot has none. With line, a vid= names the
// extension whose account is used, which the multiplatform phones want.
func Function(d brand.Desk, s brand.Slot, line int) string {
	if !s.Used {
		return ""
	}
	vid := ""
	if line > 0 {
		vid = fmt.Sprintf("vid=%d;", line)
	}
	at := "@" + Word(d.Domain)
	if s.Key.Type == brand.KeyBLF {
		target := Word(s.Target) + at
		ext := ""
		if line > 0 {
			ext = "ext=" + target + ";"
		}
		return "fnc=blf+sd+cp;sub=" + target + ";" + ext + vid + "nme=" + Name(s)
	}
	return "fnc=sd;ext=" + Word(s.Text()) + at + ";" + vid + "nme=" + Name(s)
}

// DialPlan lets what is typed leave as typed. A feature code leaves after the
// short timer, since more may follow; # is not in any set and sends at once.
func DialPlan(d brand.Desk) string {
	var rules []string
	for _, c := range d.Codes() {
		rules = append(rules, c, c+"*[0-9*].")
	}
	return "(" + strings.Join(append(rules, "[0-9*][0-9*]."), "|") + ")"
}

// Zone is a time zone in the profile's words.
type Zone struct {
	Set    bool
	Offset string // "GMT+01:00"
	Rule   string // of summer time; empty without
}

// ZoneFor writes a zone as offset and rule.
func ZoneFor(zones *brand.Zones, iana string) Zone {
	z, ok := zones.Lookup(iana)
	if !ok {
		return Zone{}
	}
	minutes, sign := int(z.Offset/time.Minute), '+'
	if minutes < 0 {
		minutes, sign = -minutes, '-'
	}
	out := Zone{Set: true, Offset: fmt.Sprintf("GMT%c%02d:%02d", sign, minutes/60, minutes%60)}
	if z.DST {
		save := int(z.Save / time.Minute)
		out.Rule = fmt.Sprintf("start=%s;end=%s;save=%d:%d:0", change(z.Start), change(z.End), save/60, save%60)
	}
	return out
}

// change is month/day/weekday/time. A day of -1 is the last such weekday of the
// month, another the first on or after it; Monday is 1, Sunday 7.
func change(c brand.Change) string {
	day := (c.Week-1)*7 + 1
	if c.Week == 5 {
		day = -1
	}
	return fmt.Sprintf("%d/%d/%d/%d:%d:0", c.Month, day, c.Weekday, c.Hour, c.Minute)
}

// Rule is the value of Profile_Rule: the address of the phone's own file, with
// its credentials where these can stand in a rule. Others are left out, since
// nothing can stand for a blank or a bracket there; such a phone needs the path
// token.
func Rule(d brand.Desk) string {
	p := d.Provisioning
	url := address(p.URL) + d.MAC.String() + ".xml"
	if secret := p.Password.Reveal(); bare(p.User) && bare(secret) {
		return "[--uid " + p.User + " --pwd " + secret + "]" + url
	}
	return url
}

// bare tells that a text can stand in a rule without quotes.
func bare(s string) bool {
	return s != "" && len(s) <= 128 && strings.Trim(s, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._~-") == ""
}

// address percent-encodes what could end a rule or begin a macro.
func address(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		if c > ' ' && c < 0x7f && !strings.ContainsRune(`$|()[]{}<>"'\;,`, rune(c)) {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}

// SpareLines are the extensions after the first, to be switched off.
func SpareLines(last int) []int {
	var out []int
	for n := 2; n <= last; n++ {
		out = append(out, n)
	}
	return out
}
