package notify_test

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"

	"perch/sip/dialog"
	"perch/sip/notify"
)

func stored(t *testing.T, d *desk) (version, cseq uint32, shown string) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.subs["s1"]
	var dlg dialog.Dialog
	if err := json.Unmarshal(s.Dialog, &dlg); err != nil {
		t.Fatal(err)
	}
	return s.Version, dlg.LocalCSeq, s.Shown
}

// A lamp that changes often is written seldom. While it does, the store has
// numbers ahead of those used, so that a crash uses none twice; once it is still,
// the store has those that were used.
func TestBusyLampIsWrittenSeldom(t *testing.T) {
	ok := func(int) (*sip.Response, error) { return response(200), nil }
	serve(t, ok, func(t *testing.T, d *desk, n *notify.Notifier) {
		for range 50 {
			n.Changed("acme", "1002")
			synctest.Wait()
		}
		d.mu.Lock()
		saves := d.saves
		d.mu.Unlock()
		if len(d.sent) != 50 || saves != 1 {
			t.Errorf("%d NOTIFYs, %d writes", len(d.sent), saves)
		}
		if version, cseq, shown := stored(t, d); version < 50 || cseq < 50 || shown != "?" {
			t.Errorf("stored while it changes: %d %d %q", version, cseq, shown)
		}
		settle(5 * time.Second)
		if version, cseq, shown := stored(t, d); version != 49 || cseq != 50 || shown == "?" || shown == "" {
			t.Errorf("stored when it is still: %d %d %q", version, cseq, shown)
		}
		for range 100 { // more than are counted ahead
			n.Changed("acme", "1002")
			synctest.Wait()
		}
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
		if version, cseq, _ := stored(t, d); version != 149 || cseq != 150 {
			t.Errorf("stored at the end: %d %d", version, cseq)
		}
	})
}

// A subscription that was ended elsewhere gets no NOTIFY once that is known.
func TestRecall(t *testing.T) {
	ok := func(int) (*sip.Response, error) { return response(200), nil }
	serve(t, ok, func(t *testing.T, d *desk, n *notify.Notifier) {
		n.Changed("acme", "1002")
		synctest.Wait()
		d.mu.Lock()
		delete(d.subs, "s1")
		d.mu.Unlock()
		n.Recall("acme", "", "1001")                 // somebody without a device
		n.Recall("globex", desk1.MAC.String(), "")   // another tenant's
		n.Recall("acme", desk1.MAC.String(), "1001") // the watcher
		n.Changed("acme", "1002")
		settle(time.Minute)
		if len(d.sent) != 1 || len(d.subs) != 0 {
			t.Errorf("%d NOTIFYs, %d subscriptions", len(d.sent), len(d.subs))
		}
	})
}
