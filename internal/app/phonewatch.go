package app

import (
	"context"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"perch/hotdesk/directory"
	"perch/internal/event"
	"perch/internal/ratelimit"
	"perch/metrics"
	"perch/provisioning/device"
)

// Limits of one address at the phones' web server, in one window. A site of
// 5,000 phones that nobody has adopted yet asks for 5,000 names at once; no site
// brings wrong credentials for a hundred.
const (
	watchWindow  = 10 * time.Minute
	namesMost    = 10_000 // different MACs, with or without credentials
	guessedMost  = 100    // different MACs with credentials that opened nothing
	barFor       = 15 * time.Minute
	decoyBarFor  = time.Hour
	provedFor    = 24 * time.Hour
	decoysEvery  = 10 * time.Second
	quietAlarm   = time.Minute // the same alarm from one address is told once
	alarmsQueued = 256
)

// phoneWatch is the Door's Watch: it counts, bars and tells. It remembers in
// this process only; a ban of one node is no other's.
type phoneWatch struct {
	asked, guessed *ratelimit.Distinct
	told           *ratelimit.Known
	proved         *ratelimit.Known
	bars           *ratelimit.Bans
	trusted        []netip.Prefix
	decoys         atomic.Pointer[map[directory.MAC]directory.TenantCode]

	alarms  chan device.Alarm
	news    eventAppender
	tenants tenantReader
	metrics *metrics.Alarms
	log     *slog.Logger
	now     func() time.Time
}

// eventAppender writes events that follow from no change.
type eventAppender interface {
	Append(ctx context.Context, events ...event.Event) error
}

// tenantReader reads all tenants.
type tenantReader interface {
	Tenants(ctx context.Context) ([]directory.Tenant, error)
}

var _ device.Watch = (*phoneWatch)(nil)

func newPhoneWatch(trusted []netip.Prefix, news eventAppender, tenants tenantReader, m *metrics.Alarms, log *slog.Logger) *phoneWatch {
	return &phoneWatch{
		asked: ratelimit.NewDistinct(trusted, watchWindow), guessed: ratelimit.NewDistinct(trusted, watchWindow),
		told: ratelimit.NewKnown(quietAlarm), proved: ratelimit.NewKnown(provedFor), bars: ratelimit.NewBans(), trusted: trusted,
		alarms: make(chan device.Alarm, alarmsQueued), news: news, tenants: tenants, metrics: m, log: log, now: time.Now,
	}
}

// Asked implements device.Watch.
func (w *phoneWatch) Asked(source string, mac directory.MAC, credentials bool) bool {
	now := w.now()
	if all := w.decoys.Load(); all != nil {
		if t, is := (*all)[mac]; is {
			w.bar(source, decoyBarFor, now)
			w.Alarm(device.Alarm{Kind: device.AlarmDecoy, Device: directory.DeviceID{Tenant: t, MAC: mac}, Source: source, At: now})
		}
	}
	if w.asked.Seen(source, mac.String(), now) > namesMost {
		w.bar(source, barFor, now)
		w.Alarm(device.Alarm{Kind: device.AlarmEnumeration, Device: directory.DeviceID{MAC: mac}, Source: source, At: now})
	}
	return credentials && w.barred(source, now) && !w.proved.Has(source, mac.String(), now)
}

// Refused implements device.Watch.
func (w *phoneWatch) Refused(source string, mac directory.MAC) {
	now := w.now()
	if w.guessed.Seen(source, mac.String(), now) > guessedMost {
		w.bar(source, barFor, now)
		w.Alarm(device.Alarm{Kind: device.AlarmGuessing, Device: directory.DeviceID{MAC: mac}, Source: source, At: now})
	}
}

// Admitted implements device.Watch.
func (w *phoneWatch) Admitted(source string, mac directory.MAC) {
	w.proved.Add(source, mac.String(), w.now())
}

// Alarm implements device.Watch. What does not fit is counted all the same.
func (w *phoneWatch) Alarm(a device.Alarm) {
	w.metrics.Alarm(string(a.Kind))
	key := string(a.Kind) + " " + string(a.Device.Tenant)
	if a.Device.Tenant != "" {
		key += " " + a.Device.MAC.String()
	}
	if w.told.Has(a.Source, key, a.At) {
		return
	}
	w.told.Add(a.Source, key, a.At)
	select {
	case w.alarms <- a:
	default:
	}
}

func (w *phoneWatch) bar(source string, long time.Duration, now time.Time) {
	addr, err := netip.ParseAddr(source)
	if err != nil {
		return
	}
	for _, p := range w.trusted {
		if p.Contains(addr.Unmap().WithZone("")) {
			return
		}
	}
	w.bars.Add(ratelimit.Ban{Addr: addr, Until: now.Add(long)})
}

func (w *phoneWatch) barred(source string, now time.Time) bool {
	addr, err := netip.ParseAddr(source)
	return err == nil && w.bars.Holds(addr, now)
}

// run tells of alarms and keeps the decoys fresh until ctx ends.
func (w *phoneWatch) run(ctx context.Context) error {
	tick := time.NewTicker(decoysEvery)
	defer tick.Stop()
	w.readDecoys(ctx)
	for {
		select {
		case <-ctx.Done():
			return nil
		case a := <-w.alarms:
			w.tell(ctx, a)
		case <-tick.C:
			w.readDecoys(ctx)
			w.metrics.SetBarred(w.bars.Sweep(w.now()))
		}
	}
}

// tell writes one alarm to the log and, where it concerns a tenant, to its
// events.
func (w *phoneWatch) tell(ctx context.Context, a device.Alarm) {
	attrs := []any{"kind", string(a.Kind), "source", a.Source, "mac", a.Device.MAC.String()}
	if a.Device.Tenant != "" {
		attrs = append(attrs, "tenant", a.Device.Tenant)
	}
	if !a.Other.IsZero() {
		attrs = append(attrs, "certificate", a.Other.String())
	}
	w.log.WarnContext(ctx, "suspicious request for a phone's file", attrs...)
	if a.Device.Tenant == "" {
		return
	}
	err := w.news.Append(ctx, event.Event{
		Type: event.ProvisioningAlarm, At: a.At.UnixMilli(), Tenant: a.Device.Tenant, MAC: a.Device.MAC.String(),
		Reason: string(a.Kind), Detail: a.Source,
	})
	if err != nil && ctx.Err() == nil {
		w.log.WarnContext(ctx, "alarm not kept", "kind", string(a.Kind), "err", err)
	}
}

// readDecoys reads the decoys of all tenants; those read last stand while the
// store is away.
func (w *phoneWatch) readDecoys(ctx context.Context) {
	tenants, err := w.tenants.Tenants(ctx)
	if err != nil {
		return
	}
	all := map[directory.MAC]directory.TenantCode{}
	for _, t := range tenants {
		for _, m := range t.Decoys {
			all[m] = t.Code
		}
	}
	w.decoys.Store(&all)
}
