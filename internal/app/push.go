package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/hotdesk/reload"
	"perch/internal/store"
	"perch/provisioning"
	"perch/provisioning/brand"
	"perch/provisioning/desk"
)

var _ reload.Pusher = (*desks)(nil)

// Change implements reload.Pusher: the file that the phone fetched last is
// rendered again for the session it was for, and counts only if it is the very
// same. What it differs in from the file for now is sent.
func (d *desks) Change(ctx context.Context, dev directory.Device) (brand.Attempt, reload.Pushed, bool, error) {
	r, err := d.records(ctx, dev)
	if errors.Is(err, provisioning.ErrGone) {
		return brand.Attempt{}, reload.Pushed{}, false, nil
	}
	if err != nil {
		return brand.Attempt{}, reload.Pushed{}, false, err
	}
	b, ok := d.brandOf(dev, r.Phone)
	if !ok || b.Recipe.Push == nil || r.Phone.FetchedDigest == "" {
		return brand.Attempt{}, reload.Pushed{}, false, nil
	}
	before, ok, err := d.earlier(ctx, r)
	if err != nil || !ok {
		return brand.Attempt{}, reload.Pushed{}, false, err
	}
	has, _, err := d.rendered(b, before)
	if err != nil || provisioning.Digest(has.Body) != r.Phone.FetchedDigest {
		return brand.Attempt{}, reload.Pushed{}, false, err
	}
	shall, session, err := d.rendered(b, r)
	if err != nil {
		return brand.Attempt{}, reload.Pushed{}, false, err
	}
	a, ok := b.Recipe.Push(has.Body, shall.Body)
	return a, reload.Pushed{
		Session: session, Number: r.Extension.ID.Number, Digest: provisioning.Digest(shall.Body), Targets: shall.Keys,
	}, ok, nil
}

// Took implements reload.Pusher.
func (d *desks) Took(ctx context.Context, dev directory.Device, p reload.Pushed) error {
	anew, err := d.store.FetchedAnew(ctx, store.FetchedArgs{
		Device: dev.ID, Session: p.Session, Digest: p.Digest, Targets: p.Targets, Detail: pushedFile, Pushed: true, Now: time.Now(),
	})
	if err != nil {
		return err
	}
	return d.past.served(ctx, provisioning.Fetched{
		Device: dev.ID, File: pushedFile, Digest: p.Digest, Number: p.Number, Masked: func() ([]byte, error) { return d.masked(ctx, dev) },
	}, anew)
}

// pushedFile is what stands in the history in place of a file's name: the phone
// runs what it would have fetched.
const pushedFile = "pushed"

// masked is the device's file for now, its secrets masked.
func (d *desks) masked(ctx context.Context, dev directory.Device) ([]byte, error) {
	r, err := d.records(ctx, dev)
	if err != nil {
		return nil, err
	}
	b, _ := d.brandOf(dev, r.Phone)
	of, _, err := desk.Of(r, d.place(r.Phone), d.key, time.Now())
	if err != nil {
		return nil, fmt.Errorf("app: history of %s: %w", dev.ID, err)
	}
	out, _, err := b.Write(d.asFetched(of, dev, r.Phone).Masked(), brand.File{Kind: brand.Device, MAC: dev.ID.MAC})
	return out.Body, err
}

// earlier are the records as they were for the session of the last file; false
// where that is not known any more.
func (d *desks) earlier(ctx context.Context, r desk.Records) (desk.Records, bool, error) {
	was, number := r, ""
	was.Seats, was.Extension = hotdesk.Seats{}, directory.Extension{}
	if r.Phone.FetchedFor == "" {
		return was, true, nil
	}
	if b, ok := r.Seats.Session(r.Phone.FetchedFor); ok {
		number = b.Number
	}
	for _, e := range r.Seats.Ending {
		if e.Session == r.Phone.FetchedFor && e.Line == 1 {
			number = e.Number
		}
	}
	if number == "" {
		return was, false, nil
	}
	was.Seats.Bindings = []hotdesk.Binding{{Session: r.Phone.FetchedFor, Number: number, Line: 1}}
	var err error
	was.Extension, err = d.store.Extension(ctx, directory.ExtensionID{Tenant: r.Device.ID.Tenant, Number: number})
	if errors.Is(err, hotdesk.ErrNotFound) {
		return was, false, nil
	}
	return was, err == nil, err
}

// rendered is the device's file for these records.
func (d *desks) rendered(b brand.Brand, r desk.Records) (brand.Rendered, directory.SessionID, error) {
	of, session, err := desk.Of(r, d.place(r.Phone), d.key, time.Now())
	if err != nil {
		return brand.Rendered{}, "", fmt.Errorf("app: push to %s: %w", r.Device.ID, err)
	}
	out, _, err := b.Write(d.asFetched(of, r.Device, r.Phone), brand.File{Kind: brand.Device, MAC: r.Device.ID.MAC})
	if err != nil {
		return brand.Rendered{}, "", fmt.Errorf("app: push to %s: %w", r.Device.ID, err)
	}
	return out, session, nil
}
