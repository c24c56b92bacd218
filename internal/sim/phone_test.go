package sim

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestYealinkBecomesThePerson(t *testing.T) {
	s := newServer(t)
	mac := testMAC.String()
	s.passwords[mac] = "idle-pw"
	s.files[mac+".cfg"] = yealinkFile(s, mac, mac, "idle-pw", "Desk 1")
	r := power(t, s, options(s, Yealink))
	r.await("idle", func(st State) bool { return st.Registered && st.AOR == "sip:"+mac+"@acme.test" })

	want := []string{"404 " + mac + ".boot", "404 y000000000000.boot", "404 y0000000000108.cfg", "200 " + mac + ".cfg"}
	s.set(func() {
		if d := cmp.Diff(want, s.gets); d != "" {
			t.Errorf("files (-want +got):\n%s", d)
		}
		if !s.agents["Yealink SIP-T46U 108.86.0.20 00:15:65:aa:bb:01"] {
			t.Errorf("user agents %v", s.agents)
		}
		// The person logs in: another file, and later another password.
		s.files[mac+".cfg"] = yealinkFile(s, "1001", mac, "session-pw", "Ada Lovelace", "1002", "1003", "1004")
		s.passwords[mac] = "session-pw"
	})
	s.checkSync(mac, "check-sync;reboot=false", "sync-1", 1)
	if res := s.answer("sync-1"); res.StatusCode != 200 {
		t.Fatalf("NOTIFY got %d", res.StatusCode)
	}
	r.await("ready", func(st State) bool { return st.Ready("1001") && len(st.Lamps) == 3 })
	st := r.phone.State()
	if st.DisplayName != "Ada Lovelace" || st.Boots != 1 {
		t.Errorf("state %+v", st)
	}
	if l, ok := st.Lamp("1004"); !ok || l.State != "idle" || l.Label != "L1004" {
		t.Errorf("lamp of the sidecar %+v %v", l, ok)
	}
	r.polite()
}

func TestSnomBecomesThePerson(t *testing.T) {
	s := newServer(t)
	s.algorithm = "SHA-256"
	s.basicOnly = true
	mac := testMAC.String()
	s.passwords[mac] = "pw"
	own := "snomD785-" + strings.ToUpper(mac) + ".htm"
	s.files[own] = snomFile(s, "1001", mac, "pw", "Ada", "1002", "1003")
	r := power(t, s, options(s, Snom))
	r.await("ready", func(st State) bool { return st.Ready("1001") && len(st.Lamps) == 2 })
	s.set(func() {
		if d := cmp.Diff([]string{"404 snomD785.htm", "200 " + own}, s.gets); d != "" {
			t.Errorf("files (-want +got):\n%s", d)
		}
		for _, w := range s.subs {
			s.notify(w, "active;expires=3000", dialogDoc(w, "confirmed"))
		}
	})
	r.await("busy", func(st State) bool {
		return !slices.ContainsFunc(st.Lamps, func(l Lamp) bool { return l.State != "confirmed" })
	})
	r.polite()
}

func TestSnomFindsTheNewerFileName(t *testing.T) {
	s := newServer(t)
	mac := strings.ToUpper(testMAC.String())
	s.passwords["a"] = "pw"
	s.files[mac+".xml"] = snomFile(s, "1001", "a", "pw", "Ada")
	r := power(t, s, options(s, Snom))
	r.await("ready", func(st State) bool { return st.Ready("1001") })
}

func TestUnchangedFilesChangeNothing(t *testing.T) {
	r := ready(t, nil)
	before := r.phone.State()
	r.checkSync("1001", "check-sync;reboot=false", "s", 1)
	r.await("second fetch", func(st State) bool { return st.Phase == PhaseRunning && st.Fetches > before.Fetches+3 })
	if got := r.feed.of(Unchanged); len(got) != 1 || got[0] != before.Config {
		t.Errorf("unchanged: %v", got)
	}
	if after := r.phone.State(); after.Registers != before.Registers {
		t.Errorf("registered again: %d", after.Registers)
	}
}

func TestRebootRules(t *testing.T) {
	cases := []struct {
		rule, event string
		boots       int
	}{
		{"0", "check-sync;reboot=true", 2},
		{"0", "check-sync", 1},
		{"1", "check-sync;reboot=false", 2},
		{"2", "check-sync;reboot=true", 1},
		{"", "check-sync;reboot=false", 2}, // the factory value is 1
	}
	for _, c := range cases {
		t.Run(c.rule+" "+c.event, func(t *testing.T) {
			t.Parallel()
			name := testMAC.String() + ".cfg"
			r := ready(t, func(s *server, _ *Options) {
				s.files[name] = strings.Replace(s.files[name], "sip.notify_reboot_enable = 0", "sip.notify_reboot_enable = "+c.rule, 1)
				if c.rule == "" {
					s.files[name] = strings.Replace(s.files[name], "sip.notify_reboot_enable", "# nothing", 1)
				}
			})
			before := r.phone.State()
			r.checkSync("1001", c.event, "s", 1)
			r.await("fetched again", func(st State) bool {
				return st.Phase == PhaseRunning && st.Fetches >= before.Fetches+4 && st.Ready("1001")
			})
			if st := r.phone.State(); st.Boots != c.boots {
				t.Errorf("%d boots", st.Boots)
			}
		})
	}
}

func TestPowerCutEndsEverything(t *testing.T) {
	for range 3 {
		r := ready(t, nil)
		r.off()
		if st := r.phone.State(); st.Phase != PhaseOff || st.Registered {
			t.Errorf("state %+v", st)
		}
		if err := r.phone.Run(t.Context()); err == nil {
			t.Error("a phone ran twice")
		}
		if _, err := r.phone.Dial(t.Context(), "1", CallOptions{}); err == nil {
			t.Error("a phone without power dials")
		}
	}
}
