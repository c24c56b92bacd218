package notify_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/internal/credential"
	"perch/internal/store"
	"perch/internal/store/storetest"
	"perch/sip"
	"perch/sip/auth"
	"perch/sip/digest"
	"perch/sip/flow"
	"perch/sip/handler"
	"perch/sip/notify"
	"perch/sip/presence"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// office is a running server with two tenants, on loopback ports of its own.
type office struct {
	t      testing.TB
	store  *store.Store
	key    *credential.Key
	sender *flow.Sender
	opts   notify.Options
	lamps  *presence.Lamps
	at     map[string]string // transport -> address

	mu       sync.Mutex
	notifier *notify.Notifier // the one that serves now
	ahead    time.Duration    // by how much its clock is ahead
}

var (
	desk1  = directory.DeviceID{Tenant: "acme", MAC: directory.MAC{0, 0x15, 0x65, 0xaa, 0xbb, 1}}
	desk2  = directory.DeviceID{Tenant: "acme", MAC: directory.MAC{0, 0x15, 0x65, 0xaa, 0xbb, 2}}
	abroad = directory.DeviceID{Tenant: "globex", MAC: directory.MAC{0, 0x15, 0x65, 0xaa, 0xbb, 9}}
)

// tenants gives the store the one method that it lacks.
type tenants struct{ *store.Store }

func (s tenants) OnlyTenant(ctx context.Context) (directory.Tenant, error) {
	all, err := s.Tenants(ctx)
	if err != nil || len(all) != 1 {
		return directory.Tenant{}, fmt.Errorf("only tenant: %w %v", hotdesk.ErrNotFound, err)
	}
	return all[0], nil
}

// open starts the office; change may put something else between its parts.
func open(t testing.TB, change ...func(*notify.Options)) *office {
	t.Helper()
	o := &office{t: t, store: storetest.Memory(t), sender: flow.NewSender("test"), lamps: &presence.Lamps{}, at: map[string]string{}}
	var err error
	o.key, err = credential.FromBytes([]byte("0123456789abcdef0123456789abcdef"))
	o.must(err)
	o.fill()
	a := auth.New(auth.Options{
		Tenants: tenants{o.store}, Directory: o.store, Secrets: o.key, Reloads: o.store,
		Nonces: digest.NewNonces(o.key.SubKey("nonce"), "test", "boot", time.Hour, time.Now), Window: digest.NewWindow(0),
		Log: quiet, Now: time.Now,
	})
	o.opts = notify.Options{
		Node: "test", Flows: o.sender, Store: o.store, Watchers: o.store, Tenants: o.store, Directory: o.store,
		Secrets: o.key, Lamps: o.lamps, Auth: a, Log: quiet, Now: o.now,
	}
	for _, f := range change {
		f(&o.opts)
	}
	o.restart()
	o.listen()
	return o
}

func (o *office) listen() {
	o.t.Helper()
	server, err := sip.New(sip.Options{
		Listen: []string{"udp://127.0.0.1:0", "tcp://127.0.0.1:0"}, Node: "test", Sender: o.sender, Log: quiet,
		Handlers: sip.Handlers{Subscribe: func(ctx context.Context, r *handler.Request) error { return o.now1().Subscribe(ctx, r) }},
		Trusted:  []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	})
	o.must(err)
	o.must(server.Listen())
	for _, a := range server.Bound() {
		o.at[a.Transport] = a.Addr.String()
	}
	o.run(server.Run)
	<-server.Started()
}

// run runs f until the test ends.
func (o *office) run(f func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	o.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			o.t.Error(err)
		}
	})
}

// restart puts a new Notifier over the same store.
func (o *office) restart() {
	o.t.Helper()
	if o.notifier != nil {
		o.must(o.notifier.Close())
	}
	n, err := notify.New(o.opts)
	o.must(err)
	o.mu.Lock()
	o.notifier = n
	o.mu.Unlock()
	o.t.Cleanup(func() { o.must(n.Close()) })
	o.run(n.Run)
}

func (o *office) now1() *notify.Notifier {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.notifier
}

func (o *office) now() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return time.Now().Add(o.ahead)
}

func (o *office) later(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ahead += d
}

