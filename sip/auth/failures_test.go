package auth

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

func TestFailures(t *testing.T) {
	f := newFailures(3)
	now := time.Unix(1_790_000_000, 0)
	who, else1 := source("192.0.2.7:5060", "1001"), source("192.0.2.8:5060", "1001")
	for range maxFailures - 1 {
		f.fail(who, now)
	}
	if f.locked(who, now) {
		t.Error("locked before the 20th failure")
	}
	f.fail(who, now)
	if !f.locked(who, now) || !f.locked(who, now.Add(lockFor-time.Second)) || f.locked(who, now.Add(lockFor)) {
		t.Error("not locked for five minutes")
	}
	if f.locked(else1, now) || f.locked(source("192.0.2.7:1", "1002"), now) {
		t.Error("another address or name is locked")
	}
	if !f.locked(source("192.0.2.7:9", "1001"), now) {
		t.Error("another port is another source")
	}
	// After the lock the count begins anew.
	f.fail(who, now.Add(lockFor))
	if f.locked(who, now.Add(lockFor)) {
		t.Error("one failure after the lock locks again")
	}
	f.succeed(who)
	if f.order.Len() != 0 || len(f.index) != 0 {
		t.Error("success forgets nothing")
	}
	for i := range 10 {
		f.fail(source("192.0.2.7:1", fmt.Sprint(i)), now)
	}
	if f.order.Len() != 3 || len(f.index) != 3 {
		t.Errorf("%d remembered", f.order.Len())
	}
}

func TestSlowFailuresDoNotLock(t *testing.T) {
	f := newFailures(3)
	now := time.Unix(1_790_000_000, 0)
	who := source("[2001:db8::1]:5060", "x")
	for i := range 100 {
		f.fail(who, now.Add(time.Duration(i)*time.Minute))
	}
	if f.locked(who, now.Add(100*time.Minute)) {
		t.Error("one wrong answer a minute locks")
	}
}

func TestSource(t *testing.T) {
	if source("[2001:db8::1]:1", "x") != source("[2001:db8::ffff]:2", "x") {
		t.Error("one IPv6 site is two sources")
	}
	if source("[::ffff:192.0.2.1]:1", "x") != source("192.0.2.1:2", "x") {
		t.Error("a mapped address is another source")
	}
}

func TestTrusted(t *testing.T) {
	a := New(Options{Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}})
	for remote, want := range map[string]bool{"127.0.0.1:5": true, "[::1]:5": true, "[::2]:5": false, "192.0.2.1:5": false, "x": false} {
		if a.trusted(remote) != want {
			t.Errorf("%s: %v", remote, !want)
		}
	}
}
