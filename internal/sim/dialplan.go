package sim

import (
	"regexp"
	"strconv"
	"strings"
)

// dialPlan is what a phone does with digits between the key press and the
// INVITE. The zero dialPlan sends them as typed.
type dialPlan struct {
	replace []dialRule
	now     []*regexp.Regexp // a match sends at once and drops what comes later
	block   []*regexp.Regexp
	digits  digitMap
	send    byte // key that means send, 0 for none
}

// dialRule replaces a whole match.
type dialRule struct {
	match *regexp.Regexp
	with  string
	uri   bool // the result is a URI, of which the user part is dialled
}

// apply gives what the phone would dial for the keys typed one after another;
// ok is false when a rule blocks the number.
func (d dialPlan) apply(typed string) (string, bool) {
	digits := typed
	for i := 1; i <= len(typed); i++ {
		// A send key counts from the second key on: a number may begin with it.
		if d.send != 0 && i > 1 && typed[i-1] == d.send {
			digits = typed[:i-1]
			break
		}
		if matchesAny(d.now, typed[:i]) || d.digits.sends(typed[:i]) {
			digits = typed[:i]
			break
		}
	}
	if matchesAny(d.block, digits) {
		return "", false
	}
	for _, r := range d.replace {
		if m := r.match.FindStringSubmatchIndex(digits); m != nil {
			out := string(r.match.ExpandString(nil, r.with, digits, m))
			if r.uri {
				out, _, _ = strings.Cut(strings.TrimPrefix(strings.TrimPrefix(out, "sip:"), "sips:"), "@")
			}
			return out, true
		}
	}
	return digits, true
}

func matchesAny(list []*regexp.Regexp, s string) bool {
	for _, r := range list {
		if r.MatchString(s) {
			return true
		}
	}
	return false
}

// yealinkDialPlan reads the dial plan keys of Yealink's administrator guide:
// replace rules, dial-now rules, blocked numbers and the send key.
func yealinkDialPlan(s settings) dialPlan {
	d := dialPlan{send: '#'} // features.key_as_send is 1 (the # key) in the factory
	switch s["features.key_as_send"] {
	case "0":
		d.send = 0
	case "2":
		d.send = '*'
	}
	if s["dialplan.digitmap.enable"] == "1" {
		d.digits = parseDigitMap(s["dialplan.digitmap.string"])
	}
	for n := 1; n <= maxRules/2; n++ {
		i := strconv.Itoa(n)
		if re := yealinkPattern(s["dialplan.replace.prefix."+i]); re != nil {
			d.replace = append(d.replace, dialRule{match: re, with: yealinkTemplate(s["dialplan.replace.replace."+i])})
		}
		if re := yealinkPattern(s["dialplan.dialnow.rule."+i]); re != nil {
			d.now = append(d.now, re)
		}
		if re := yealinkPattern(s["dialplan.block_out.number."+i]); re != nil {
			d.block = append(d.block, re)
		}
	}
	return d
}

// yealinkPattern turns Yealink's pattern language into an expression: a dot is
// any string, x any key, [1-3,5] a set, parentheses a group.
func yealinkPattern(p string) *regexp.Regexp {
	if p == "" || len(p) > 128 {
		return nil
	}
	var b strings.Builder
	b.WriteString("^")
	inSet := false
	for _, c := range p {
		switch {
		case inSet && c == ',':
		case inSet && c == '-':
			b.WriteByte('-')
		case c == '.':
			b.WriteString(".*")
		case c == 'x' || c == 'X':
			b.WriteString(".")
		case c == '[', c == ']':
			inSet = c == '['
			b.WriteRune(c)
		case c == '(', c == ')':
			b.WriteRune(c)
		default:
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	b.WriteString("$")
	re, err := regexp.Compile(b.String())
	if err != nil {
		return nil // a phone ignores a rule that it cannot read
	}
	return re
}

// yealinkTemplate brackets group numbers, so that digits may follow $1.
func yealinkTemplate(t string) string {
	var b strings.Builder
	for i := 0; i < len(t); i++ {
		if t[i] == '$' && i+1 < len(t) && t[i+1] >= '0' && t[i+1] <= '9' {
			b.WriteString("${" + t[i+1:i+2] + "}")
			i++
			continue
		}
		if t[i] == '$' {
			b.WriteString("$$")
			continue
		}
		b.WriteByte(t[i])
	}
	return b.String()
}

// snomDialPlan reads user_dp_str: rules of three parts, each beginning with
// its own delimiter, expression and replacement, as in !^([0-9]+)$!sip:\1@\d!d.
// The flag d sends a match at once.
func snomDialPlan(s string) dialPlan {
	var d dialPlan
	for _, rule := range strings.Fields(s) {
		if len(d.replace)+len(d.now) >= maxRules || len(rule) > 256 {
			break
		}
		parts := strings.Split(rule, rule[:1])
		if len(parts) < 3 {
			continue
		}
		re, err := regexp.Compile(strings.ReplaceAll(parts[1], "%2b", "+"))
		if err != nil {
			continue
		}
		if len(parts) > 3 && strings.Contains(parts[3], "d") {
			d.now = append(d.now, re)
		}
		d.replace = append(d.replace, dialRule{match: re, with: snomTemplate(parts[2]), uri: true})
	}
	return d
}

// snomTemplate turns \1 into a group; \d, the domain, is put in by the phone
// when it builds the URI and needs no text here.
func snomTemplate(t string) string {
	t = strings.ReplaceAll(t, "$", "$$")
	for n := 1; n <= 9; n++ {
		i := strconv.Itoa(n)
		t = strings.ReplaceAll(t, `\`+i, "${"+i+"}")
	}
	return strings.ReplaceAll(t, `\d`, "domain")
}
