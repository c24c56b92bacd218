package app

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"perch/hotdesk/directory"
)

// shelf is an audit that can be away.
type shelf struct {
	before []time.Time
	away   atomic.Bool
}

func (s *shelf) TenantCodes(context.Context) ([]directory.TenantCode, error) {
	if s.away.Load() {
		return nil, errAway
	}
	return []directory.TenantCode{"acme"}, nil
}

func (s *shelf) TrimAudit(_ context.Context, _ directory.TenantCode, before time.Time) (int, error) {
	s.before = append(s.before, before)
	return 1, nil
}

// TestTheAuditIsTrimmed: at the start and each hour, by so many days, and again
// after a store that was away.
func TestTheAuditIsTrimmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- trimAudit(ctx, s, 400, slog.New(slog.DiscardHandler)) }()
		synctest.Wait()
		if len(s.before) != 1 || time.Since(s.before[0]) != 400*24*time.Hour {
			t.Errorf("trimmed before %v", s.before)
		}
		s.away.Store(true)
		<-time.After(trimEvery + time.Minute)
		s.away.Store(false)
		<-time.After(trimEvery)
		synctest.Wait()
		if len(s.before) != 2 {
			t.Errorf("trimmed %d times", len(s.before))
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
