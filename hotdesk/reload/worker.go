package reload

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/hotdesk/trace"
	"perch/internal/event"
	"perch/provisioning/brand"
	"perch/sip/location"
)

// Store keeps the open intents. ClaimReloads hands out those that are due,
// each to one claimant for the length of the lease, and says when the next is.
// The others answer ErrSuperseded when the intent is no longer the device's.
type Store interface {
	ClaimReloads(ctx context.Context, now time.Time, lease time.Duration, most int) ([]Intent, time.Time, error)
	SaveReload(ctx context.Context, i Intent, due time.Time, events ...event.Event) error
	CloseReload(ctx context.Context, i Intent, events ...event.Event) error
}

// Phones tells how a device stands right now.
type Phones interface {
	Seats(ctx context.Context, d directory.DeviceID) (hotdesk.Seats, error)
	DeviceContacts(ctx context.Context, d directory.DeviceID, s hotdesk.Seats) ([]location.Contact, error)
	Busy(ctx context.Context, d directory.DeviceID, now time.Time) (until time.Time, busy bool, err error)
	Trace(ctx context.Context, d directory.DeviceID) (trace.Trace, error)
}

// Directory reads what a reload has to know of a device.
type Directory interface {
	Tenant(ctx context.Context, code directory.TenantCode) (directory.Tenant, error)
	Device(ctx context.Context, id directory.DeviceID) (directory.Device, error)
}

// Secrets derives the password that a contact was registered with.
type Secrets interface {
	SIPPassword(tenant directory.TenantCode, aor directory.AOR, mac directory.MAC, session directory.SessionID) directory.Secret
	AccountPassword(d directory.Device, aor directory.AOR) (directory.Secret, error)
}

// Worker carries out the intents that are due. Any number of workers share one
// store.
type Worker struct {
	store   Store
	phones  Phones
	dir     Directory
	secrets Secrets
	sender  Sender
	pusher  Pusher
	brands  brand.List
	log     *slog.Logger
	now     func() time.Time
	wake    chan struct{}

	underWay atomic.Int32 // claimed and not yet carried out
}

// Parts are what a Worker is built from. Now may be nil: the real clock.
type Parts struct {
	Store     Store
	Phones    Phones
	Directory Directory
	Secrets   Secrets
	Sender    Sender
	Pusher    Pusher // nil: no settings are pushed
	Brands    brand.List
	Log       *slog.Logger
	Now       func() time.Time
}

// NewWorker builds a Worker.
func NewWorker(p Parts) *Worker {
	w := &Worker{
		store: p.Store, phones: p.Phones, dir: p.Directory, secrets: p.Secrets, sender: p.Sender,
		pusher: p.Pusher, brands: p.Brands, log: p.Log, now: p.Now, wake: make(chan struct{}, 1),
	}
	if w.now == nil {
		w.now = time.Now
	}
	return w
}

const (
	// lease is how long after the death of its process a reload becomes
	// another's business. A NOTIFY under way may take longer (RFC 3261 section
	// 17.1.4): its lease is renewed.
	lease = 20 * time.Second
	// atOnce bounds the NOTIFYs under way.
	atOnce = 256
	// idle is how often the store is asked when nothing is due and nothing
	// woke the worker.
	idle = time.Second
)

// Wake makes Run look at once: something has become due.
func (w *Worker) Wake() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Run works until ctx ends and then waits for what is under way.
func (w *Worker) Run(ctx context.Context) error {
	var group errgroup.Group
	group.SetLimit(atOnce)
	defer func() { _ = group.Wait() }()
	for ctx.Err() == nil {
		next := w.round(ctx, &group)
		w.sleep(ctx, next)
	}
	return nil
}

// round claims and starts what is due; it says when to look again.
func (w *Worker) round(ctx context.Context, group *errgroup.Group) time.Time {
	now := w.now()
	free := atOnce - int(w.underWay.Load()) // what waits here for its turn would lose its lease
	if free <= 0 {
		return now.Add(idle)
	}
	intents, next, err := w.store.ClaimReloads(ctx, now, lease, free)
	if err != nil {
		if ctx.Err() == nil {
			w.log.WarnContext(ctx, "reloads cannot be claimed", "err", err)
		}
		return now.Add(idle)
	}
	for _, i := range intents {
		w.underWay.Add(1)
		group.Go(func() error {
			w.carryOut(ctx, i)
			if w.underWay.Add(-1) == atOnce-1 {
				w.Wake()
			}
			return nil
		})
	}
	if len(intents) == free {
		return now
	}
	if limit := now.Add(idle); next.IsZero() || next.After(limit) {
		return limit
	}
	return next
}

