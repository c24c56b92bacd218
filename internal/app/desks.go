package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/internal/credential"
	"perch/internal/store"
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
}

var (
	_ provisioning.Desks   = (*desks)(nil)
	_ provisioning.Witness = (*desks)(nil)
	_ device.Store         = (*desks)(nil)
)

// Desk implements provisioning.Desks.
func (d *desks) Desk(ctx context.Context, dev directory.Device) (brand.Desk, directory.SessionID, error) {
	now := time.Now()
	r := desk.Records{Device: dev}
	var err error
	if r.Tenant, err = d.store.Tenant(ctx, dev.ID.Tenant); err != nil {
		return brand.Desk{}, "", gone(err)
	}
	if r.Phone, err = d.store.Phone(ctx, dev.ID); err != nil {
		return brand.Desk{}, "", gone(err)
	}
	if r.Seats, err = d.store.Seats(ctx, dev.ID); err != nil {
		return brand.Desk{}, "", gone(err)
	}
	if b, ok := desk.Seated(r.Seats, now); ok {
		id := directory.ExtensionID{Tenant: dev.ID.Tenant, Number: b.Number}
		if r.Extension, err = d.store.Extension(ctx, id); err != nil && !errors.Is(err, hotdesk.ErrNotFound) {
			return brand.Desk{}, "", err
		}
	}
	return desk.Of(r, desk.Place{Server: d.server, URL: d.url}, d.key, now)
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
	return d.store.Fetched(ctx, store.FetchedArgs{
		Device: f.Device, Session: f.Session, Digest: f.Digest, Targets: f.Keys, Detail: f.File, Phone: facts, Now: time.Now(),
	})
}

// DeviceByMAC implements device.Store.
func (d *desks) DeviceByMAC(ctx context.Context, mac directory.MAC) (device.Record, error) {
	dev, _, err := d.store.DeviceByMAC(ctx, mac)
	if errors.Is(err, hotdesk.ErrNotFound) {
		return device.Record{}, device.ErrUnknown
	}
	if err != nil {
		return device.Record{}, err
	}
	secret, err := d.key.HTTPSecret(dev)
	if err != nil {
		return device.Record{}, fmt.Errorf("app: %s: %w", dev.ID, err)
	}
	return device.Record{Device: dev, Secret: secret}, nil
}

// TenantExists implements device.Store.
func (d *desks) TenantExists(ctx context.Context, code directory.TenantCode) (bool, error) {
	_, err := d.store.Tenant(ctx, code)
	if errors.Is(err, hotdesk.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Drift tells whether what a device last fetched differs from what it would
// get now; known is false where it has fetched nothing or has no templates.
func (d *desks) Drift(ctx context.Context, dev directory.Device, p directory.Phone) (drifted, known bool, err error) {
	name := dev.Brand
	if name == "" {
		name = p.Brand
	}
	b, ok := d.brands.Find(name)
	if !ok || !b.HasTemplates() || p.FetchedDigest == "" {
		return false, false, nil
	}
	want, _, err := d.Desk(ctx, dev)
	if err != nil {
		return false, false, fmt.Errorf("app: drift of %s: %w", dev.ID, err)
	}
	if want.Server.Host == "" {
		want.Server.Host = p.Host
	}
	if want.Provisioning.URL == "" {
		want.Provisioning.URL = p.URL
	}
	if want.ScreenURL == "" {
		want.ScreenURL = d.screenURL(dev, want.Provisioning.URL)
	}
	if want.Model == "" {
		want.Model = p.Model
	}
	if p.Modules > 0 {
		want.Modules = brand.Modules{Known: true, Count: p.Modules - 1}
	}
	out, err := b.Render(want, brand.File{Kind: brand.Device, MAC: dev.ID.MAC})
	if err != nil {
		return false, false, fmt.Errorf("app: drift of %s: %w", dev.ID, err)
	}
	return provisioning.Digest(out.Body) != p.FetchedDigest, true, nil
}
