package hotdesk

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"perch/hotdesk/directory"
	"perch/internal/event"
)

// PINs checks a PIN against what is kept. Checking against nothing costs the
// same as checking against something, and is false.
type PINs interface {
	CheckPIN(kept directory.Kept, ext directory.ExtensionID, pin directory.Secret) bool
	CheckTenantPIN(kept directory.Kept, tenant directory.TenantCode, pin directory.Secret) bool
	CheckSupervisorPIN(kept directory.Kept, tenant directory.TenantCode, name string, pin directory.Secret) bool
	// PIN makes what is kept of an extension's own PIN.
	PIN(ext directory.ExtensionID, pin directory.Secret) string
}

// News appends events that no script of the store writes: refusals.
type News interface {
	Append(ctx context.Context, events ...event.Event) error
}

// Engine logs extensions in and out. One serves every door.
type Engine struct {
	dir      Directory
	seating  Seating
	attempts Attempts
	pins     PINs
	news     News
	log      *slog.Logger
	now      func() time.Time
	session  func() directory.SessionID
	pause    func(ctx context.Context, d time.Duration)
	keeper   Keeper
	zones    zones
}

// Parts are what an Engine is built from. Now and Pause may be nil: the real
// clock.
type Parts struct {
	Directory Directory
	Seating   Seating
	Attempts  Attempts
	PINs      PINs
	Keeper    Keeper
	News      News
	Log       *slog.Logger
	Now       func() time.Time
	Session   func() directory.SessionID
	Pause     func(ctx context.Context, d time.Duration)
}

// New builds an Engine.
func New(p Parts) *Engine {
	e := &Engine{
		dir: p.Directory, seating: p.Seating, attempts: p.Attempts, pins: p.PINs, news: p.News, keeper: p.Keeper,
		log: p.Log, now: p.Now, session: p.Session, pause: p.Pause,
	}
	if e.now == nil {
		e.now = time.Now
	}
	if e.pause == nil {
		e.pause = pause
	}
	return e
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// Who answers what sits at a seat: the binding, and the extension's name.
type Who struct {
	Binding  Binding
	Name     string
	Language string // the extension's own, of spoken prompts; empty: the tenant's
}

// WhoSits tells who is logged in at a seat. ok is false at an idle one.
func (e *Engine) WhoSits(ctx context.Context, seat directory.Seat) (Who, bool, error) {
	seats, err := e.seating.Seats(ctx, seat.Device)
	if err != nil {
		return Who{}, false, fmt.Errorf("hotdesk: who sits: %w", err)
	}
	b, ok := seats.At(seat.Line)
	if !ok {
		return Who{}, false, nil
	}
	ext, err := e.dir.Extension(ctx, directory.ExtensionID{Tenant: seat.Device.Tenant, Number: b.Number})
	if err != nil {
		return Who{Binding: b}, true, nil // the name is a courtesy; the binding is the answer
	}
	return Who{Binding: b, Name: ext.Name, Language: ext.Language}, true, nil
}
