package flow

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"perch/sip/location"
)

var flows = []location.Flow{
	{Node: "n1", Transport: "udp", Remote: "192.0.2.1:5060", Local: "198.51.100.1:5060"},
	{Node: "n1", ID: "ABCDEFGHIJKLMNOP", Transport: "wss", Remote: "[2001:db8::1]:40000", Local: "[2001:db8::2]:443"},
	{},
}

// TestTokens: RFC 5626 section 5.2.
func TestTokens(t *testing.T) {
	ours, theirs := NewTokens([]byte("one key")), NewTokens([]byte("another"))
	seen := map[string]bool{}
	for _, f := range flows {
		token, err := ours.Of(f)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ours.Flow(token)
		if err != nil || got != f || seen[token] {
			t.Errorf("%+v came back as %+v, %v", f, got, err)
		}
		seen[token] = true
		if _, err := theirs.Flow(token); !errors.Is(err, ErrToken) {
			t.Errorf("another key: %v", err)
		}
		for i := range token { // no character may be changed
			c := byte('A')
			if token[i] == c {
				c = 'B'
			}
			if _, err := ours.Flow(token[:i] + string(c) + token[i+1:]); !errors.Is(err, ErrToken) {
				t.Errorf("changed at %d: %v", i, err)
			}
		}
		route, err := ours.Route(f, "edge.test:5060", f.Transport)
		if err != nil || !strings.HasSuffix(route, ";lr;ob>") {
			t.Fatal(route, err)
		}
		if got, err := ours.FromRoute(route); err != nil || got != f {
			t.Errorf("%s leads to %+v, %v", route, got, err)
		}
	}
	for _, bad := range []string{"", "x", "!!!!", strings.Repeat("A", 500), strings.Repeat("A", 20)} {
		if _, err := ours.Flow(bad); !errors.Is(err, ErrToken) {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
	for _, bad := range []string{"", "sip:x@y", "<sip:y;lr>", "<sip:x@y;lr>", "<sip:a@b>,<sip:c@d>"} {
		if _, err := ours.FromRoute(bad); !errors.Is(err, ErrToken) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := ours.Of(location.Flow{ID: "a\x00b"}); err == nil {
		t.Error("a NUL came through")
	}
	if _, err := ours.Of(location.Flow{ID: strings.Repeat("x", 400)}); err == nil {
		t.Error("a long one came through")
	}
	for _, bad := range [][2]string{{"a b", "tcp"}, {"h;x", "tcp"}, {"h", "t p"}, {"u@h", "udp"}} {
		if _, err := ours.Route(flows[0], bad[0], bad[1]); !errors.Is(err, ErrUnsafe) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// TestStatusOf: RFC 5626 section 5.3.
func TestStatusOf(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want int
	}{
		{ErrToken, 403}, {ErrGone, 430}, {ErrClosed, 430}, {ErrElsewhere, 430}, {ErrTimeout, 408}, {errors.New("x"), 500},
	} {
		if got, phrase := StatusOf(fmt.Errorf("send: %w", tc.err)); got != tc.want || phrase == "" {
			t.Errorf("%v is %d %q", tc.err, got, phrase)
		}
	}
}

// FuzzTokens: no stranger's text is a flow.
func FuzzTokens(f *testing.F) {
	f.Add("AAAAAAAAAAAAAAAA")
	f.Add("<sip:AAAAAAAAAAAAAAAAAAAAAAAA@edge.test;lr;ob>")
	tokens := NewTokens([]byte("key"))
	f.Fuzz(func(t *testing.T, s string) {
		if got, err := tokens.Flow(s); err == nil {
			t.Errorf("%q is %+v", s, got)
		}
		if got, err := tokens.FromRoute(s); err == nil {
			t.Errorf("%q leads to %+v", s, got)
		}
	})
}

func BenchmarkToken(b *testing.B) {
	tokens := NewTokens([]byte("key"))
	token, err := tokens.Of(flows[0])
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tokens.Flow(token); err != nil {
			b.Fatal(err)
		}
	}
}