func (o *office) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) fill() {
	o.t.Helper()
	ada := directory.ExtensionID{Tenant: "acme", Number: "1001"}
	sealed, err := o.key.Seal(ada.SecretContext("sip_password"), "s3cret")
	o.must(err)
	o.must(o.store.WriteDirectory(o.t.Context(), store.Changes{
		Tenants: []directory.Tenant{
			{Code: "acme", Domains: []string{"acme.test"}, Realm: "acme.test", Digest: []string{"md5"}},
			{Code: "globex", Domains: []string{"globex.test"}, Realm: "globex.test", Digest: []string{"md5"}},
		},
		Extensions: []directory.Extension{
			{ID: ada, SIPPassword: directory.Kept{Value: sealed}},
			{ID: directory.ExtensionID{Tenant: "acme", Number: "1002"}},
			{ID: directory.ExtensionID{Tenant: "globex", Number: "2001"}},
		},
		Devices: []directory.Device{{ID: desk1, Brand: "yealink"}, {ID: desk2}, {ID: abroad}},
	}, nil))
}

// login binds a number to a device and gives the session and its password.
func (o *office) login(number string, at directory.DeviceID) (directory.SessionID, directory.Secret) {
	o.t.Helper()
	session := credential.NewSessionID()
	_, err := o.store.Bind(o.t.Context(), hotdesk.BindRequest{
		ID: string(session), Now: time.Now(), Device: at,
		Rules:   hotdesk.Rules{MaxLogins: 1, OnConflict: directory.Move, OnOccupied: directory.Replace},
		Binding: hotdesk.Binding{Session: session, Number: number, Line: 1, Door: hotdesk.CLI, Since: time.Now().UnixMilli(), Trace: "t" + string(session[:8])},
	})
	o.must(err)
	return session, o.key.SIPPassword(at.Tenant, directory.AOR{User: number, Domain: string(at.Tenant) + ".test"}, at.MAC, session)
}

func (o *office) account(d directory.DeviceID) directory.Secret {
	return o.key.DevicePassword(d.Tenant, directory.AOR{User: d.MAC.String(), Domain: string(d.Tenant) + ".test"}, d.MAC, 0)
}

// of lists what the store has of a watcher.
func (o *office) of(watcher string) []presence.Subscription {
	o.t.Helper()
	list, err := o.store.SubscriptionsOf(o.t.Context(), "acme", watcher)
	o.must(err)
	return list
}

// eventually waits until ok is true.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(5 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("never happened: %s", what)
		}
	}
}

// document is what a phone reads in a NOTIFY.
type document struct {
	XMLName xml.Name `xml:"urn:ietf:params:xml:ns:dialog-info dialog-info"`
	Version string   `xml:"version,attr"`
	State   string   `xml:"state,attr"`
	Entity  string   `xml:"entity,attr"`
	Dialogs []struct {
		ID    string `xml:"id,attr"`
		State string `xml:"state"`
	} `xml:"dialog"`
}

func documentOf(t testing.TB, m message) document {
	t.Helper()
	var d document
	if err := xml.Unmarshal([]byte(m.body), &d); err != nil {
		t.Fatalf("body: %v\n%s", err, m.text)
	}
	if got := m.get("content-type"); got != "application/dialog-info+xml" {
		t.Errorf("Content-Type %q", got)
	}
	return d
}

// checkNotify checks what every NOTIFY of a subscription has.
func checkNotify(t testing.TB, m message, version, entity, state string) {
	t.Helper()
	d := documentOf(t, m)
	if d.Version != version || d.Entity != entity || d.State != "full" || len(d.Dialogs) != 1 || d.Dialogs[0].State != "terminated" {
		t.Errorf("document %+v, want version %s of %s\n%s", d, version, entity, m.text)
	}
	if got := m.get("event"); got != "dialog" {
		t.Errorf("Event %q", got)
	}
	if got := m.get("subscription-state"); !strings.HasPrefix(got, state) {
		t.Errorf("Subscription-State %q, want %s", got, state)
	}
	if got := m.get("contact"); !strings.HasPrefix(got, "<sip:perch@127.0.0.1:") {
		t.Errorf("Contact %q", got)
	}
}

func encode(t testing.TB, v any) json.RawMessage {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
