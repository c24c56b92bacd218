package brand

import "strings"

// Setting is one line of a phone's configuration.
type Setting struct{ Key, Value string }

// Changed gives the settings of after whose value differs from before, in the
// order of after. It is false when a setting is gone: what the phone makes of one
// that nobody names any more is not known, and it has to fetch its file.
func Changed(before, after []Setting) ([]Setting, bool) {
	had := make(map[string]string, len(before))
	for _, s := range before {
		had[s.Key] = s.Value
	}
	var out []Setting
	for _, s := range after {
		old, known := had[s.Key]
		if !known || old != s.Value {
			out = append(out, s)
		}
		delete(had, s.Key)
	}
	return out, len(had) == 0
}

// Lines reads a configuration of "key<sep>value" lines. Comments and lines
// without the separator are left out.
func Lines(body []byte, sep string) []Setting {
	var out []Setting
	for line := range strings.Lines(string(body)) {
		line = strings.TrimSpace(line)
		key, value, ok := strings.Cut(line, sep)
		if ok && !strings.HasPrefix(line, "#") {
			out = append(out, Setting{strings.TrimSpace(key), strings.TrimSpace(value)})
		}
	}
	return out
}

// OnlyOf tells whether every setting begins with one of the prefixes.
func OnlyOf(settings []Setting, prefixes ...string) bool {
	for _, s := range settings {
		found := false
		for _, p := range prefixes {
			found = found || strings.HasPrefix(s.Key, p)
		}
		if !found {
			return false
		}
	}
	return true
}
