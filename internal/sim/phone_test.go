package sim

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"perch/hotdesk/directory"

	"github.com/emiago/sipgo/sip"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testMAC is the first phone's address in every test.
var testMAC = directory.MAC{0x00, 0x15, 0x65, 0xaa, 0xbb, 0x01}

// yealinkFile is a configuration as a Yealink phone would be given one.
func yealinkFile(s *server, user, auth, password, name string, keys ...string) string {
	f := yealinkHeader + fmt.Sprintf(`
## account
account.1.enable = 1
account.1.label = %s
account.1.display_name = %s
account.1.user_name = %s
account.1.auth_name = %s
account.1.password = %s
account.1.sip_server.1.address = acme.test
account.1.sip_server.1.expires = 3600
account.1.outbound_proxy_enable = 1
account.1.outbound_proxy.1.address = 127.0.0.1
account.1.outbound_proxy.1.port = %d
sip.notify_reboot_enable = 0
features.key_as_send = 0
`, user, name, user, auth, password, s.addr.Port())
	for i, k := range keys {
		pre := fmt.Sprintf("linekey.%d", i+2)
		if i >= 2 {
			pre = fmt.Sprintf("expansion_module.1.key.%d", i-1)
		}
		f += fmt.Sprintf("%s.type = 16\n%s.value = %s\n%s.label = %s\n%s.line = 1\n", pre, pre, k, pre, "L"+k, pre)
	}
	return f
}

func snomFile(s *server, user, auth, password, name string, keys ...string) string {
	f := fmt.Sprintf(`<?xml version="1.0" encoding="utf-8"?>
<settings><phone-settings>
<user_active idx="1" perm="RW">on</user_active>
<user_realname idx="1" perm="RW">%s</user_realname>
<user_name idx="1" perm="RW">%s</user_name>
<user_pname idx="1" perm="RW">%s</user_pname>
<user_pass idx="1" perm="RW">%s</user_pass>
<user_host idx="1" perm="RW">acme.test</user_host>
<user_outbound idx="1" perm="RW">127.0.0.1:%d;transport=udp</user_outbound>
<user_expiry idx="1" perm="RW">3600</user_expiry>
</phone-settings><functionKeys>`, name, user, auth, password, s.addr.Port())
	for i, k := range keys {
		f += fmt.Sprintf(`<fkey idx="%d" context="1" label="L%s" perm="RW">blf sip:%s@acme.test|*8</fkey>`, i, k, k)
	}
	return f + "</functionKeys></settings>"
}

// feed collects a phone's events.
type feed struct {
	mu  sync.Mutex
	all []Event
}

func (f *feed) hear(e Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = append(f.all, e)
}

func (f *feed) of(kind EventKind) (details []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.all {
		if e.Kind == kind {
			details = append(details, e.Detail)
		}
	}
	return details
}

func (f *feed) copy() []Event {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.all)
}

// rig is a server with a phone switched on.
type rig struct {
	*server
	phone *Phone
	feed  *feed
	stop  context.CancelFunc
	once  sync.Once
	done  chan error
}

func options(s *server, b Brand) Options {
	return Options{
		MAC: testMAC, Brand: b, BaseURL: s.http.URL + "/acme", Secret: "dev-s3cret",
		T1: 50 * time.Millisecond, Retry: 100 * time.Millisecond,
	}
}

func power(t testing.TB, s *server, o Options) *rig {
	t.Helper()
	r := &rig{server: s, feed: &feed{}, done: make(chan error, 1)}
	o.OnEvent = r.feed.hear
	var err error
	if r.phone, err = New(o); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	r.stop = stop
	go func() { r.done <- r.phone.Run(ctx) }()
	t.Cleanup(r.off)
	return r
}

func (r *rig) off() {
	r.once.Do(func() {
		r.stop()
		if err := <-r.done; err != nil {
			r.t.Error(err)
		}
	})
}

func (r *rig) await(what string, ok func(State) bool) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := r.phone.Await(ctx, ok); err != nil {
		r.t.Fatalf("%s: %v\nstate %+v\nevents %+v", what, err, r.phone.State(), r.feed.copy())
	}
}

func (r *rig) polite() {
	r.t.Helper()
	if bad := r.feed.of(Misbehaved); len(bad) > 0 {
		r.t.Errorf("the phone found fault: %q", bad)
	}
}

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

