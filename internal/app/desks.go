package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/internal/credential"
	"perch/internal/store"
	"perch/metrics"
	"perch/portal/api"
	"perch/provisioning"
	"perch/provisioning/brand"
	"perch/provisioning/desk"
	"perch/provisioning/device"
)

// desks reads from the store what a phone's configuration is made of. It
// implements what provisioning, its door and the API's drift ask for.
type desks struct {
	store  *store.Store
	key    *credential.Key
	server brand.Server // Host empty: as the phone's request arrived
	url    string       // of the configuration; empty: likewise
	brands brand.List
	base   string // base_url, ending in a slash; empty: as the phone's request arrived
	rotate bool   // tokens and passwords change with each login and logout
	turned *metrics.Turns
	outer  outside // the second address; zero: there is one only
	past   *past
}

var (
	_ provisioning.Desks   = (*desks)(nil)
	_ provisioning.Witness = (*desks)(nil)
	_ device.Store         = (*desks)(nil)
)

// Desk implements provisioning.Desks.
func (d *desks) Desk(ctx context.Context, dev directory.Device) (brand.Desk, directory.SessionID, error) {
	r, err := d.records(ctx, dev)
	if err != nil {
		return brand.Desk{}, "", err
	}
	now := time.Now()
	if turn := r.Turn(now); turn != r.Proofs { // kept before the phone has it
		if r.Proofs, err = d.store.ChangeProofs(ctx, dev.ID, func(p directory.Proofs) directory.Proofs {
			was := r
			was.Proofs = p
			return was.Turn(now)
		}); err != nil {
			return brand.Desk{}, "", gone(err)
		}
		d.turned.Handed()
	}
	return desk.Of(r, d.place(r.Phone), d.key, now)
}

// preview is Desk for people: it hands nothing out, and gives what Desk would.
func (d *desks) preview(ctx context.Context, dev directory.Device) (brand.Desk, error) {
	r, err := d.records(ctx, dev)
	if err != nil {
		return brand.Desk{}, err
	}
	want, _, err := desk.Of(r, d.place(r.Phone), d.key, time.Now())
	return want, err
}

// records reads what is known of a device.
func (d *desks) records(ctx context.Context, dev directory.Device) (desk.Records, error) {
	r := desk.Records{Device: dev}
	var err error
	if r.Tenant, err = d.store.Tenant(ctx, dev.ID.Tenant); err != nil {
		return r, gone(err)
	}
	at, err := d.store.Records(ctx, dev.ID)
	if err != nil {
		return r, gone(err)
	}
	r.Phone, r.Seats, r.Proofs = at.Phone, at.Seats, at.Proofs
	b, _ := d.brandOf(dev, r.Phone)
	r.Steady = b.SteadyProofs || !d.rotate
	if _, ok := desk.Seated(r.Seats, time.Now()); ok {
		r.Extension = at.Extension
	}
	return r, nil
}

func gone(err error) error {
	if errors.Is(err, hotdesk.ErrNotFound) {
		return provisioning.ErrGone
	}
	return err
}

// Fetched implements provisioning.Witness.
func (d *desks) Fetched(ctx context.Context, f provisioning.Fetched) error {
	facts := directory.Phone{
		Brand: string(f.Phone.Brand), Model: f.Phone.Model, Firmware: f.Phone.Firmware, UserAgent: f.UserAgent, Host: f.Host, URL: f.URL,
	}
	if f.Phone.Modules.Known {
		facts.Modules = f.Phone.Modules.Count + 1
	}
	anew, err := d.store.FetchedAnew(ctx, store.FetchedArgs{
		Device: f.Device, Session: f.Session, Digest: f.Digest, Targets: f.Keys, Detail: f.File, Phone: facts, Now: time.Now(),
	})
	if err != nil {
		return err
	}
	return d.past.served(ctx, f, anew)
}

// DeviceByMAC implements device.Store.
func (d *desks) DeviceByMAC(ctx context.Context, mac directory.MAC) (device.Record, error) {
	dev, proofs, err := d.store.DeviceAndProofs(ctx, mac)
	if errors.Is(err, hotdesk.ErrNotFound) {
		return device.Record{}, device.ErrUnknown
	}
	if err != nil {
		return device.Record{}, err
	}
	tenant, err := d.store.Tenant(ctx, dev.ID.Tenant)
	if err != nil && !errors.Is(err, hotdesk.ErrNotFound) {
		return device.Record{}, err
	}
	r := device.Record{Device: dev, Proofs: proofs.Within(dev.TokenGen), Networks: tenant.Networks}
	if err := d.passwords(&r); err != nil {
		return device.Record{}, fmt.Errorf("app: %s: %w", dev.ID, err)
	}
	return r, nil
}