func (w *Worker) sleep(ctx context.Context, until time.Time) {
	timer := time.NewTimer(max(until.Sub(w.now()), time.Millisecond))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-w.wake:
	case <-timer.C:
	}
}

// carryOut takes one intent one step further. An error leaves the claim to run
// out, so that the intent is tried again.
func (w *Worker) carryOut(ctx context.Context, i Intent) {
	err := w.step(ctx, i)
	if err == nil || errors.Is(err, ErrSuperseded) || ctx.Err() != nil {
		return
	}
	w.log.WarnContext(ctx, "a reload is put off", "tenant", i.Tenant, "device", i.MAC, "trace", i.Trace, "err", err)
	if err := w.store.SaveReload(ctx, i, w.now().Add(idle)); err != nil && !errors.Is(err, ErrSuperseded) {
		w.log.WarnContext(ctx, "a reload could not be put off; its lease has to run out", "device", i.MAC, "err", err)
	}
}

func (w *Worker) step(ctx context.Context, i Intent) error {
	d, err := w.look(ctx, i)
	if errors.Is(err, hotdesk.ErrNotFound) {
		return w.store.CloseReload(ctx, i) // the device is gone from the directory
	}
	if err != nil {
		return err
	}
	now := w.now()
	act := i.Next(d.view, now)
	switch act.Do {
	case Close:
		return w.store.CloseReload(ctx, i)
	case Skip:
		return w.store.CloseReload(ctx, i, w.skips(d, i, act.Why)...)
	case Fail:
		e := w.news(event.StepFailed, d, i)
		e.Target, e.Reason = string(act.Step), act.Why
		return w.store.CloseReload(ctx, i, e)
	case Send:
		if act.Push {
			return w.push(ctx, d, i, act.Attempt)
		}
		return w.send(ctx, d, i, act.Attempt)
	default:
		if d.view.Trace.Has(trace.Registered) && i.Deadline == 0 {
			i.Deadline = act.Due.UnixMilli()
		}
		return w.store.SaveReload(ctx, i, act.Due)
	}
}

// found is a device as it stood when its intent came up.
type found struct {
	tenant  directory.Tenant
	device  directory.Device
	brand   brand.Brand
	contact location.Contact
	policy  directory.Policy // of the desk, whoever sits there
	view    View
}

func (w *Worker) look(ctx context.Context, i Intent) (found, error) {
	mac, err := directory.ParseMAC(i.MAC)
	if err != nil {
		return found{}, fmt.Errorf("reload: %w: %w", hotdesk.ErrNotFound, err)
	}
	id := directory.DeviceID{Tenant: i.Tenant, MAC: mac}
	d, err := w.find(ctx, id)
	if err != nil {
		return d, err
	}
	if d.view.Trace, err = w.phones.Trace(ctx, id); err != nil {
		return d, fmt.Errorf("reload: %w", err)
	}
	if d.view.BusyUntil, _, err = w.phones.Busy(ctx, id, w.now()); err != nil {
		return d, fmt.Errorf("reload: %w", err)
	}
	d.view.Recipe, d.view.Templates = d.brand.Recipe, d.brand.HasTemplates()
	d.view.MaxDefer = time.Duration(*d.policy.MaxDefer)
	d.view.Push = w.pusher != nil && d.policy.Screen.Settings()
	return d, nil
}

// find reads what a NOTIFY to a device has to know.
func (w *Worker) find(ctx context.Context, id directory.DeviceID) (found, error) {
	var d found
	var err error
	if d.tenant, err = w.dir.Tenant(ctx, id.Tenant); err != nil {
		return d, fmt.Errorf("reload: %w", err)
	}
	if d.device, err = w.dir.Device(ctx, id); err != nil {
		return d, fmt.Errorf("reload: %w", err)
	}
	seats, err := w.phones.Seats(ctx, id)
	if err != nil {
		return d, fmt.Errorf("reload: %w", err)
	}
	contacts, err := w.phones.DeviceContacts(ctx, id, seats)
	if err != nil {
		return d, fmt.Errorf("reload: %w", err)
	}
	d.brand, _ = w.brands.Find(d.device.Brand)
	site, _ := d.tenant.Site(d.device.Site)
	d.policy = directory.Resolve(d.tenant.Policy, site.Policy, d.device.Policy)
	d.contact, d.view.Reachable = newest(contacts, w.now())
	return d, nil
}

// newest is the contact that the phone registered last: the one it listens on. One
// whose flow is gone comes after all others.
func newest(contacts []location.Contact, now time.Time) (location.Contact, bool) {
	var best location.Contact
	for _, c := range contacts {
		there, was := c.Lost == 0, best.Lost == 0
		if !c.Expired(now) && (best.URI == "" || there && !was || there == was && c.Updated >= best.Updated) {
			best = c
		}
	}
	return best, best.URI != ""
}
