package sim

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"perch/hotdesk/directory"

	"golang.org/x/time/rate"
)

// FleetOptions describe phones with consecutive MACs.
type FleetOptions struct {
	Count int
	First directory.MAC
	// Phone gives the options of phone i, counted from 0; MAC is filled in
	// already, and a round tripper shared by all unless it sets another.
	Phone func(i int, o Options) Options
	// Rate is how many phones are switched on in a second; 0 is all at once.
	Rate float64
	// Jitter spreads each start over up to this much more.
	Jitter time.Duration
}

// Fleet is many phones in one process.
type Fleet struct {
	opt    FleetOptions
	phones []*Phone
	shared *http.Transport
}

// NewFleet builds the phones; nothing is opened until Run.
func NewFleet(o FleetOptions) (*Fleet, error) {
	if o.Count < 1 || o.Count > 1<<20 || o.Phone == nil {
		return nil, errors.New("sim: a fleet needs 1 to 1048576 phones and the options of each")
	}
	f := &Fleet{opt: o, shared: &http.Transport{
		MaxIdleConns: 256, MaxIdleConnsPerHost: 256, IdleConnTimeout: 5 * time.Second, DisableCompression: true,
	}}
	mac := o.First
	for i := range o.Count {
		p, err := New(o.Phone(i, Options{MAC: mac, RoundTripper: f.shared}))
		if err != nil {
			return nil, fmt.Errorf("sim: phone %d: %w", i, err)
		}
		f.phones = append(f.phones, p)
		if mac = NextMAC(mac); mac.IsZero() {
			return nil, errors.New("sim: MAC addresses have run out")
		}
	}
	return f, nil
}

// Phones gives every phone, in the order of their MACs.
func (f *Fleet) Phones() []*Phone { return f.phones }

// Run switches the phones on at the fleet's rate and blocks until ctx ends and
// every phone has stopped. ctx's end is a power cut for all. The error joins
// those of phones that could not start.
func (f *Fleet) Run(ctx context.Context) error {
	defer f.shared.CloseIdleConnections()
	limit := rate.NewLimiter(rate.Inf, 1)
	if f.opt.Rate > 0 {
		limit = rate.NewLimiter(rate.Limit(f.opt.Rate), 1)
	}
	var wg sync.WaitGroup
	errs := make([]error, len(f.phones))
	for i, p := range f.phones {
		if limit.Wait(ctx) != nil {
			break
		}
		var jitter time.Duration
		if f.opt.Jitter > 0 {
			jitter = rand.N(f.opt.Jitter)
		}
		wg.Go(func() {
			if sleep(ctx, jitter) {
				errs[i] = p.Run(ctx)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Shutdown ends every phone politely, side by side; phones that never ran are
// left alone.
func (f *Fleet) Shutdown(ctx context.Context) error {
	var wg sync.WaitGroup
	errs := make([]error, len(f.phones))
	for i, p := range f.phones {
		wg.Go(func() {
			if err := p.Shutdown(ctx); !errors.Is(err, ErrNotRunning) {
				errs[i] = err
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// NextMAC counts one up; after the last address it is zero.
func NextMAC(m directory.MAC) directory.MAC {
	for i := len(m) - 1; i >= 0; i-- {
		if m[i]++; m[i] != 0 {
			return m
		}
	}
	return directory.MAC{}
}
