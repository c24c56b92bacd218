package handler

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"perch/hotdesk"
)

func TestEveryReasonHasAStatus(t *testing.T) {
	for _, why := range hotdesk.Reasons() {
		s := StatusOf(fmt.Errorf("feature: %w", &hotdesk.Refused{Why: why}))
		if s.Code < 400 || s.Code == 500 || s.Why != string(why) {
			t.Errorf("%s: %v", why, s)
		}
	}
	// What must look the same does.
	for _, why := range []hotdesk.Reason{hotdesk.Locked, hotdesk.SiteForbidden} {
		if a, b := StatusOf(&hotdesk.Refused{Why: hotdesk.BadCredentials}), StatusOf(&hotdesk.Refused{Why: why}); a.Code != b.Code || a.phrase() != b.phrase() || a.RetryAfter != b.RetryAfter {
			t.Errorf("%s is told apart from a wrong PIN", why)
		}
	}
}

func TestStatusOf(t *testing.T) {
	for _, tc := range []struct {
		err   error
		code  int
		after time.Duration
	}{
		{fmt.Errorf("x: %w", &Status{Code: 489}), 489, 0},
		{fmt.Errorf("store: %w", hotdesk.ErrUnavailable), 503, unavailableAfter},
		{fmt.Errorf("redis: %w", context.DeadlineExceeded), 503, unavailableAfter},
		{errors.New("defect"), 500, 0},
		{&hotdesk.Refused{Why: "new"}, 500, 0},
	} {
		if s := StatusOf(tc.err); s.Code != tc.code || s.RetryAfter != tc.after {
			t.Errorf("%v: %d after %v", tc.err, s.Code, s.RetryAfter)
		}
	}
}

func TestEveryPhraseIsOneLine(t *testing.T) {
	for code := 100; code < 700; code++ {
		if p := phraseOf(code); p == "" || Clean(p) != p {
			t.Errorf("%d: %q", code, p)
		}
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain", "a\r\nB: c": "a  B: c", "a\x00b\x7fc": "a b c", "tab\tstays": "tab\tstays",
		"\u0085\u2028\u2029": "   ", "Zoë": "Zoë",
	} {
		if got := Clean(in); got != want {
			t.Errorf("Clean(%q) = %q", in, got)
		}
	}
	if got := Clipped("aé\xff", 2); got != "a" {
		t.Errorf("clipped to %q", got)
	}
	if h := Header("X\r\nY", "1\r\nZ: 2"); h.Name() != "X  Y" || h.Value() != "1  Z: 2" {
		t.Errorf("%s: %s", h.Name(), h.Value())
	}
}
