package feature_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/sip"
	"perch/sip/feature"
	"perch/sip/flow"
	"perch/sip/handler"
	"perch/sip/media"
)

// TestMain looks for goroutines of ours that nobody waits for. The one it does
// not mind is the stack's: a request that arrives while the listener closes
// makes it open a socket of its own to answer from.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/emiago/sipgo/sip.(*TransportUDP).readUDPConnection"))
}

// dialled is what must not be logged; a port of five digits may hold the four
// of a PIN.
var dialled = regexp.MustCompile(`\b(4321|9999)\b|\*11\*`)

// office is a server with the feature codes and nothing else behind it: what
// they do is written into a journal.
type office struct {
	t       *testing.T
	log     *safeBuffer
	service *feature.Service
	at      netip.AddrPort
	tcp     netip.AddrPort

	mu      sync.Mutex
	journal []string
	changed chan struct{}
	login   hotdesk.LoginRequest

	// What the office says; set before the first call.
	parts    feature.Parts
	identity handler.Identity
	refusal  error       // of Login and Logout
	sits     bool        // of WhoSits
	who      hotdesk.Who // of WhoSits
	// refuseOnce is of the first Login that is not confirmed.
	refuseOnce error
	starting   error         // of StartDialog
	gate       chan struct{} // StartDialog waits for it when not nil
	loginAt    chan struct{} // Login waits for it when not nil
	noAuth     bool
	auth       handler.Authenticator // nil: the office lets everybody in
}

var (
	desk   = directory.DeviceID{Tenant: "acme", MAC: directory.MAC{0x00, 0x15, 0x65, 0xaa, 0xbb, 0x01}}
	tenant = directory.Tenant{
		Code: "acme", Domains: []string{"acme.test"}, Realm: "acme.test", FeatureCodes: directory.DefaultFeatureCodes(),
	}
)

func newOffice(t *testing.T, change func(*office)) *office {
	t.Helper()
	ports, err := media.NewPorts(30000, 39998)
	if err != nil {
		t.Fatal(err)
	}
	o := &office{
		t: t, log: &safeBuffer{}, changed: make(chan struct{}, 1000),
		identity: handler.Identity{Kind: handler.Device, Tenant: tenant, Device: directory.Device{ID: desk}, Line: 1},
	}
	sender := flow.NewSender("n1")
	log := slog.New(slog.NewTextHandler(o.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var n atomic.Int64
	o.parts = feature.Parts{
		Desk: o, Reloads: o, Dialogs: o, Sender: sender, Ports: ports, Log: log,
		TraceID: func() string { return fmt.Sprintf("trace-%d", n.Add(1)) },
	}
	if change != nil {
		change(o)
	}
	o.service = feature.New(o.parts)
	o.serve(sender, log)
	return o
}

func (o *office) serve(sender *flow.Sender, log *slog.Logger) {
	o.t.Helper()
	var who handler.Authenticator = o
	if o.auth != nil {
		who = o.auth
	}
	server, err := sip.New(sip.Options{
		Listen: []string{"udp://127.0.0.1:0", "tcp://127.0.0.1:0"}, Node: "n1", Sender: sender, Log: log,
		Handlers: sip.Handlers{
			Invite: handler.Authenticated(who, o.service.Trusts, o.service.Invite),
			Bye:    handler.Authenticated(who, o.service.Trusts, o.service.Bye),
			Ack:    o.service.Ack,
			Info:   handler.Authenticated(who, o.service.Trusts, o.service.Info),
		},
	})
	if err != nil {
		o.t.Fatal(err)
	}
	if err := server.Listen(); err != nil {
		o.t.Fatal(err)
	}
	for _, b := range server.Bound() {
		if b.Transport == "udp" {
			o.at = b.Addr
		} else {
			o.tcp = b.Addr
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Run(ctx) }()
	o.t.Cleanup(func() {
		closing, stop := context.WithTimeout(context.Background(), time.Millisecond)
		defer stop()
		_ = o.service.Close(closing)
		cancel()
		if err := <-done; err != nil {
			o.t.Error(err)
		}
		if secret := dialled.FindString(o.log.String()); secret != "" {
			o.t.Errorf("%q was logged:\n%s", secret, o.log.String())
		}
	})
	select {
	case <-server.Started():
	case <-time.After(patience):
		o.t.Fatal("the server does not start")
	}
}

// Authenticate lets everybody in as the office's identity.
func (o *office) Authenticate(context.Context, *handler.Request) (handler.Identity, error) {
	if o.noAuth {
		return handler.Identity{}, handler.Refuse(401, "challenged")
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.identity, nil
}

// become makes the next sender another device.
func (o *office) become(mac directory.MAC) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.identity.Device.ID.MAC = mac
}

func (o *office) Challenge(context.Context, *handler.Request) error {
	return handler.Refuse(401, "challenged")
}

func (o *office) write(what string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.journal = append(o.journal, what)
	o.changed <- struct{}{}
}

func (o *office) entries() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.journal)
}

// await waits until the journal holds an entry, and gives it all.
func (o *office) await(what string) []string {
	o.t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		if all := o.entries(); slices.Contains(all, what) {
			return all
		}
		select {
		case <-o.changed:
		case <-limit.C:
			o.t.Fatalf("no %q in %q", what, o.entries())
		}
	}
}

func (o *office) Login(ctx context.Context, r hotdesk.LoginRequest) (hotdesk.Outcome, error) {
	o.write("login")
	if o.loginAt != nil {
		select {
		case <-o.loginAt:
		case <-ctx.Done():
			return hotdesk.Outcome{}, ctx.Err()
		}
	}
	o.mu.Lock()
	o.login = r
	o.mu.Unlock()
	o.write("logged in")
	if o.refuseOnce != nil && !r.Confirmed {
		return hotdesk.Outcome{}, o.refuseOnce
	}
	return hotdesk.Outcome{}, o.refusal
}

func (o *office) Logout(_ context.Context, r hotdesk.LogoutRequest) (hotdesk.Outcome, error) {
	o.write(fmt.Sprintf("logout %s line %d door %s", r.Device.MAC, r.Line, r.Door))
	return hotdesk.Outcome{}, o.refusal
}

func (o *office) WhoSits(_ context.Context, seat directory.Seat) (hotdesk.Who, bool, error) {
	o.write(fmt.Sprintf("who sits at line %d", seat.Line))
	return o.who, o.sits, o.refusal
}

func (o *office) Reload(_ context.Context, d directory.DeviceID, line int, door hotdesk.Door) error {
	o.write(fmt.Sprintf("reload %s line %d door %s", d.MAC, line, door))
	return o.refusal
}

func (o *office) StartDialog(ctx context.Context, d directory.DeviceID, _ string, until, now time.Time) error {
	if d != desk || until.Sub(now) != 5*time.Minute {
		o.t.Errorf("StartDialog of %v for %v", d, until.Sub(now))
	}
	o.write("start")
	if o.gate != nil {
		select {
		case <-o.gate:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return o.starting
}

func (o *office) EndDialog(_ context.Context, d directory.DeviceID, _ string, _ time.Time, settle time.Duration) error {
	if d != desk || settle != 300*time.Millisecond {
		o.t.Errorf("EndDialog of %v after %v", d, settle)
	}
	o.write("end")
	return nil
}

// safeBuffer is a log that several goroutines write.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

var errDefect = errors.New("defect with 1001 and 4321 in its text")
