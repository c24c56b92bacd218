// Package keepalive watches over the flows by which phones registered at this
// node (RFC 5626): it keeps translators open, notices flows that are gone, frees
// or marks their contacts, and brings them back when the device is heard again.
// It knows neither Redis nor authentication; it promises that no flow of another
// node is touched, and that what it sends is spread over time.
package keepalive

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
	"golang.org/x/time/rate"

	"perch/hotdesk/directory"
	"perch/metrics"
	"perch/sip/location"
)

// Flows sends by the flows of this node; flow.Sender does.
type Flows interface {
	// Send returns the final response, or flow's errors.
	Send(ctx context.Context, f location.Flow, req *sip.Request) (*sip.Response, error)
	Ping(f location.Flow) error
	// Heard is when the peer of a stream last sent anything; zero: unknown.
	Heard(f location.Flow) (time.Time, error)
	Hangup(f location.Flow)
	// HostPort is what we call ourselves to the peer of a flow.
	HostPort(f location.Flow) string
}

// Store keeps contacts, as the registrar's does.
type Store interface {
	Contacts(ctx context.Context, tenant directory.TenantCode, user string) (location.Set, error)
	CommitContacts(ctx context.Context, c location.Commit) error
	EachContact(ctx context.Context, t directory.TenantCode, fn func(user string, c location.Contact) error) error
	TenantCodes(ctx context.Context) ([]directory.TenantCode, error)
}

// Subscriptions go the way of the contacts; the notifier does that.
type Subscriptions interface {
	// Move gives what a watcher (a MAC, or the number of a static password) has
	// subscribed by one flow another.
	Move(ctx context.Context, tenant directory.TenantCode, watcher string, from, to location.Flow) error
}

// Options are what a Keeper is made of. Node, Flows, Store and Log are required.
type Options struct {
	Node          string // name of this node in flows
	Flows         Flows
	Store         Store
	Subscriptions Subscriptions  // nil: none
	Metrics       *metrics.Flows // nil: not counted
	Log           *slog.Logger
}

// Pace of what is sent.
const (
	pingAfter  = 25 * time.Second // RFC 5626 section 4.4.2 has a phone ping within 24 to 29 s
	pingSpread = 4 * time.Second
	probeEvery = 4 // of so many rounds of a UDP flow one is an OPTIONS
	// quiet is how long a stream may be silent before it is probed; one whose
	// phone was given a Flow-Timer longer.
	quiet         = 90 * time.Second
	quietOutbound = 150 * time.Second
	firstLook     = 2 * time.Second // at a new stream: it may have closed before it was known here
	probeFor      = 10 * time.Second
	again         = 5 * time.Second // after a silent probe, or a store that was away
	maxMissed     = 2               // probes without an answer, of a phone that has answered before

	perSecond, burst = 1000, 100 // flows looked at
	maxTasks         = 256       // probes and changes of contacts at once
	storeWithin      = 5 * time.Second
)

// Keeper is a registrar.Keeper. Run does the work; the rest may be called at any
// time by several goroutines.
type Keeper struct {
	Options
	pace  *rate.Limiter
	slots chan struct{}
	wake  chan struct{}
	tasks sync.WaitGroup

	mu     sync.Mutex
	flows  map[location.Flow]*watched
	byID   map[string]*watched // streams, by the name of their connection
	queue  queue
	asleep map[watcher]*sleeper
}

// New makes a Keeper.
func New(o Options) (*Keeper, error) {
	if o.Node == "" || o.Flows == nil || o.Store == nil || o.Log == nil {
		return nil, errors.New("keepalive: an option is missing")
	}
	return &Keeper{
		Options: o, pace: rate.NewLimiter(perSecond, burst), slots: make(chan struct{}, maxTasks), wake: make(chan struct{}, 1),
		flows: map[location.Flow]*watched{}, byID: map[string]*watched{}, asleep: map[watcher]*sleeper{},
	}, nil
}

// Run watches until ctx ends. closed gives the ID of each connection that has
// closed; what it leaves out is found a little later.
func (k *Keeper) Run(ctx context.Context, closed <-chan string) error {
	defer k.tasks.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	loaded := false
	for {
		if !loaded {
			err := k.load(ctx)
			if loaded = err == nil; err != nil && ctx.Err() == nil {
				k.Log.Warn("flows not taken up yet", "error", err)
			}
		}
		next := k.due(ctx)
		if !loaded {
			next = min(next, again)
		}
		timer.Reset(next)
		select {
		case <-ctx.Done():
			return nil
		case id := <-closed:
			k.closed(id)
		case <-k.wake:
		case <-timer.C:
		}
	}
}

// start runs f as a task when there is room; false: ctx has ended.
func (k *Keeper) start(ctx context.Context, f func()) bool {
	select {
	case k.slots <- struct{}{}:
	case <-ctx.Done():
		return false
	}
	k.tasks.Go(func() {
		defer func() { <-k.slots }()
		f()
	})
	return true
}

// idle is how long Run sleeps when nothing is due.
const idle = time.Minute

// due tends every flow whose time has come, and tells when the next one's does.
func (k *Keeper) due(ctx context.Context) time.Duration {
	for {
		w, wait := k.next(time.Now())
		if w == nil {
			return wait
		}
		if k.pace.Wait(ctx) != nil || !k.start(ctx, func() { k.tend(ctx, w) }) {
			k.later(w, again)
			return again
		}
	}
}

// load takes up the contacts that were made at this node before it was started
// anew: its streams are gone with the process before it.
func (k *Keeper) load(ctx context.Context) error {
	codes, err := k.Store.TenantCodes(ctx)
	if err != nil {
		return err //nolint:wrapcheck // the store's own text says it
	}
	for _, code := range codes {
		err := k.Store.EachContact(ctx, code, func(user string, c location.Contact) error {
			if c.Flow.Node != k.Node || c.Expired(time.Now()) {
				return nil
			}
			if c.Lost != 0 {
				k.sleep(code, user, c)
			} else {
				k.watch(target{code, user}, c)
			}
			return nil
		})
		if err != nil {
			return err //nolint:wrapcheck // the store's own text says it
		}
	}
	return nil
}
