package api

import (
	"context"

	"perch/hotdesk"
	"perch/internal/event"
)

// Acts records what an admin did that no script of the store tells of.
type Acts interface {
	Append(ctx context.Context, events ...event.Event) error
}

// acted records an act. It is told before the act is done, and the act is not
// done where it cannot be recorded.
func (s *server) acted(ctx context.Context, e event.Event) error {
	if s.Acts == nil {
		return nil
	}
	e.Type, e.By, e.Door = event.AdminActed, admin, string(hotdesk.API)
	return s.Acts.Append(ctx, e)
}
