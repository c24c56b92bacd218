package app

import (
	"context"
	"fmt"
	"sync"
	"time"

	"perch/hotdesk/directory"
	"perch/internal/config"
	"perch/portal/api"
	"perch/provisioning"
	"perch/provisioning/history"
)

// pastStore keeps what phones were served.
type pastStore interface {
	AddServed(ctx context.Context, f history.Served, entries int, keep time.Duration) error
	Served(ctx context.Context, d directory.DeviceID) ([]history.Entry, error)
	Rendering(ctx context.Context, t directory.TenantCode, name string) ([]byte, error)
}

// past is the history of the phones' files. It remembers what it has written
// last, so that a phone that fetches the same again costs nothing; what another
// node has served meanwhile is known by the device's record having changed.
type past struct {
	store   pastStore
	entries int
	keep    time.Duration

	mu   sync.Mutex
	last map[lastKey]string
}

type lastKey struct {
	device directory.DeviceID
	file   string
}

// lastMost bounds what is remembered; then it is forgotten as a whole, and each
// file compared in the store once more.
const lastMost = 50_000

var _ api.Past = (*past)(nil)

func newPast(s pastStore, c config.FileHistory) *past {
	return &past{store: s, entries: c.PerDevice, keep: time.Duration(c.Days) * 24 * time.Hour, last: map[lastKey]string{}}
}

// served adds one file that a phone has got.
func (p *past) served(ctx context.Context, f provisioning.Fetched, anew bool) error {
	if p == nil || p.keep == 0 {
		return nil
	}
	k := lastKey{f.Device, f.File}
	p.mu.Lock()
	same := p.last[k] == f.Digest && !anew
	p.mu.Unlock()
	if same {
		return nil
	}
	body, err := f.Masked()
	if err != nil {
		return fmt.Errorf("app: history of %s: %w", f.Device, err)
	}
	err = p.store.AddServed(ctx, history.Served{
		Device: f.Device, At: time.Now(), File: f.File, Digest: f.Digest, Number: f.Number, Masked: body,
	}, p.entries, p.keep)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.last) >= lastMost {
		clear(p.last)
	}
	p.last[k] = f.Digest
	return nil
}

// Served implements api.Past.
func (p *past) Served(ctx context.Context, d directory.DeviceID) ([]history.Entry, error) {
	return p.store.Served(ctx, d)
}

// Rendering implements api.Past.
func (p *past) Rendering(ctx context.Context, t directory.TenantCode, name string) ([]byte, error) {
	return p.store.Rendering(ctx, t, name)
}
