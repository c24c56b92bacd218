package ratelimit

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

var start = time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)

func failed(f *Failures, n int, remote, name string) {
	for range n {
		f.Fail(remote, name, start)
	}
}

func TestLock(t *testing.T) {
	f := NewFailures(nil)
	failed(f, MaxFailures-1, "192.0.2.1:5060", "1001")
	if f.Locked("192.0.2.1:5060", "1001", start) {
		t.Fatal("locked too early")
	}
	f.Fail("192.0.2.1:5062", "1001", start.Add(time.Minute))
	cases := []struct {
		name, remote, user string
		after              time.Duration
		want               bool
	}{
		{"the same address from another port", "192.0.2.1:9", "1001", time.Minute, true},
		{"without a port", "192.0.2.1", "1001", time.Minute, true},
		{"mapped into IPv6", "[::ffff:192.0.2.1]:5060", "1001", time.Minute, true},
		{"another name", "192.0.2.1:5060", "1002", time.Minute, false},
		{"another address", "192.0.2.2:5060", "1001", time.Minute, false},
		{"when the lock is over", "192.0.2.1:5060", "1001", time.Minute + LockFor, false},
	}
	for _, c := range cases {
		if got := f.Locked(c.remote, c.user, start.Add(c.after)); got != c.want {
			t.Errorf("%s: locked %v", c.name, got)
		}
	}
}

func TestWindow(t *testing.T) {
	f := NewFailures(nil)
	failed(f, MaxFailures-1, "192.0.2.1", "1001")
	f.Fail("192.0.2.1", "1001", start.Add(LockFor))
	if f.Locked("192.0.2.1", "1001", start.Add(LockFor)) {
		t.Error("failures of an earlier window count")
	}
	failed(f, MaxFailures, "192.0.2.2", "1001")
	f.Succeed("192.0.2.2", "1001")
	if f.Locked("192.0.2.2", "1001", start) {
		t.Error("a success does not clear")
	}
}

func TestOneSiteHasOneIPv6Prefix(t *testing.T) {
	f := NewFailures(nil)
	for i := range MaxFailures {
		f.Fail(fmt.Sprintf("[2001:db8::%x]:5060", i+1), "1001", start)
	}
	if !f.Locked("[2001:db8::ffff]:5060", "1001", start) {
		t.Error("changing the interface part of an address escapes the lock")
	}
	if f.Locked("[2001:db8:0:1::1]:5060", "1001", start) {
		t.Error("the neighbour's prefix is locked too")
	}
}

func TestTrusted(t *testing.T) {
	f := NewFailures([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")})
	failed(f, 2*MaxFailures, "127.0.0.1:5060", "1001")
	if f.Locked("127.0.0.1:5060", "1001", start) || f.order.Len() != 0 {
		t.Error("a trusted address is counted")
	}
}

func TestMemoryIsBounded(t *testing.T) {
	f := NewFailures(nil)
	f.max = 100
	for i := range 1000 {
		f.Fail(fmt.Sprintf("192.0.2.1:%d", i), fmt.Sprint(i), start)
		f.Fail("garbage", strings.Repeat("x", 100+i), start)
	}
	if len(f.index) > 100 || f.order.Len() != len(f.index) {
		t.Errorf("%d pairs kept, want at most 100", len(f.index))
	}
}
