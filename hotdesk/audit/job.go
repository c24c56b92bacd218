package audit

import (
	"context"
	"errors"
	"fmt"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/internal/event"
)

// Store appends records: each event's once, however often it is told of.
type Store interface {
	AppendAudit(ctx context.Context, t directory.TenantCode, records []Record) error
}

// Devices reads what a record says of the desk.
type Devices interface {
	Device(ctx context.Context, id directory.DeviceID) (directory.Device, error)
}

// Job makes the records of all events. It runs once in the installation, as a
// consumer of the event stream.
type Job struct {
	store   Store
	devices Devices
	wrote   func(Act)
}

// NewJob builds a Job. wrote, which may be nil, is told of each record that was
// handed to the store.
func NewJob(s Store, d Devices, wrote func(Act)) *Job {
	if wrote == nil {
		wrote = func(Act) {}
	}
	return &Job{store: s, devices: d, wrote: wrote}
}

// Handle records a batch, which is of one tenant. It may see an event again.
func (j *Job) Handle(ctx context.Context, batch []event.Event) error {
	var records []Record
	known := map[directory.DeviceID]directory.Device{}
	for _, e := range batch {
		r, ok := Of(e)
		if !ok {
			continue
		}
		if id := e.Device(); !id.MAC.IsZero() {
			d, err := j.device(ctx, known, id)
			if err != nil {
				return err
			}
			r.Desk, r.Site = d.Desk, d.Site
		}
		records = append(records, r)
	}
	if len(records) == 0 {
		return nil
	}
	if err := j.store.AppendAudit(ctx, batch[0].Tenant, records); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	for _, r := range records {
		j.wrote(r.Act)
	}
	return nil
}

// device reads a device once for a batch; one that is gone says nothing.
func (j *Job) device(ctx context.Context, known map[directory.DeviceID]directory.Device, id directory.DeviceID) (directory.Device, error) {
	if d, ok := known[id]; ok {
		return d, nil
	}
	d, err := j.devices.Device(ctx, id)
	if err != nil && !errors.Is(err, hotdesk.ErrNotFound) {
		return d, fmt.Errorf("audit: %w", err)
	}
	known[id] = d
	return d, nil
}
