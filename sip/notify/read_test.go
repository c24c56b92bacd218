package notify

import (
	"strings"
	"testing"
	"time"

	"perch/hotdesk/directory"
)

func TestParseEvent(t *testing.T) {
	for _, tc := range []struct {
		value, pkg, id string
		ok             bool
	}{
		{"dialog", "dialog", "", true},
		{" dialog ; sla ; ID = k-1", "dialog", "k-1", true},
		{"dialog;id", "dialog", "", false},
		{"dialog;id=", "dialog", "", false},
		{"dialog;id=\"q\"", "dialog", "", false},
		{"dialog;id=" + strings.Repeat("a", 129), "dialog", "", false},
		{"Dialog", "Dialog", "", true}, // RFC 6665 section 8.2.1 compares byte by byte
		{"", "", "", true},
	} {
		if pkg, id, ok := parseEvent(tc.value); pkg != tc.pkg || id != tc.id || ok != tc.ok {
			t.Errorf("%q: %q %q %v", tc.value, pkg, id, ok)
		}
	}
}

func TestGrant(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"": time.Hour, "x": time.Hour, "-1": time.Hour, "0": 0, "60": time.Minute, "7201": 2 * time.Hour, "99999999999": time.Hour,
	} {
		if d, brief := grant(value); brief || d != want {
			t.Errorf("%q: %s %v", value, d, brief)
		}
	}
	for _, value := range []string{"1", "59"} {
		if _, brief := grant(value); !brief {
			t.Errorf("%q is not brief", value)
		}
	}
}

func TestEntity(t *testing.T) {
	for _, uri := range []string{"sip:1002@acme.test", "sip:a%40b@[2001:db8::1]", "sip:a@b@c"} {
		if got := entity(uri).String(); got != uri {
			t.Errorf("%s became %s", uri, got)
		}
	}
}

// FuzzRead holds that no header makes a NOTIFY's line end, and none panics.
func FuzzRead(f *testing.F) {
	for _, s := range []string{"dialog", "dialog;id=1", "dialog;;;=;id=a;id=b", " ;id=x", "application/dialog-info+xml;q=0", "*/*;q=0.000", "1", "-", "\x00;id=\r\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if _, id, ok := parseEvent(s); id != "" && (!ok || !isToken(id) || len(id) > maxEventID) {
			t.Errorf("id %q", id)
		}
		if d, brief := grant(s); !brief && d != 0 && (d < minExpires*time.Second || d > maxExpires*time.Second) {
			t.Errorf("granted %s", d)
		}
		accepts([]string{s})
		if e := entity("sip:" + s); strings.HasPrefix(e.Domain, "@") && e.User == "" {
			t.Errorf("entity %+v", e)
		}
		n := Notifier{}
		if a, err := n.ask(tenantForFuzz, s, "acme.test"); err == nil && (a.target == "" || a.target != strings.TrimSpace(a.target)) {
			t.Errorf("target %q", a.target)
		}
	})
}

var tenantForFuzz = directory.Tenant{Code: "acme", Domains: []string{"acme.test"}}
