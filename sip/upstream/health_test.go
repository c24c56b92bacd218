package upstream

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"perch/sip/flow"
)

var noon = time.Unix(1_700_000_000, 0)

func hop(n string) flow.Hop {
	return flow.Hop{Transport: "udp", Addr: netip.MustParseAddrPort("192.0.2." + n + ":5060")}
}

func order(hops []flow.Hop) string {
	var out []string
	for _, h := range hops {
		out = append(out, h.Addr.Addr().String()[len("192.0.2."):])
	}
	return strings.Join(out, " ")
}

// TestHealth: a hop goes down and comes up only after two of the same, and is
// tried last while it is down.
func TestHealth(t *testing.T) {
	h := NewHealth()
	all := []flow.Hop{hop("1"), hop("2"), hop("3")}
	for i, step := range []struct {
		ok, changed bool
		want        string
	}{
		{true, false, "1 2 3"},
		{false, false, "1 2 3"},
		{true, false, "1 2 3"},
		{false, false, "1 2 3"},
		{false, true, "2 3 1"},
		{false, false, "2 3 1"},
		{true, false, "2 3 1"},
		{false, false, "2 3 1"},
		{true, false, "2 3 1"},
		{true, true, "1 2 3"},
	} {
		var changed bool
		if step.ok {
			changed = h.Answered(hop("1"), time.Millisecond, noon)
		} else {
			changed = h.Failed(hop("1"), "silent", 0, noon)
		}
		if got := order(h.Order(all, false, noon)); changed != step.changed || got != step.want {
			t.Errorf("step %d: changed %t, %s", i, changed, got)
		}
	}
}

// TestRetryAfter: who asks for time gets it, unless there is nobody else, or a
// life depends on it; nobody gets more than ten minutes.
func TestRetryAfter(t *testing.T) {
	h := NewHealth()
	all := []flow.Hop{hop("1"), hop("2")}
	h.Failed(hop("1"), "unavailable", time.Hour, noon)
	for _, tc := range []struct {
		hops []flow.Hop
		all  bool
		at   time.Duration
		want string
	}{
		{all, false, time.Minute, "2"}, {all, true, time.Minute, "2 1"}, {all[:1], false, time.Minute, "1"}, {all, false, 11 * time.Minute, "1 2"},
	} {
		if got := order(h.Order(tc.hops, tc.all, noon.Add(tc.at))); got != tc.want {
			t.Errorf("%+v: %s", tc, got)
		}
	}
	if len(h.All(noon.Add(2*time.Hour))) != 0 {
		t.Error("hops that nobody asks for are remembered for ever")
	}
}