// ready starts a phone that is logged in as 1001 with two keys.
func ready(t *testing.T, change func(*server, *Options)) *rig {
	t.Helper()
	s := newServer(t)
	mac := testMAC.String()
	o := options(s, Yealink)
	s.passwords[mac] = "pw"
	s.files[mac+".cfg"] = yealinkFile(s, "1001", mac, "pw", "Ada", "1002", "1003")
	if change != nil {
		change(s, &o)
	}
	r := power(t, s, o)
	r.await("ready", func(st State) bool { return st.Ready("1001") && len(st.Lamps) == 2 })
	return r
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

func TestChallengedNotify(t *testing.T) {
	r := ready(t, func(_ *server, o *Options) { o.ChallengeNotify = "phone.example" })
	proof := func(res *sip.Response, password string) string {
		c, ok := pickChallenge(headerTexts(res, "WWW-Authenticate"))
		if !ok || c.realm != "phone.example" {
			t.Fatalf("no challenge in\n%s", res)
		}
		a := answer{challenge: c, user: testMAC.String(), password: directory.Secret(password), method: "NOTIFY", uri: r.contact("1001"), nc: 1, cnonce: "ab"}
		return "Authorization: " + a.header()
	}
	cases := []struct {
		name, password string
		cseq, status   int
	}{
		{"right", "pw", 2, 200},
		{"wrong password", "pv", 2, 401},
		{"same CSeq", "pw", 1, 401},
		{"CSeq too high", "pw", 3, 401},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			id := strings.ReplaceAll(c.name, " ", "-")
			r.checkSync("1001", "check-sync;reboot=false", id, 1)
			first := r.answer(id)
			if first.StatusCode != 401 {
				t.Fatalf("first answer %d", first.StatusCode)
			}
			r.checkSync("1001", "check-sync;reboot=false", id, c.cseq, proof(first, c.password))
			if res := r.answer(id); res.StatusCode != c.status {
				t.Errorf("got %d", res.StatusCode)
			}
		})
	}
	if st := r.phone.State(); st.Syncs != 1 {
		t.Errorf("%d check-syncs accepted", st.Syncs)
	}
}

func TestNotifyRefusals(t *testing.T) {
	r := ready(t, nil)
	cases := []struct {
		name, event string
		status      int
		to          string
	}{
		{"other package", "message-summary", 489, ""},
		{"another phone's user", "check-sync;reboot=false", 404, "9999"},
		{"unknown dialog", "dialog", 481, ""},
	}
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			id := fmt.Sprintf("n%d", i)
			uri, to := r.contact("1001"), "<sip:1001@acme.test>"
			if c.to != "" {
				uri = strings.Replace(uri, "1001", c.to, 1)
			}
			if c.status == 481 {
				to += ";tag=nobody"
			}
			r.set(func() {
				r.raw(r.sources["1001"], "NOTIFY", uri, "<sip:perch@acme.test>;tag=1", to, id, 1, "", "Event: "+c.event, "Subscription-State: terminated")
			})
			if res := r.answer(id); res.StatusCode != c.status {
				t.Errorf("got %d", res.StatusCode)
			}
		})
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

func TestDialPlaysWhatItHears(t *testing.T) {
	cases := []struct {
		name   string
		opt    CallOptions
		status int
		heard  int
	}{
		{"ordinary", CallOptions{}, 200, 9},
		{"offer in the answer", CallOptions{NoSDP: true}, 200, 9},
		{"unknown codecs", CallOptions{UnknownCodecs: true}, 488, 0},
	}
	r := ready(t, nil)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			res, err := r.phone.Dial(ctx, "*11*1001*4321", c.opt)
			if err != nil {
				t.Fatal(err)
			}
			if res.Status != c.status || len(res.Audio) != c.heard {
				t.Errorf("result %+v", res)
			}
			if c.status == 200 && (res.EndedBy != EndedByServer || res.Codec != "PCMU" || res.Packets != 3) {
				t.Errorf("result %+v", res)
			}
		})
	}
	if st := r.phone.State(); st.InCall || st.Calls != 3 {
		t.Errorf("state %+v", st)
	}
}

func TestHangingUpEarly(t *testing.T) {
	r := ready(t, nil)
	r.set(func() {
		var invite *sip.Request
		r.reply = func(req *sip.Request, from netip.AddrPort) bool {
			if req.Method == sip.INVITE && req.GetHeader("Authorization") != nil {
				r.invites++
				if r.invites == 1 { // a lost INVITE is sent again
					return true
				}
				r.respond(req, from, 180)
				invite = req
				return true
			}
			if req.Method == sip.CANCEL {
				r.cancels++
				r.respond(req, from, 200)
				r.respond(invite, from, 487)
				return true
			}
			return false
		}
	})
	res, err := r.phone.Dial(t.Context(), "1002", CallOptions{CancelAfter: 20 * time.Millisecond})
	if err != nil || res.Status != 487 || res.EndedBy != "" {
		t.Errorf("result %+v %v", res, err)
	}
}

