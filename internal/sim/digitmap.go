package sim

import "strings"

// digitMap is Yealink's dialplan.digitmap.string: alternatives that tell, key
// by key, when a number is complete. One that ends in T waits for a timer or
// the send key.
type digitMap []digitRule

// digitRule is one alternative.
type digitRule struct {
	keys  []digitKey
	timer bool
}

// digitKey is one position: a set of keys, once or any number of times.
type digitKey struct {
	set  string
	star bool
}

// parseDigitMap reads the map; an alternative that it cannot read is left out.
func parseDigitMap(s string) digitMap {
	var m digitMap
	for alt := range strings.SplitSeq(s, "|") {
		if len(m) >= maxRules || len(alt) > 256 {
			break
		}
		if r, ok := parseDigitRule(strings.TrimSpace(alt)); ok {
			m = append(m, r)
		}
	}
	return m
}

func parseDigitRule(s string) (r digitRule, ok bool) {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == 'T' && i == len(s)-1:
			r.timer = true
		case c == ',':
		case c == '.' && len(r.keys) > 0:
			r.keys[len(r.keys)-1].star = true
		case c == 'x' || c == 'X':
			r.keys = append(r.keys, digitKey{set: "0123456789"})
		case c == '[':
			end := strings.IndexByte(s[i:], ']')
			if end < 0 {
				return r, false
			}
			r.keys = append(r.keys, digitKey{set: digitSet(s[i+1 : i+end])})
			i += end
		case c >= '0' && c <= '9' || c == '*' || c == '#' || c == '+':
			r.keys = append(r.keys, digitKey{set: s[i : i+1]})
		default:
			return r, false
		}
	}
	return r, len(r.keys) > 0
}

// digitSet spells out what stands between brackets: keys, ranges, x for all
// digits.
func digitSet(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == 'x' || s[i] == 'X':
			b.WriteString("0123456789")
		case i+2 < len(s) && s[i+1] == '-' && s[i] <= s[i+2]:
			for c := int(s[i]); c <= int(s[i+2]); c++ {
				b.WriteByte(byte(c))
			}
			i += 2
		case s[i] != ',':
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// sends tells that the phone dials at once after these keys: an alternative
// without timer is complete and none could go on.
func (m digitMap) sends(typed string) bool {
	whole := false
	for _, r := range m {
		complete, more := r.match(typed)
		if more {
			return false
		}
		whole = whole || (complete && !r.timer)
	}
	return whole
}

// match walks all positions the keys can have reached.
func (r digitRule) match(typed string) (complete, more bool) {
	at := make([]bool, len(r.keys)+1)
	at[0] = true
	r.skip(at)
	for i := range len(typed) {
		next := make([]bool, len(at))
		for pos, k := range r.keys {
			if !at[pos] || strings.IndexByte(k.set, typed[i]) < 0 {
				continue
			}
			if k.star {
				next[pos] = true
			} else {
				next[pos+1] = true
			}
		}
		r.skip(next)
		at = next
	}
	for pos := range r.keys {
		more = more || at[pos]
	}
	return at[len(r.keys)], more
}

// skip passes over positions that may be empty.
func (r digitRule) skip(at []bool) {
	for pos, k := range r.keys {
		if at[pos] && k.star {
			at[pos+1] = true
		}
	}
}
