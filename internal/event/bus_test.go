package event

import (
	"sync"
	"testing"
	"time"
)

func take(t *testing.T, s *Subscription) (Event, bool) {
	t.Helper()
	select {
	case e, open := <-s.C():
		return e, open
	case <-time.After(10 * time.Second):
		t.Fatal("nothing came")
		return Event{}, false
	}
}

func TestBusGivesEachEventToAll(t *testing.T) {
	var b Bus
	one, two := b.Subscribe(4), b.Subscribe(4)
	for _, id := range []string{"1", "2", "3"} {
		b.Publish(Event{ID: id})
	}
	for _, s := range []*Subscription{one, two} {
		for _, want := range []string{"1", "2", "3"} {
			if e, open := take(t, s); !open || e.ID != want {
				t.Errorf("got %q, want %q", e.ID, want)
			}
		}
	}
	one.Close()
	one.Close()
	if _, open := take(t, one); open || one.Behind() {
		t.Error("a closed subscription is open or behind")
	}
	b.Publish(Event{ID: "4"})
	if e, _ := take(t, two); e.ID != "4" || b.Subscribers() != 1 {
		t.Errorf("got %q, %d subscribers", e.ID, b.Subscribers())
	}
}

func TestBusCutsOffWhoFallsBehind(t *testing.T) {
	var b Bus
	slow, quick := b.Subscribe(2), b.Subscribe(10)
	for range 5 {
		b.Publish(Event{ID: "x"})
	}
	n := 0
	for range slow.C() {
		n++
	}
	if n != 2 || !slow.Behind() || b.CutOff() != 1 {
		t.Errorf("%d came, behind %v, %d cut off", n, slow.Behind(), b.CutOff())
	}
	slow.Close()
	if len(quick.C()) != 5 || quick.Behind() {
		t.Error("the other one suffered")
	}
}

func TestBusClose(t *testing.T) {
	var b Bus
	s := b.Subscribe(0)
	b.Publish(Event{ID: "1"})
	b.Close()
	b.Close()
	b.Publish(Event{ID: "2"})
	if e, _ := take(t, s); e.ID != "1" {
		t.Errorf("got %q", e.ID)
	}
	if _, open := take(t, s); open || s.Behind() {
		t.Error("still open, or behind")
	}
	if _, open := take(t, b.Subscribe(1)); open {
		t.Error("a subscription to a closed bus is open")
	}
}

func TestBusUnderRace(t *testing.T) {
	var b Bus
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 500 {
				b.Publish(Event{})
			}
		})
		wg.Go(func() {
			for range 50 {
				s := b.Subscribe(3)
				<-s.C()
				s.Close()
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for {
		select {
		case <-done:
			if b.Subscribers() != 0 {
				t.Errorf("%d subscriptions left", b.Subscribers())
			}
			return
		default:
			b.Publish(Event{}) // the subscribers need one
		}
	}
}

func BenchmarkPublish(b *testing.B) {
	var bus Bus
	for range 8 {
		s := bus.Subscribe(1024)
		go func() {
			for range s.C() {
			}
		}()
	}
	b.ReportAllocs()
	for b.Loop() {
		bus.Publish(Event{Type: BindingCreated})
	}
	bus.Close()
}
