package notify

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"perch/hotdesk/directory"
	"perch/metrics"
	"perch/sip/handler"
	"perch/sip/location"
	"perch/sip/presence"
)

// Flows sends by the flow that a phone uses; flow.Sender does.
type Flows interface {
	// Send returns the final response, or flow's errors.
	Send(ctx context.Context, f location.Flow, req *sip.Request) (*sip.Response, error)
	// Contact is our own URI as the peer of the flow reaches it.
	Contact(f location.Flow, user string) string
}

// Store keeps subscriptions. What does not exist wraps hotdesk.ErrNotFound; a
// store that is away wraps hotdesk.ErrUnavailable.
type Store interface {
	Subscription(ctx context.Context, t directory.TenantCode, id string) (presence.Subscription, error)
	// SaveSubscription also returns location.ErrSessionOver.
	SaveSubscription(ctx context.Context, sub presence.Subscription) error
	EndSubscription(ctx context.Context, t directory.TenantCode, id, reason string) error
	// Lit notes that a NOTIFY got its 200; repeated calls change nothing.
	Lit(ctx context.Context, sub presence.Subscription) error
}

// Watchers lists subscriptions.
type Watchers interface {
	// SubscriptionsOf takes a MAC, or the number of a static password.
	SubscriptionsOf(ctx context.Context, t directory.TenantCode, watcher string) ([]presence.Subscription, error)
	Subscriptions(ctx context.Context, t directory.TenantCode) iter.Seq2[presence.Subscription, error]
}

// Tenants finds tenants. What does not exist wraps hotdesk.ErrNotFound.
type Tenants interface {
	TenantCodes(ctx context.Context) ([]directory.TenantCode, error)
	Tenant(ctx context.Context, code directory.TenantCode) (directory.Tenant, error)
	// TenantByDomain takes a SIP domain in lower case.
	TenantByDomain(ctx context.Context, domain string) (directory.Tenant, error)
}

// Directory finds the owner of a password.
type Directory interface {
	Device(ctx context.Context, id directory.DeviceID) (directory.Device, error)
	Extension(ctx context.Context, id directory.ExtensionID) (directory.Extension, error)
}

// Secrets derives or opens the passwords that phones challenge for.
type Secrets interface {
	SIPPassword(t directory.TenantCode, aor directory.AOR, mac directory.MAC, s directory.SessionID) directory.Secret
	AccountPassword(d directory.Device, aor directory.AOR) (directory.Secret, error)
	StaticPassword(e directory.Extension) (directory.Secret, bool, error)
}

// Lamps says what to show for an extension, without its entity; for one that
// does not exist, what one that is never there shows. presence.Lamps does.
type Lamps interface {
	Watch(target directory.ExtensionID) presence.State
}

// Options are what a Notifier is made of. Hosts and Metrics may be empty; a
// nil Now is time.Now; everything else is required.
type Options struct {
	Node      string // name of this node in flows
	Flows     Flows
	Store     Store
	Watchers  Watchers
	Tenants   Tenants
	Directory Directory
	Secrets   Secrets
	Lamps     Lamps
	Auth      handler.Authenticator
	Hosts     []string // our advertised host names, besides every IP address
	Metrics   *metrics.Notifier
	Log       *slog.Logger
	Now       func() time.Time
}

// Notifier is a reload.Sender, and the SUBSCRIBE handler of the dialog package
// with all its subscriptions at this node. Safe for use by several goroutines.
type Notifier struct {
	Options
	index *index
	locks locks
	shelf shelf
	slots chan struct{} // NOTIFYs under way
	ctx   context.Context
	stop  context.CancelFunc
	tasks sync.WaitGroup

	mu     sync.Mutex
	lines  map[string]*line // by subscription id; one goroutine each
	closed bool
}

// Bounds of what is under way at once: most of it waits for silent phones.
const (
	maxSending = 4096
	maxLines   = 20_000 // fetches are refused above; subscriptions have bounds of their own
)

// New makes a Notifier. Run serves its subscriptions; Close ends what it sends.
func New(o Options) (*Notifier, error) {
	if o.Node == "" || o.Flows == nil || o.Store == nil || o.Watchers == nil || o.Tenants == nil || o.Directory == nil ||
		o.Secrets == nil || o.Lamps == nil || o.Auth == nil || o.Log == nil {
		return nil, errors.New("notify: an option is missing")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	n := &Notifier{Options: o, index: newIndex(), slots: make(chan struct{}, maxSending), lines: map[string]*line{}}
	n.ctx, n.stop = context.WithCancel(context.Background())
	return n, nil
}

// Close ends every NOTIFY under way, waits for it, and stores what was counted. It is safe twice.
func (n *Notifier) Close() error {
	n.mu.Lock()
	n.closed = true
	n.mu.Unlock()
	n.stop()
	n.tasks.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), flushWithin)
	defer cancel()
	n.flush(ctx, n.Now())
	return nil
}

// begin runs f as a task that Close waits for; false after Close.
func (n *Notifier) begin(f func()) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return false
	}
	n.tasks.Go(f)
	return true
}

// tick is how often subscriptions are looked at whose time may be over.
const tick = time.Second

// Run takes up the subscriptions that were made at this node before it was
// started anew, and ends each one whose time is over, until ctx ends.
func (n *Notifier) Run(ctx context.Context) error {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	loaded := false
	for {
		if !loaded {
			err := n.load(ctx)
			loaded = err == nil
			if err != nil && ctx.Err() == nil {
				n.Log.Warn("subscriptions not taken up yet", "error", err)
			}
		}
		n.flush(ctx, n.Now().Add(-restAfter))
		for _, o := range n.index.due(n.Now()) {
			if err := n.expire(ctx, o); err != nil {
				break // the store is away: at the next tick, or by another node
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// load reads the subscriptions whose flow this node owns.
func (n *Notifier) load(ctx context.Context) error {
	codes, err := n.Tenants.TenantCodes(ctx)
	if err != nil {
		return err
	}
	for _, code := range codes {
		for sub, err := range n.Watchers.Subscriptions(ctx, code) {
			if err != nil {
				return err
			}
			if sub.Flow.Node != n.Node {
				continue
			}
			n.index.put(sub)
			if missed, unsure := n.missed(sub); missed || unsure {
				n.queue(sub.Tenant, sub.ID, wanted{force: unsure})
			}
		}
	}
	return nil
}