// passwords fills in those that open a device's files: the one that the next
// file carries, and those that the phone may still have.
func (d *desks) passwords(r *device.Record) (err error) {
	p, now := r.Proofs, 0
	if r.Device.MadeSecret() {
		now = p.Handed
	}
	if r.Secret, err = d.key.RotatedSecret(r.Device, now); err != nil {
		return err
	}
	former := []int{p.Used}
	if !r.Device.MadeSecret() { // made before it had one from a file
		former = []int{p.Used, p.Handed}
	}
	for _, n := range former {
		if n == now || n == 0 && !r.Device.MadeSecret() || n > p.Made {
			continue
		}
		s, err := d.key.RotatedSecret(r.Device, n)
		if err != nil {
			return err
		}
		r.Former = append(r.Former, device.Former{Turn: n, Secret: s})
	}
	return nil
}

// Shown implements device.Store.
func (d *desks) Shown(ctx context.Context, dev directory.Device, turn int) error {
	_, err := d.store.ChangeProofs(ctx, dev.ID, func(p directory.Proofs) directory.Proofs {
		p = p.Within(dev.TokenGen)
		if turn > p.Used && turn <= p.Handed {
			p.Used, p.At = turn, time.Now().UnixMilli()
		}
		return p
	})
	if err == nil {
		d.turned.Shown()
	}
	return err
}

// TenantExists implements device.Store.
func (d *desks) TenantExists(ctx context.Context, code directory.TenantCode) (bool, error) {
	_, err := d.store.Tenant(ctx, code)
	if errors.Is(err, hotdesk.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Standing implements api.Standing: whether what a device last fetched differs
// from what it would get now, and the keys that its model has no place for.
func (d *desks) Standing(ctx context.Context, dev directory.Device, p directory.Phone) (api.Stand, error) {
	b, ok := d.brandOf(dev, p)
	if !ok || p.FetchedDigest == "" {
		return api.Stand{}, nil
	}
	want, err := d.preview(ctx, dev)
	if err != nil {
		return api.Stand{}, fmt.Errorf("app: drift of %s: %w", dev.ID, err)
	}
	out, report, err := b.Write(d.asFetched(want, dev, p), brand.File{Kind: brand.Device, MAC: dev.ID.MAC})
	if err != nil {
		return api.Stand{}, fmt.Errorf("app: drift of %s: %w", dev.ID, err)
	}
	return api.Stand{
		Known: true, Drift: provisioning.Digest(out.Body) != p.FetchedDigest,
		Dropped: append(out.Dropped, out.Absent...), TemplateFaults: len(report.Faults),
	}, nil
}

// brandOf is the brand of a device, if Perch can write its files.
func (d *desks) brandOf(dev directory.Device, p directory.Phone) (brand.Brand, bool) {
	b, ok := d.brands.Find(cmp.Or(dev.Brand, p.Brand))
	return b, ok && b.HasTemplates()
}

// asFetched adds what only the phone's own request tells, as the last one told
// it.
func (d *desks) asFetched(want brand.Desk, dev directory.Device, p directory.Phone) brand.Desk {
	want.Server.Host = cmp.Or(want.Server.Host, p.Host)
	p.URL = moved(p.URL, want.Provisioning.Root)
	token := want.Provisioning.Token.Reveal()
	want.Provisioning.URL = cmp.Or(want.Provisioning.URL, retokened(p.URL, token))
	if root := d.rootFor(want.Provisioning.URL); want.BookURL == "" && root != "" {
		want.BookURL = root + "t/" + token + "/"
	}
	if want.ScreenURL == "" {
		want.ScreenURL = d.screenURL(dev.ID.MAC, token, want.Provisioning.URL)
	}
	want.Model = cmp.Or(want.Model, p.Model)
	if p.Modules > 0 {
		want.Modules = brand.Modules{Known: true, Count: p.Modules - 1}
	}
	return want
}
