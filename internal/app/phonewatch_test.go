package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"perch/hotdesk/directory"
	"perch/internal/event"
	"perch/provisioning/device"
)

// newsroom keeps what is told, and has two tenants.
type newsroom struct {
	mu   sync.Mutex
	told []event.Event
	away bool
}

func (n *newsroom) Append(_ context.Context, all ...event.Event) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.told = append(n.told, all...)
	return nil
}

func (n *newsroom) Tenants(context.Context) ([]directory.Tenant, error) {
	if n.away {
		return nil, errors.New("store away")
	}
	return []directory.Tenant{{Code: "acme", Decoys: []directory.MAC{{0, 1, 2, 3, 4, 5}}}, {Code: "globex"}}, nil
}

func watchOf(t *testing.T, trusted ...netip.Prefix) (*phoneWatch, *newsroom, *time.Time) {
	t.Helper()
	n := &newsroom{}
	w := newPhoneWatch(trusted, n, n, nil, slog.New(slog.DiscardHandler))
	now := time.Unix(1_000_000, 0)
	w.now = func() time.Time { return now }
	w.readDecoys(t.Context())
	return w, n, &now
}

func phoneMAC(i int) directory.MAC {
	return directory.MAC{0, 0x15, 0x65, byte(i >> 16), byte(i >> 8), byte(i)}
}

// A site of 5,000 phones behind one address comes up: unknown at first, then with
// their credentials, some of them old.
func TestAWholeSiteIsNoScan(t *testing.T) {
	w, n, _ := watchOf(t)
	const site = "192.0.2.1"
	for round := range 4 {
		for i := range 5000 {
			if w.Asked(site, phoneMAC(i), round > 1) {
				t.Fatalf("round %d: phone %d is barred", round, i)
			}
			switch {
			case round > 1 && i < 50:
				w.Refused(site, phoneMAC(i))
			case round > 1:
				w.Admitted(site, phoneMAC(i))
			}
		}
	}
	if len(w.alarms) != 0 || len(n.told) != 0 {
		t.Errorf("%d alarms", len(w.alarms))
	}
}

func TestScansAreBarred(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(w *phoneWatch, i int)
		kind device.AlarmKind
		long time.Duration
	}{
		{"names", func(w *phoneWatch, i int) { w.Asked("192.0.2.9", phoneMAC(i), false) }, device.AlarmEnumeration, barFor},
		{"guesses", func(w *phoneWatch, i int) { w.Refused("192.0.2.9", phoneMAC(i)) }, device.AlarmGuessing, barFor},
		{"a decoy", func(w *phoneWatch, _ int) { w.Asked("192.0.2.9", directory.MAC{0, 1, 2, 3, 4, 5}, false) }, device.AlarmDecoy, decoyBarFor},
	} {
		w, _, now := watchOf(t, netip.MustParsePrefix("127.0.0.0/8"))
		known, other := phoneMAC(1<<20), phoneMAC(1<<21)
		w.Admitted("192.0.2.9", known)
		for i := range 12_000 {
			c.do(w, i)
		}
		if !w.Asked("192.0.2.9", other, true) || w.Asked("192.0.2.9", known, true) {
			t.Errorf("%s: not barred, or with it a phone that is known there", c.name)
		}
		if w.Asked("192.0.2.9", other, false) || w.Asked("192.0.2.10", other, true) {
			t.Errorf("%s: the bar shows, or reaches too far", c.name)
		}
		if a := <-w.alarms; a.Kind != c.kind || a.Source != "192.0.2.9" || len(w.alarms) != 0 {
			t.Errorf("%s: alarm %+v and %d more", c.name, a, len(w.alarms))
		}
		*now = now.Add(c.long)
		if w.Asked("192.0.2.9", other, true) {
			t.Errorf("%s: barred for ever", c.name)
		}
	}
}

func TestTrustedAddressesAreNotBarred(t *testing.T) {
	w, _, _ := watchOf(t, netip.MustParsePrefix("127.0.0.0/8"))
	for i := range 12_000 {
		w.Asked("127.0.0.1", phoneMAC(i), true)
		w.Refused("127.0.0.1", phoneMAC(i))
	}
	w.Asked("127.0.0.1", directory.MAC{0, 1, 2, 3, 4, 5}, false)
	if w.Asked("127.0.0.1", phoneMAC(1), true) {
		t.Error("barred")
	}
	if a := <-w.alarms; a.Kind != device.AlarmDecoy {
		t.Errorf("%+v", a)
	}
}

// Alarms reach the tenant's events; a store that is away leaves the decoys.
func TestAlarmsAreTold(t *testing.T) {
	w, n, _ := watchOf(t)
	n.away = true
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- w.run(ctx) }()
	w.Asked("192.0.2.9", directory.MAC{0, 1, 2, 3, 4, 5}, false)
	for i := range 10 { // the same again is not told again
		w.Alarm(device.Alarm{Kind: device.AlarmNetwork, Device: directory.DeviceID{Tenant: "globex", MAC: phoneMAC(i % 2)}, Source: "198.51.100.1", At: w.now()})
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		n.mu.Lock()
		got := ""
		for _, e := range n.told {
			got += fmt.Sprintf("%s %s %s %s %s;", e.Type, e.Tenant, e.MAC, e.Reason, e.Detail)
		}
		n.mu.Unlock()
		if strings.Count(got, ";") >= 3 {
			want := "provisioning.alarm acme 000102030405 decoy 192.0.2.9;provisioning.alarm globex 001565000000 network 198.51.100.1;provisioning.alarm globex 001565000001 network 198.51.100.1;"
			if got != want {
				t.Errorf("told %s", got)
			}
			break
		}
		select {
		case <-tick.C:
		case <-time.After(time.Minute):
			t.Fatalf("told %s", got)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
