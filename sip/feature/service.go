package feature

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/metrics"
	"perch/sip/dialog"
	"perch/sip/handler"
	"perch/sip/location"
	"perch/sip/media"
)

// Desk decides who sits where.
type Desk interface {
	Login(ctx context.Context, r hotdesk.LoginRequest) (hotdesk.Outcome, error)
	Logout(ctx context.Context, r hotdesk.LogoutRequest) (hotdesk.Outcome, error)
	WhoSits(ctx context.Context, seat directory.Seat) (hotdesk.Who, bool, error)
}

// PINs changes an extension's own PIN.
type PINs interface {
	CheckPIN(ctx context.Context, r hotdesk.PINChange) error
	ChangePIN(ctx context.Context, r hotdesk.PINChange) error
}

// Reloader makes a device take its configuration again.
type Reloader interface {
	Reload(ctx context.Context, d directory.DeviceID, line int, door hotdesk.Door) error
}

// Dialogs keeps a device busy while it is in a call, so that the NOTIFY of its
// reload waits: until EndDialog and the settling time after it, or at most
// until the time given to StartDialog.
type Dialogs interface {
	StartDialog(ctx context.Context, d directory.DeviceID, callID string, until, now time.Time) error
	EndDialog(ctx context.Context, d directory.DeviceID, callID string, now time.Time, settle time.Duration) error
}

// Sender sends our requests by the flow of the call, and knows how we are
// called there.
type Sender interface {
	Send(ctx context.Context, f location.Flow, req *sip.Request) (*sip.Response, error)
	HostPort(f location.Flow) string
	Contact(f location.Flow, user string) string
}

// Parts are what a Service is built from. Those up to TraceID are required.
type Parts struct {
	Desk    Desk
	Reloads Reloader
	Dialogs Dialogs
	Sender  Sender
	Ports   *media.Ports
	Log     *slog.Logger
	TraceID func() string // a new one for each login and logout

	PINs     PINs              // nil: nobody changes a PIN here
	Prompts  Prompts           // nil: melodies
	Patience Patience          // with people; zero: the defaults
	Others   handler.Handler   // calls to other numbers; nil: there are none
	Metrics  *metrics.Features // nil: not counted
	Now      func() time.Time  // nil: the real clock
	MaxCalls int               // at once; 0: 400
	T1, T2   time.Duration     // RFC 3261 section 17.1.1.1; 0: 500 ms and 4 s
}

// Service answers the calls to feature codes. Invite, Ack, Bye and Info are
// handlers of the chain, Trusts its exception from authentication. Safe for use
// by several goroutines.
type Service struct {
	Parts
	pacer   *media.Pacer
	yes, no *media.Clip     // the melodies
	talking context.Context // ends when calls shall end
	hangUp  context.CancelFunc
	leaving context.Context // ends when their last messages are given up
	giveUp  context.CancelFunc

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
	asked   map[request]bool
	busy    map[string]int // calls by who makes them
	calls   map[dialog.ID]*call
}

// request is what copies of one request have in common, however they came
// (RFC 3261 section 8.2.2.2).
type request struct {
	callID, fromTag string
	cseq            uint32
}

const (
	defaultCalls = 400
	callsPerDesk = 4 // one caller's calls at once
)

// New builds a Service. Close ends it.
func New(p Parts) *Service {
	if p.Now == nil {
		p.Now = time.Now
	}
	if p.MaxCalls <= 0 {
		p.MaxCalls = defaultCalls
	}
	if p.T1 <= 0 {
		p.T1 = 500 * time.Millisecond
	}
	if p.T2 <= 0 {
		p.T2 = 4 * time.Second
	}
	p.Patience = p.Patience.orDefault()
	s := &Service{
		Parts: p, pacer: media.NewPacer(), yes: media.NewClip(media.Yes()), no: media.NewClip(media.No()),
		asked: map[request]bool{}, busy: map[string]int{}, calls: map[dialog.ID]*call{},
	}
	s.leaving, s.giveUp = context.WithCancel(context.Background())
	s.talking, s.hangUp = context.WithCancel(s.leaving)
	return s
}

// Close takes no more calls, hangs up those there are, and waits for them.
// When ctx ends it waits no longer for answers to the BYEs; the error is ctx's.
func (s *Service) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.hangUp()
	done := make(chan struct{})
	go func() {
		s.running.Wait()
		close(done)
	}()
	var err error
	select {
	case <-done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	s.giveUp()
	<-done
	s.pacer.Wait()
	return err
}

// enter admits a new call, and says how it leaves: bounded in all and per
// caller, and only once for copies of one request that took different ways
// (RFC 3261 section 8.2.2.2).
func (s *Service) enter(r *handler.Request) (leave func(), err error) {
	who, key := caller(r.Identity), request{callID: r.CallID(), fromTag: r.FromTag(), cseq: r.SIP.CSeq().SeqNo}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return nil, &handler.Status{Code: sip.StatusServiceUnavailable, RetryAfter: overloadAfter, Why: "closing"}
	case s.asked[key]:
		return nil, handler.Refuse(sip.StatusLoopDetected, "merged")
	case len(s.asked) >= s.MaxCalls || s.busy[who] >= callsPerDesk:
		return nil, &handler.Status{Code: sip.StatusServiceUnavailable, RetryAfter: overloadAfter, Why: "overload"}
	}
	s.asked[key] = true
	s.busy[who]++
	s.running.Add(1)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.asked, key)
		if s.busy[who]--; s.busy[who] == 0 {
			delete(s.busy, who)
		}
		s.running.Done()
	}, nil
}

// overloadAfter is when a phone may try again.
const overloadAfter = 2 * time.Second

// caller names who makes a call: a device, or an extension without one.
func caller(id handler.Identity) string {
	if id.HasDevice() {
		return "device/" + id.MAC()
	}
	return "extension/" + string(id.Tenant.Code) + "/" + id.Number
}

func (s *Service) keep(c *call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[c.id] = c
}

func (s *Service) forget(c *call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.calls, c.id)
}

// find gives the call that a request belongs to, nil when there is none.
func (s *Service) find(r *handler.Request) *call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[dialog.ID{CallID: r.CallID(), Local: r.ToTag(), Remote: r.FromTag()}]
}
