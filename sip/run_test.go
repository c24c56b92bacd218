package sip_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"go.uber.org/goleak"

	"perch/sip"
	"perch/sip/handler"
)

// net/http lingers half a second with a client whose request it refused.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

// TestDrain: what has begun is answered, what comes later gets 503.
func TestDrain(t *testing.T) {
	busy, release := make(chan struct{}), make(chan struct{})
	s, err := sip.New(sip.Options{
		Listen: []string{"udp://127.0.0.1:0"}, Node: "n", Log: slog.New(slog.DiscardHandler),
		Handlers: sip.Handlers{Subscribe: func(_ context.Context, r *handler.Request) error {
			close(busy)
			<-release
			return r.Respond(489, "")
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	<-s.Started()
	o := &office{t: t, udp: s.Bound()[0].Addr.String()}
	p, q := o.phone("udp", "1", "1", ""), o.phone("udp", "2", "2", "")
	p.write(p.message("SUBSCRIBE", ""))
	<-busy
	cancel()
	for deadline := time.Now().Add(2 * time.Second); ; {
		if r := q.send(q.message("OPTIONS", "")); r.code == 503 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("still served")
		}
	}
	close(release)
	want(t, p.read(), 489)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error("second Close:", err)
	}
}

func TestNothingWithoutListen(t *testing.T) {
	s, err := sip.New(sip.Options{Listen: []string{"udp://127.0.0.1:0"}, Node: "n", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Run(t.Context()); err == nil {
		t.Error("ran without sockets")
	}
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(); err == nil {
		t.Error("listened twice")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Listen(); err == nil {
		t.Error("listened after Close")
	}
}