func TestReloadWaitsForTheCall(t *testing.T) {
	r := ready(t, nil)
	r.set(func() {
		r.reply = func(req *sip.Request, from netip.AddrPort) bool {
			if req.Method == sip.INVITE && req.GetHeader("Authorization") != nil {
				r.respond(req, from, 200, fmt.Sprintf("Contact: <sip:perch@%s>", r.addr))
				return true
			}
			return false
		}
	})
	before := r.phone.State()
	ctx, hangUp := context.WithCancel(t.Context())
	ended := make(chan CallResult, 1)
	go func() {
		res, _ := r.phone.Dial(ctx, "1002", CallOptions{})
		ended <- res
	}()
	r.await("call", func(st State) bool { return st.InCall })
	r.checkSync("1001", "check-sync;reboot=false", "s", 1)
	r.answer("s")
	if st := r.phone.State(); st.Fetches != before.Fetches || !st.InCall {
		t.Errorf("fetched during a call: %+v", st)
	}
	hangUp()
	if res := <-ended; res.EndedBy != EndedByPhone || res.Status != 200 {
		t.Errorf("call %+v", res)
	}
	<-r.byes
	r.await("reload", func(st State) bool { return st.Fetches > before.Fetches })
}

func TestRegistrationLife(t *testing.T) {
	t.Run("refresh", func(t *testing.T) {
		r := ready(t, func(s *server, _ *Options) { s.expires = 1 })
		r.await("two refreshes", func(st State) bool { return st.Registers >= 3 })
		r.set(func() {
			id, _, _ := strings.Cut(r.registers[0], " ")
			for i, reg := range r.registers {
				var got string
				var cseq, exp int
				fmt.Sscan(reg, &got, &cseq, &exp)
				if got != id || cseq < i+2 {
					t.Errorf("REGISTER %d: %s after %s", i, reg, r.registers[0])
				}
			}
		})
	})
	t.Run("lost datagrams", func(t *testing.T) {
		ready(t, func(s *server, _ *Options) { s.drop = 3 })
	})
	cases := []struct {
		status int
		again  bool
	}{{503, true}, {423, true}, {401, true}, {403, false}}
	for _, c := range cases {
		t.Run(fmt.Sprint(c.status), func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			mac := testMAC.String()
			s.passwords[mac] = "pw"
			s.files[mac+".cfg"] = yealinkFile(s, "1001", mac, "pw", "Ada")
			s.registerStatus = c.status
			r := power(t, s, options(s, Yealink))
			if c.status != 423 {
				r.awaitEvent(Refused)
			}
			s.set(func() { s.registerStatus = 0 })
			if c.again {
				r.await("registered", func(st State) bool { return st.Registered })
				return
			}
			s.set(func() {
				s.files[mac+".cfg"] += "# touched, another account\naccount.1.password = pw2\n"
				s.passwords[mac] = "pw2"
			})
			if st := r.phone.State(); st.Registered {
				t.Error("a phone that got 403 goes on")
			}
		})
	}
}

// awaitEvent waits for the first event of a kind.
func (r *rig) awaitEvent(k EventKind) {
	r.t.Helper()
	deadline := time.NewTimer(10 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for len(r.feed.of(k)) == 0 {
		select {
		case <-tick.C:
		case <-deadline.C:
			r.t.Fatalf("no %s", k)
		}
	}
}

func TestShutdownSaysGoodbye(t *testing.T) {
	r := ready(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := r.phone.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	r.set(func() {
		if len(r.contacts) != 0 {
			t.Errorf("contacts left: %v", r.contacts)
		}
		for id, w := range r.subs {
			if !w.ended {
				t.Errorf("subscription %s left", id)
			}
		}
	})
}

func TestTCPPhone(t *testing.T) {
	s := newServer(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	mac := testMAC.String()
	cfg := yealinkFile(s, "1001", mac, "pw", "Ada") + "account.1.sip_server.1.transport_type = 1\n" +
		fmt.Sprintf("account.1.outbound_proxy.1.port = %d\n", l.Addr().(*net.TCPAddr).Port)
	s.set(func() { s.files[mac+".cfg"] = cfg })
	contacts, served := make(chan string, 4), make(chan struct{})
	s.wg.Go(func() {
		defer close(served)
		for range 2 { // the second connection follows the loss of the first
			c, err := l.Accept()
			if err != nil {
				return
			}
			buf := make([]byte, 65536)
			n, _ := c.Read(buf)
			msg, err := sip.ParseMessage(buf[:n])
			if err != nil {
				t.Error(err)
				return
			}
			req := msg.(*sip.Request)
			contacts <- req.Contact().Value()
			res := sip.NewResponseFromRequest(req, 200, "OK", nil)
			res.AppendHeader(sip.NewHeader("Contact", req.Contact().Value()+";expires=3600"))
			fmt.Fprint(c, res.String())
			fmt.Fprintf(c, "OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKo;rport\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:1001@b>\r\nCall-ID: o\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n")
			n, _ = c.Read(buf)
			if !strings.HasPrefix(string(buf[:n]), "SIP/2.0 200 ") || !strings.Contains(string(buf[:n]), ";rport=") {
				t.Errorf("OPTIONS got %s", buf[:n])
			}
			c.Close()
		}
	})
	r := power(t, s, options(s, Yealink))
	first := <-contacts
	if !strings.Contains(first, ";transport=tcp") {
		t.Errorf("contact %s", first)
	}
	<-contacts
	<-served
	r.off()
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
