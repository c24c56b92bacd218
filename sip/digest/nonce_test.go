package digest

import (
	"strings"
	"testing"
	"time"
)

var epoch = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestNonces(t *testing.T) {
	now := epoch
	clock := func() time.Time { return now }
	key := []byte("0123456789abcdef0123456789abcdef")
	n := NewNonces(key, "a", "1", time.Minute, clock)
	nonce := n.Issue()
	if n.Issue() == nonce {
		t.Error("two nonces of one instant are alike")
	}
	if strings.Trim(nonce, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" || len(nonce) != textLen {
		t.Errorf("nonce %q", nonce)
	}
	other := func(key []byte, node, boot string) Verdict {
		return NewNonces(key, node, boot, time.Minute, clock).Check(nonce)
	}
	for _, tc := range []struct {
		name string
		got  Verdict
		want Verdict
	}{
		{"own", n.Check(nonce), Fresh},
		{"same node, same boot", other(key, "a", "1"), Fresh},
		{"other node", other(key, "b", "1"), Stale},
		{"other boot", other(key, "a", "2"), Stale},
		{"node and boot do not run together", other(key, "a1", ""), Stale},
		{"other key", other([]byte("x"), "a", "1"), Unknown},
		{"empty", n.Check(""), Unknown},
		{"short", n.Check(nonce[:39]), Unknown},
		{"long", n.Check(nonce + "A"), Unknown},
		{"no base64", n.Check("!" + nonce[1:]), Unknown},
		{"line breaks", n.Check("\n\n" + nonce[2:]), Unknown},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: %d, want %d", tc.name, tc.got, tc.want)
		}
	}
	for i := range nonce {
		c := byte('A')
		if nonce[i] == c {
			c = 'B'
		}
		if got := n.Check(nonce[:i] + string(c) + nonce[i+1:]); got != Unknown {
			t.Errorf("character %d changed: %d", i, got)
		}
	}
	now = epoch.Add(time.Minute)
	if got := n.Check(nonce); got != Fresh {
		t.Errorf("at the end of its life: %d", got)
	}
	now = epoch.Add(time.Minute + time.Millisecond)
	if got := n.Check(nonce); got != Stale {
		t.Errorf("after its life: %d", got)
	}
	now = epoch.Add(-time.Millisecond)
	if got := n.Check(nonce); got != Stale {
		t.Errorf("from the future: %d", got)
	}
}
