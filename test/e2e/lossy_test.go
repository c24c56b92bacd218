package e2e

import (
	"fmt"
	"net/netip"
	"os"
	"testing"
	"time"

	"perch/internal/config"
	"perch/test/lossy"
)

// TestLampsOverALossyNetwork is the short form of bench lossy: every lamp is
// right within 30 s of the last call, although one datagram in twenty is lost
// each way and others come out of order; and no dialog is left over. LOSSY sets
// how long phones call each other.
func TestLampsOverALossyNetwork(t *testing.T) {
	t.Parallel()
	length := 20 * time.Second
	if text := os.Getenv("LOSSY"); text != "" {
		var err error
		if length, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	const phones = 60
	numbers := make([]string, phones)
	for i := range numbers {
		numbers[i] = fmt.Sprint(3000 + i)
	}
	o := openWith(t, staffed(officeFile, numbers...), func(c *config.Config) {
		c.Limits.Trusted = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	office, err := lossy.Open(t.Context(), lossy.Options{
		Server: o.sip("udp"), Domain: "acme.test", Phones: phones, Watched: 5, Rate: 6, For: length,
		Number: func(i int) string { return numbers[i] }, Password: func(i int) string { return "p" + numbers[i] },
	}, &lossy.Network{Loss: 0.05, Late: 0.1, Delay: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer office.Close()
	office.Run(t.Context())
	took, wrong := office.Settle(t.Context(), 30*time.Second)
	outcomes, failures := office.Outcomes()
	t.Logf("%v; right %v after the last call; %d datagrams lost, %d late", outcomes, took.Round(time.Millisecond), office.Network.Lost.Load(), office.Network.Delayed.Load())
	if len(wrong) > 0 || outcomes[lossy.Talked] == 0 {
		t.Fatalf("wrong after the last call: %v; failed: %v", wrong, failures)
	}
	eventually(t, "no call is left over", patience, func() bool { return len(o.calls()) == 0 && o.value("perch_dialogs") == 0 })

	office.Keep(t.Context(), phones/4)
	if _, wrong := office.Settle(t.Context(), 30*time.Second); len(wrong) > 0 {
		t.Errorf("wrong while calls are up: %v", wrong)
	}
	if err := office.HangUp(t.Context()); err != nil {
		t.Error(err)
	}
	if _, wrong := office.Settle(t.Context(), 30*time.Second); len(wrong) > 0 {
		t.Errorf("wrong after all have hung up: %v", wrong)
	}
	eventually(t, "no dialog is left over", patience, func() bool { return len(o.calls()) == 0 && o.value("perch_dialogs") == 0 })
	for _, f := range office.Faults() {
		t.Error(f)
	}
}
