package directory

import (
	"errors"
	"strings"
	"testing"
)

func TestInline(t *testing.T) {
	read := func(name string) ([]byte, error) {
		if name == "gone.ics" {
			return nil, errors.New("no such file")
		}
		return []byte(strings.ReplaceAll(shifts, `\n`, "\r\n")), nil
	}
	for _, form := range []string{
		`[{name: early, file: early.ics}, {name: "späte", file: "late.ics"}]`,
		`[{file: 'early.ics', name: early}]`,
		"\n      - name: early\n        file: shifts/early.ics # beside this file",
	} {
		text := "tenants:\n  - code: acme\n    domains: [acme.test]\n    calendars: " + strings.ReplaceAll(form, "späte", "late") + "\n    policy: {shift: early}\n"
		out, err := Inline([]byte(text), read)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Count(string(out), "\n") != strings.Count(text, "\n") {
			t.Error("lines moved")
		}
		f := parse(t, string(out))
		if c, ok := f.Tenants[0].Calendar("early"); !ok || !strings.HasPrefix(c.Text, "BEGIN:VCALENDAR\n") {
			t.Errorf("%s: %+v", form, f.Tenants[0].Calendars)
		}
	}
	for _, text := range []string{"calendars: [", "tenants: 5 # calendars", "calendars: []", "tenants: [{calendars: [{file: }]}]", ""} {
		if out, err := Inline([]byte(text), read); err != nil || string(out) != text {
			t.Errorf("%q became %q, %v", text, out, err)
		}
	}
	for _, text := range []string{"tenants: [{calendars: [{file: gone.ics}]}]", "tenants: [{calendars: [{file: \"a\\x41\"}]}]", "tenants:\n- calendars:\n  - file:\n      a.ics"} {
		if out, err := Inline([]byte(text), read); err == nil {
			t.Errorf("%q became %q", text, out)
		}
	}
}

// FuzzInline: whatever the text, it comes back with as many lines or not at all.
func FuzzInline(f *testing.F) {
	f.Add("tenants: [{calendars: [{file: a.ics, name: ü}, {file: 'b'}]}]\n")
	f.Add("tenants:\n- calendars:\n  - {name: a, file: \"x\"}\n")
	f.Fuzz(func(t *testing.T, text string) {
		out, err := Inline([]byte(text), func(string) ([]byte, error) { return []byte("x\ny"), nil })
		if err == nil && strings.Count(string(out), "\n") != strings.Count(text, "\n") {
			t.Errorf("%q became %q", text, out)
		}
	})
}
