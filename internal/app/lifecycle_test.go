package app

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestStopsInReverse(t *testing.T) {
	l := newLifecycle(slog.New(slog.DiscardHandler))
	var order []string
	for _, name := range []string{"store", "jobs", "listeners"} {
		l.closes(name, func() error {
			order = append(order, name)
			return nil
		})
	}
	if err := l.stop(time.Second); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(order, []string{"listeners", "jobs", "store"}) {
		t.Errorf("stopped in the order %v", order)
	}
	if err := l.stop(time.Second); err != nil || len(order) != 3 {
		t.Errorf("a second stop: %v, %v", err, order)
	}
}

func TestStopNamesWhatWouldNotGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLifecycle(slog.New(slog.DiscardHandler))
		release := make(chan struct{})
		l.closes("store", func() error { return errors.New("disk full") })
		l.task("stubborn", func(context.Context) error {
			<-release
			return nil
		})
		err := l.stop(time.Second)
		if err == nil || !strings.Contains(err.Error(), "stop stubborn") || !strings.Contains(err.Error(), "stop store: disk full") {
			t.Errorf("err %v, want both named", err)
		}
		close(release)
	})
}

func TestATaskThatFailsEndsTheWhole(t *testing.T) {
	l := newLifecycle(slog.New(slog.DiscardHandler))
	l.task("sip", func(context.Context) error { return errors.New("socket gone") })
	if err := <-l.fault; err == nil || err.Error() != "sip: socket gone" {
		t.Errorf("fault %v", err)
	}
	if err := l.stop(time.Second); err != nil {
		t.Error(err)
	}
}

func TestATaskThatIsStoppedIsNoFault(t *testing.T) {
	l := newLifecycle(slog.New(slog.DiscardHandler))
	l.task("worker", func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	})
	if err := l.stop(time.Second); err != nil {
		t.Error(err)
	}
	if len(l.fault) != 0 {
		t.Errorf("fault %v", <-l.fault)
	}
}
