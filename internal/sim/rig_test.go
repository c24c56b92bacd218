package sim

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"perch/hotdesk/directory"

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
