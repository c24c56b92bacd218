package calls

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
)

// Store keeps the calls. What does not exist wraps hotdesk.ErrNotFound; a store
// that is away wraps hotdesk.ErrUnavailable.
type Store interface {
	// Call reads a call that is up.
	Call(ctx context.Context, t directory.TenantCode, id ID) (Call, error)
	// SaveCall writes a call whose stored revision is c.Rev (0: there is none),
	// and gives the new one. It also returns ErrConflict, and ErrOver when the
	// call has ended; one that ended without an answer may begin anew.
	SaveCall(ctx context.Context, c Call, now time.Time) (rev uint64, err error)
	// CallsOf reads the calls that a device is in.
	CallsOf(ctx context.Context, d directory.DeviceID, now time.Time) ([]Call, error)
}

var (
	// ErrConflict says that somebody else has changed the call meanwhile.
	ErrConflict = errors.New("calls: changed meanwhile")
	// ErrOver says that the call has ended: what comes now is late.
	ErrOver = errors.New("calls: the call is over")
)

// Options are what a Tracker is made of. A nil Now is time.Now; a nil Lost
// counts nothing; everything else is required.
type Options struct {
	Node  string
	Store Store
	Log   *slog.Logger
	Now   func() time.Time
	Lost  func() // counts a change that could not be written
}

// Tracker is told what happens to calls and knows those there are. Telling it
// never waits for the store: changes of one call are written one after the
// other, in the order in which they were told. Safe for use by several
// goroutines.
type Tracker struct {
	Options
	mu     sync.Mutex
	open   map[key]*entry
	slots  chan struct{} // writes under way
	tasks  sync.WaitGroup
	ctx    context.Context
	stop   context.CancelFunc
	closed bool
}

type key struct {
	tenant directory.TenantCode
	id     ID
}

// entry is a call with changes that are not written yet, or one that this node
// has written last.
type entry struct {
	base    *Call  // as stored; nil: not known
	now     *Call  // base with what is pending; nil: not known
	pending []told // not written yet
	writing bool
	touched time.Time
}

// Ref names a call to the methods that follow its set-up.
type Ref struct {
	Tenant directory.TenantCode
	ID     ID
}

// NewTracker makes a Tracker. Close it before the store.
func NewTracker(o Options) (*Tracker, error) {
	if o.Node == "" || o.Store == nil || o.Log == nil {
		return nil, errors.New("calls: an option is missing")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Lost == nil {
		o.Lost = func() {}
	}
	t := &Tracker{Options: o, open: map[key]*entry{}, slots: make(chan struct{}, maxWriting)}
	t.ctx, t.stop = context.WithCancel(context.Background())
	return t, nil
}

// Begin notes a new call. A call with the same Call-ID that is up already stays
// as it is: a spiral adds its branches to it, and a stranger's has no tags of it.
func (t *Tracker) Begin(s Start) Ref {
	r := Ref{s.Tenant, NewID(s.Tenant, s.CallID)}
	t.tell(r, told{fresh: true, do: begun(begin(s, r.ID, t.at()))})
	return r
}

// Try notes that an INVITE was sent to one place.
func (t *Tracker) Try(r Ref, b Branch) { t.tell(r, told{do: try(b, t.at())}) }

// Ring notes a provisional response of a branch, with its To tag where it has
// one. 100 may be told or not.
func (t *Tracker) Ring(r Ref, branch string, status int, tag string) {
	t.tell(r, told{do: ring(branch, status, tag, t.at())})
}

// Answer notes a 2xx of a branch.
func (t *Tracker) Answer(r Ref, branch string, a Answered) {
	t.tell(r, told{do: answer(branch, a, t.at())})
}

// Fail notes that a branch has ended without an answer, with its final
// response or 487, 408. The call goes on until End.
func (t *Tracker) Fail(r Ref, branch string, status int) {
	t.tell(r, told{do: fail(branch, status, t.at())})
}

// End notes that the call is over, in whatever phase.
func (t *Tracker) End(r Ref, e Ending) { t.tell(r, told{do: end(e, t.at())}) }

// HangUp notes a BYE inside a dialog. One that is no dialog of a call that is
// up changes nothing.
func (t *Tracker) HangUp(d Dialog) { t.tell(refOf(d), told{do: hangUp(d, t.at())}) }

// Seen notes any other request inside a dialog, and the session timer of its
// response where there is one (RFC 4028); 0: none. The lease begins anew.
func (t *Tracker) Seen(d Dialog, session time.Duration) {
	t.tell(refOf(d), told{do: seen(d, session, t.at())})
}

// Find gives the call of a dialog that is up, the leg of the called in it, and
// which end sent a request that carries the tags in this order. The error wraps
// hotdesk.ErrNotFound for a strange dialog.
func (t *Tracker) Find(ctx context.Context, d Dialog) (Call, Leg, By, error) {
	r := refOf(d)
	c, err := t.Call(ctx, r.Tenant, r.ID)
	if err != nil {
		return Call{}, Leg{}, "", err
	}
	l, by := c.within(d)
	if l == nil {
		return Call{}, Leg{}, "", fmt.Errorf("calls: dialog: %w", hotdesk.ErrNotFound)
	}
	return c, *l, by, nil
}

// Call gives a call that is up, as this node or else the store knows it.
func (t *Tracker) Call(ctx context.Context, tenant directory.TenantCode, id ID) (Call, error) {
	t.mu.Lock()
	if e := t.open[key{tenant, id}]; e != nil && e.now != nil && len(e.now.Legs) > 0 {
		c := *e.now.clone()
		t.mu.Unlock()
		if c.Over() {
			return Call{}, fmt.Errorf("calls: %w", hotdesk.ErrNotFound)
		}
		return c, nil
	}
	t.mu.Unlock()
	return t.Store.Call(ctx, tenant, id)
}

// Of gives the calls that a device is in now, the feature codes' included; none
// when it is in no call. Began and Peer tell since when and with whom.
func (t *Tracker) Of(ctx context.Context, d directory.DeviceID) ([]Call, error) {
	return t.Store.CallsOf(ctx, d, t.Now())
}

// Heard takes a call as another node has changed it: what is remembered of it
// here is old.
func (t *Tracker) Heard(c Call) {
	k := key{c.Tenant, c.ID}
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.open[k]; e != nil && !e.writing && e.base != nil && e.base.Rev < c.Rev {
		delete(t.open, k)
	}
}

func refOf(d Dialog) Ref { return Ref{d.Tenant, NewID(d.Tenant, d.CallID)} }

func (t *Tracker) at() int64 { return t.Now().UnixMilli() }
