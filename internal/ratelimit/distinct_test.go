package ratelimit

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

func TestDistinct(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	d := NewDistinct([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, time.Minute)
	n := 0
	for i := range 100 {
		d.Seen("192.0.2.1", fmt.Sprint(i), now)
		n = d.Seen("192.0.2.1", fmt.Sprint(i), now)
	}
	if n < 97 || n > 103 {
		t.Errorf("a hundred are %d", n)
	}
	for i := range 10_000 {
		n = d.Seen("2001:db8::1", fmt.Sprint(i), now)
	}
	if n < 9_000 || n > 11_000 {
		t.Errorf("ten thousand are %d", n)
	}
	if n = d.Seen("2001:db8::ffff", "0", now); n < 9_000 {
		t.Errorf("another address of the same site begins anew: %d", n)
	}
	if n = d.Seen("192.0.2.1", "x", now.Add(time.Minute)); n != 1 {
		t.Errorf("the next window has %d", n)
	}
	if n = d.Seen("127.0.0.1", "x", now); n != 0 {
		t.Errorf("a trusted address has %d", n)
	}
	if n = d.Seen("rubbish", "x", now); n != 0 {
		t.Errorf("what is no address has %d", n)
	}
	for i := range 80_000 {
		n = d.Seen("192.0.2.9", fmt.Sprint(i), now)
	}
	if n < 40_000 {
		t.Errorf("a flood is %d", n)
	}
	for i := range 3 * distinctSources {
		d.Seen(fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255), "x", now)
	}
	if len(d.index) > distinctSources || d.order.Len() > distinctSources {
		t.Errorf("%d sources are kept", len(d.index))
	}
}

func TestKnown(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	k := NewKnown(time.Hour)
	k.most = 10
	k.Add("192.0.2.1", "a", now)
	if !k.Has("192.0.2.1", "a", now.Add(59*time.Minute)) || k.Has("192.0.2.1", "a", now.Add(time.Hour)) || k.Has("192.0.2.2", "a", now) {
		t.Error("kept too long, or not long enough")
	}
	for i := range 100 {
		k.Add("192.0.2.1", fmt.Sprint(i), now)
	}
	if len(k.index) != 10 || k.Has("192.0.2.1", "a", now) || !k.Has("192.0.2.1", "99", now) {
		t.Errorf("%d kept", len(k.index))
	}
}
