package device

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"perch/hotdesk/directory"
	"perch/provisioning/brand"
)

// Sighting is a phone that asked for its file and that no tenant has: an admin
// may adopt it. Everything in it comes from a stranger.
type Sighting struct {
	MAC       directory.MAC
	Folder    string // tenant that the path named, if it is a tenant's code at all
	Phone     brand.Phone
	UserAgent string // at most 200 printable characters
	Source    string
	At        time.Time
}

// Pending keeps unknown phones for an admin. It must bound how many it keeps,
// and forget the oldest: anybody can invent addresses.
type Pending interface {
	Saw(ctx context.Context, s Sighting) error
}

// Bounds of what waits to be reported and of what was reported lately.
const (
	queueLen   = 64
	remembered = 1024
	quiet      = 10 * time.Minute // how long one phone is not looked at again

	reportTimeout = 5 * time.Second
)

// sightings finds out, beside the requests, which phones nobody knows: a request
// for an unknown phone must not take longer than one for a known one.
type sightings struct {
	store Store
	to    Pending
	now   func() time.Time
	queue chan Sighting
	mu    sync.Mutex
	last  map[directory.MAC]time.Time
}

func newSightings(store Store, to Pending, now func() time.Time) *sightings {
	if now == nil {
		now = time.Now
	}
	return &sightings{
		store: store, to: to, now: now,
		queue: make(chan Sighting, queueLen), last: make(map[directory.MAC]time.Time),
	}
}

// perhaps notes a phone that may be unknown; it never blocks, and what does not
// fit is lost until the phone comes again.
func (s *sightings) perhaps(r Request) {
	if s.to == nil {
		return
	}
	now := s.now()
	if !s.fresh(r.MAC, now) {
		return
	}
	sight := Sighting{MAC: r.MAC, Phone: r.Phone, UserAgent: printable(r.UserAgent), Source: r.Source, At: now}
	if code, err := directory.ParseTenantCode(r.Folder); err == nil {
		sight.Folder = string(code)
	}
	select {
	case s.queue <- sight:
	default:
		s.forget(r.MAC)
	}
}

// fresh tells whether the phone was not reported lately, and notes it.
func (s *sightings) fresh(m directory.MAC, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, ok := s.last[m]; ok && now.Sub(at) < quiet {
		return false
	}
	if len(s.last) >= remembered {
		clear(s.last) // cheap, and only costs a few reports twice
	}
	s.last[m] = now
	return true
}

func (s *sightings) forget(m directory.MAC) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.last, m)
}

// run looks the noted phones up and reports the unknown ones until ctx ends.
func (s *sightings) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case sight := <-s.queue:
			if err := s.report(ctx, sight); err != nil {
				s.forget(sight.MAC) // it is reported when it comes again
			}
		}
	}
}

func (s *sightings) report(ctx context.Context, sight Sighting) error {
	ctx, cancel := context.WithTimeout(ctx, reportTimeout)
	defer cancel()
	_, err := s.store.DeviceByMAC(ctx, sight.MAC)
	if !errors.Is(err, ErrUnknown) {
		return err
	}
	return s.to.Saw(ctx, sight)
}

// printable cuts a stranger's text to what may be shown.
func printable(text string) string {
	const most = 200
	if len(text) > most {
		text = text[:most]
	}
	return strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return -1
		}
		return c
	}, text)
}
