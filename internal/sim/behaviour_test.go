package sim

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
)

func TestFaults(t *testing.T) {
	cases := []struct {
		name   string
		faults Faults
		status int
		boots  int
		fetch  bool
	}{
		{"never fetch", Faults{NeverFetch: true}, 200, 1, false},
		{"refuse the NOTIFY", Faults{NotifyStatus: 500}, 500, 1, false},
		{"fetch late", Faults{FetchLate: time.Millisecond}, 200, 2, true},
		{"reboot twice", Faults{RebootTwice: true}, 200, 3, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := ready(t, func(_ *server, o *Options) { o.Faults = c.faults })
			r.checkSync("1001", "check-sync;reboot=true", "s", 1)
			if res := r.answer("s"); res.StatusCode != c.status {
				t.Errorf("NOTIFY got %d", res.StatusCode)
			}
			r.await("boots", func(st State) bool { return st.Boots == c.boots && st.Phase == PhaseRunning })
			if c.fetch == (r.phone.State().Fetches == 4) {
				t.Errorf("fetches: %d", r.phone.State().Fetches)
			}
		})
	}
}

func TestFetchedProvisioningReplacesTheBootstrap(t *testing.T) {
	s := newServer(t)
	mac := testMAC.String()
	s.passwords[mac] = "pw"
	first := yealinkFile(s, "1001", mac, "pw", "Ada")
	s.files[mac+".boot"] = yealinkHeader + "\ninclude:config \"" + mac + ".cfg\"\noverwrite_mode = 0\n"
	s.files[mac+".cfg"] = first + "static.auto_provision.server.url = " + s.http.URL + "/t/tok3n/\n" +
		"static.auto_provision.server.username = other\nstatic.auto_provision.server.password = word\n"
	r := power(t, s, options(s, Yealink))
	r.await("ready", func(st State) bool { return st.Ready("1001") })
	s.set(func() { s.httpUser, s.httpPass, s.gets = "other", "word", nil })
	r.checkSync("1001", "check-sync;reboot=true", "s", 1)
	r.await("second boot", func(st State) bool { return st.Boots == 2 && st.Ready("1001") })
	s.set(func() {
		if got := strings.Join(s.gets, ","); got != "200 "+mac+".boot,200 "+mac+".cfg" {
			t.Errorf("files %s", got)
		}
	})
	r.polite()
}

func TestWrongSecretFindsNothing(t *testing.T) {
	s := newServer(t)
	s.files[testMAC.String()+".cfg"] = yealinkFile(s, "1001", "a", "pw", "Ada")
	o := options(s, Yealink)
	o.Secret = "wrong"
	r := power(t, s, o)
	r.await("files refused", func(st State) bool { return len(st.Files) == 4 && st.Files[3].Status == 401 })
	if st := r.phone.State(); st.Boots != 0 || st.Account != "" {
		t.Errorf("state %+v", st)
	}
	s.set(func() { s.httpPass = "wrong" }) // the admin mends it: the phone comes back by itself
	s.set(func() { s.passwords["a"] = "pw" })
	r.await("ready", func(st State) bool { return st.Ready("1001") })
}

func TestUnregisterFirst(t *testing.T) {
	r := ready(t, func(_ *server, o *Options) { o.UnregisterFirst = true })
	r.set(func() {
		mac := testMAC.String()
		r.files[mac+".cfg"] = yealinkFile(r.server, "1005", mac, "pw", "Eve")
	})
	r.checkSync("1001", "check-sync", "s", 1)
	r.await("1005", func(st State) bool { return st.Ready("1005") })
	if got := r.feed.of(Unregistered); len(got) != 1 || got[0] != "sip:1001@acme.test" {
		t.Errorf("unregistered %v", got)
	}
	r.set(func() {
		if _, ok := r.contacts["1001"]; ok {
			t.Error("the old contact is left")
		}
	})
}

