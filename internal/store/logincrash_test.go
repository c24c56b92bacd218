package store

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/internal/event"
)

// TestKillTheServerWhilePeopleSwap kills the child server with SIGKILL again
// and again while people log in and move: each acknowledged login is there
// afterwards, none is half done, and the one that was asked again got its first
// answer.
func TestKillTheServerWhilePeopleSwap(t *testing.T) {
	const crews, kills, between = 6, 4, 50
	s := open(t, Options{DataDir: t.TempDir()})
	o := newOffice(t, s)
	last := make([]map[string]directory.SessionID, crews)
	stop, acked := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	for crew := range crews {
		c := newCrew(o, crew)
		wg.Go(func() {
			for n := 0; c.login(t, n); n++ {
				select {
				case acked <- struct{}{}:
				case <-stop:
					last[crew] = c.sits
					return
				}
			}
		})
	}
work:
	for n := range (kills + 1) * between {
		if n > 0 && n%between == 0 {
			if pid := s.backend.child.PID(); pid > 0 {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
		select {
		case <-acked:
		case <-time.After(30 * time.Second):
			t.Error("nobody can log in any more")
			break work
		}
	}
	close(stop)
	wg.Wait()
	for _, sits := range last {
		for number, session := range sits {
			o.sitsWith(number, session)
		}
	}
	d := readDump(t, s, acme, nil)
	d.agrees(t)
	d.replays(t, allEvents(t, s))
}

// crew is two people with two desks of their own, who swap.
type crew struct {
	o     *office
	n     int
	who   [2]string
	desks [2]directory.DeviceID
	sits  map[string]directory.SessionID // acknowledged
}

func newCrew(o *office, n int) *crew {
	c := &crew{o: o, n: n, sits: map[string]directory.SessionID{}}
	for i := range 2 {
		c.who[i] = strconv.Itoa(2000 + 10*n + i)
		c.desks[i] = directory.DeviceID{Tenant: acme, MAC: directory.MAC{2, 0, 0, 0, byte(n), byte(i + 1)}}
		o.device(directory.Device{ID: c.desks[i]})
		o.put(kExtensions, c.who[i], directory.Extension{})
	}
	return c
}

// login asks, as often as it takes, with the same request id.
func (c *crew) login(t *testing.T, n int) bool {
	who, at := rand.IntN(2), rand.IntN(2)
	r := hotdesk.BindRequest{
		ID: fmt.Sprintf("c%d-%d", c.n, n), Now: time.Now(), Device: c.desks[at], Rules: move,
		Binding: hotdesk.Binding{
			Number: c.who[who], Line: 1, Session: directory.SessionID(fmt.Sprintf("%032x", c.n<<20+n)),
			Since: time.Now().UnixMilli(), Trace: fmt.Sprintf("c%d-%d", c.n, n), Door: hotdesk.API,
		},
	}
	var out hotdesk.Outcome
	var err error
	for range 20 {
		if out, err = c.o.s.Bind(t.Context(), r); err == nil {
			break
		}
	}
	if err != nil {
		t.Errorf("login never came through: %v", err)
		return false
	}
	for _, e := range out.Ended {
		delete(c.sits, e.Binding.Number)
	}
	c.sits[c.who[who]] = out.Binding.Session
	return true
}

func (o *office) sitsWith(number string, session directory.SessionID) {
	o.t.Helper()
	seats, err := o.s.Logins(o.t.Context(), directory.ExtensionID{Tenant: acme, Number: number})
	o.must(err)
	if len(seats) != 1 {
		o.t.Errorf("%s sits at %d desks", number, len(seats))
		return
	}
	b, _ := o.seats(seats[0].Device).At(1)
	if b.Number != number || b.Session != session {
		o.t.Errorf("%s: acknowledged session %s, stored %+v", number, session, b)
	}
	if i, open := o.intent(seats[0].Device); !open || i.Session != session {
		o.t.Errorf("%s: no open reload for the session: %+v", number, i)
	}
}

func allEvents(t *testing.T, s *Store) []event.Event {
	t.Helper()
	list, err := s.rdb.XRange(t.Context(), key(acme, kEvents), "-", "+").Result()
	if err != nil {
		t.Fatal(err)
	}
	out := make([]event.Event, len(list))
	for i, x := range list {
		text, _ := x.Values["e"].(string)
		if err := json.Unmarshal([]byte(text), &out[i]); err != nil {
			t.Fatal(err)
		}
	}
	return out
}