func TestOnlyChangedKeysAreSubscribedAgain(t *testing.T) {
	r := ready(t, nil)
	before := r.phone.State()
	r.set(func() {
		mac := testMAC.String()
		r.files[mac+".cfg"] = yealinkFile(r.server, "1001", mac, "pw", "Ada", "1002", "1009")
	})
	r.checkSync("1001", "check-sync", "s", 1)
	r.await("the new key", func(st State) bool {
		l, ok := st.Lamp("1009")
		return ok && l.Lit && st.AllLit()
	})
	st := r.phone.State()
	if l, ok := st.Lamp("1002"); !ok || l.Notifies != 1 {
		t.Errorf("the key that stayed: %+v", l)
	}
	if _, ok := st.Lamp("1003"); ok || st.Registers != before.Registers {
		t.Errorf("state %+v", st)
	}
	r.polite()
}

func TestSubscriptionLife(t *testing.T) {
	t.Run("ended by the server", func(t *testing.T) {
		r := ready(t, nil)
		r.set(func() {
			for id, w := range r.subs {
				r.notify(w, "terminated;reason=deactivated", "")
				delete(r.subs, id)
			}
		})
		r.await("subscribed anew", func(st State) bool { return st.AllLit() && st.Lamps[0].Notifies == 3 })
	})
	t.Run("refused, then not", func(t *testing.T) {
		s := newServer(t)
		mac := testMAC.String()
		s.passwords[mac] = "pw"
		s.files[mac+".cfg"] = yealinkFile(s, "1001", mac, "pw", "Ada", "1002")
		s.refuseSub = 503
		r := power(t, s, options(s, Yealink))
		r.awaitEvent(Dark)
		s.set(func() { s.refuseSub = 0 })
		r.await("lit", func(st State) bool { return st.Ready("1001") })
	})
	t.Run("refused for good", func(t *testing.T) {
		s := newServer(t)
		mac := testMAC.String()
		s.passwords[mac] = "pw"
		s.files[mac+".cfg"] = yealinkFile(s, "1001", mac, "pw", "Ada", "1002")
		s.refuseSub = 489
		r := power(t, s, options(s, Yealink))
		r.awaitEvent(Dark)
		if st := r.phone.State(); st.Lamps[0].Subscribed || st.Ready("1001") {
			t.Errorf("state %+v", st)
		}
	})
}

func TestFindsFaultWithNotifies(t *testing.T) {
	cases := []struct{ name, state, body, says string }{
		{"no state header", "", "", "without Subscription-State"},
		{"same version", "active", `<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="0" state="full" entity="sip:1002@acme.test"/>`, "does not rise"},
		{"no document", "active", "<idle/>", "dialog-info"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := ready(t, nil)
			r.set(func() {
				for _, w := range r.subs {
					r.notify(w, c.state, c.body)
					break
				}
			})
			r.awaitEvent(Misbehaved)
			if got := r.feed.of(Misbehaved); !strings.Contains(got[0], c.says) {
				t.Errorf("said %q", got)
			}
		})
	}
}

func TestTheStaleNonceIsReplaced(t *testing.T) {
	s := newServer(t)
	mac := strings.ToUpper(testMAC.String())
	s.passwords["a"] = "pw"
	s.files[mac+".xml"] = snomFile(s, "1001", "a", "pw", "Ada", "1002", "1003", "1004")
	nonce := 0
	s.reply = func(req *sip.Request, from netip.AddrPort) bool {
		h := req.GetHeader("Authorization")
		if req.Method == sip.ACK || (h != nil && strings.Contains(h.Value(), fmt.Sprintf(`nonce="n%d"`, nonce))) {
			if req.Method == sip.REGISTER {
				nonce++ // the server starts again: all that follows is stale
				s.respond(req, from, 200, "Contact: "+req.Contact().Value()+";expires=60")
				return true
			}
			if req.Method == sip.SUBSCRIBE {
				s.respond(req, from, 200, "Expires: 60", fmt.Sprintf("Contact: <sip:perch@%s>", s.addr))
				w := &watch{req: req, tag: "server", from: from}
				s.subs[req.CallID().Value()] = w
				s.notify(w, "active", dialogDoc(w, "early"))
			}
			return true
		}
		stale := ""
		if h != nil {
			stale = ", stale=true"
		}
		s.respond(req, from, 401, fmt.Sprintf(`WWW-Authenticate: Digest realm="r", nonce="n%d", qop="auth"%s`, nonce, stale))
		return true
	}
	r := power(t, s, options(s, Snom))
	r.await("lit", func(st State) bool { return st.Ready("1001") && len(st.Lamps) == 3 })
}
