package handler

import (
	"container/heap"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
)

var start = time.Unix(1_700_000_000, 0)

func valued(method sip.RequestMethod, user, toTag string) *sip.Request {
	req := sip.NewRequest(method, sip.Uri{Scheme: "sip", User: user, Host: "acme.test"})
	to := &sip.ToHeader{Address: sip.Uri{Scheme: "sip", User: user, Host: "acme.test"}}
	if toTag != "" {
		to.Params = append(to.Params, sip.HeaderKV{K: "tag", V: toTag})
	}
	req.AppendHeader(to)
	return req
}

func TestValueOf(t *testing.T) {
	own := func(user string) bool { return user == "0112" }
	for _, tc := range []struct {
		method    sip.RequestMethod
		user, tag string
		want      Value
	}{
		{sip.SUBSCRIBE, "1001", "", Subscribe},
		{sip.SUBSCRIBE, "1001", "t", Refresh},
		{sip.REGISTER, "", "", Refresh},
		{sip.OPTIONS, "", "", Other},
		{sip.OPTIONS, "1001", "t", Call},
		{sip.PUBLISH, "1001", "", Other},
		{"NONSENSE", "1001", "", Other},
		{sip.INVITE, "1001", "", Call},
		{sip.INVITE, "112", "", Emergency},
		{sip.INVITE, "0112", "", Emergency},
		{sip.INVITE, "SOS.fire", "", Emergency},
		{sip.INVITE, "1120", "", Call},
		{sip.BYE, "1001", "t", Call},
		{sip.NOTIFY, "1001", "t", Call},
		{sip.INFO, "1001", "t", Call},
	} {
		if got := ValueOf(valued(tc.method, tc.user, tc.tag), own); got != tc.want {
			t.Errorf("%s %s: %v, want %v", tc.method, tc.user, got, tc.want)
		}
	}
}

// TestShedByValue: as the work in hand grows, the least valuable goes first and
// an emergency call last.
func TestShedByValue(t *testing.T) {
	l := NewLoad(Limits{Calls: 10, Others: 100}, nil)
	admitted := map[Value]int{}
	for _, v := range []Value{Subscribe, Other, Refresh, Call} {
		for range 200 {
			after, ok := l.Enter(v, false, start)
			if ok {
				admitted[v]++
			} else if after < soonest || after > latest*12/10 {
				t.Fatalf("%v: Retry-After %v", v, after)
			}
		}
	}
	if admitted[Subscribe] != 50 || admitted[Other] != 10 || admitted[Refresh] != 20 || admitted[Call] != 20 {
		t.Errorf("admitted %v", admitted)
	}
	calls, emergencies := 0, 0
	for range 50 {
		if _, ok := l.Enter(Call, true, start); ok {
			calls++
		}
	}
	for range 50 {
		if _, ok := l.Enter(Emergency, true, start); ok {
			emergencies++
		}
	}
	if calls != 10 || emergencies != 1 {
		t.Errorf("%d calls, %d emergency calls beyond", calls, emergencies)
	}
	for range 11 {
		l.Leave(true, start)
	}
	for range 100 {
		l.Leave(false, start)
	}
	if c, o := l.InHand(); c != 0 || o != 0 {
		t.Errorf("%d and %d are left", c, o)
	}
}

// TestRetryAfter: the queue divided by the measured rate, 20% more or less.
func TestRetryAfter(t *testing.T) {
	for _, tc := range []struct{ random, factor float64 }{{0, 0.8}, {0.5, 1}, {0.999999, 1.2}} {
		l := NewLoad(Limits{Others: 1000}, func() float64 { return tc.random })
		now := start
		for range 500 {
			l.Enter(Refresh, false, now)
		}
		for range 1000 { // 100 a second, for ten seconds
			now = now.Add(10 * time.Millisecond)
			l.Enter(Refresh, false, now)
			l.Leave(false, now)
		}
		for range 300 { // up to the limit of a refresh
			l.Enter(Refresh, false, now)
		}
		var after time.Duration
		for range 200 { // the 200th is behind 800 in hand and 199 sent away
			after, _ = l.Enter(Refresh, false, now)
		}
		want := tc.factor * 10
		if got := after.Seconds(); got < want*0.95 || got > want*1.05 {
			t.Errorf("random %v: Retry-After %v, want about %v s", tc.random, after, want)
		}
	}
}

// phone is one of a simulated fleet: it wants one registration and one
// subscription, and to refresh the registration every ten minutes.
type phone struct {
	registered bool
	lit        bool
}

type step struct {
	at    time.Time
	phone int
	value Value
	done  bool // a handler ends, else a request arrives
}

type steps []step

func (s steps) Len() int           { return len(s) }
func (s steps) Less(i, j int) bool { return s[i].at.Before(s[j].at) }
func (s steps) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }
func (s *steps) Push(x any)        { *s = append(*s, x.(step)) }
func (s *steps) Pop() any {
	old := *s
	x := old[len(old)-1]
	*s = old[:len(old)-1]
	return x
}

// result of a simulation.
type result struct {
	registered, lit time.Duration // until the last of the fleet was
	answers, sheds  int
	lateSheds       int // in the calm after
	longest         time.Duration
	busiest         int // most requests that arrived within one second after the first two
}

// simulate lets a fleet of n phones start within a second at a server that
// does perSecond requests a second, one after the other.
func simulate(n int, perSecond float64, until time.Duration, retry func(*Load, time.Duration) time.Duration) result {
	rng := rand.New(rand.NewPCG(1, 2))
	l := NewLoad(Limits{Others: 400}, rng.Float64)
	service := time.Duration(float64(time.Second) / perSecond)
	fleet := make([]phone, n)
	var queue steps
	for i := range fleet {
		heap.Push(&queue, step{at: start.Add(time.Duration(rng.Float64() * float64(time.Second))), phone: i, value: Refresh})
	}
	var r result
	arrivals := map[int64]int{}
	free := start // when the server has done what it has
	calm := start.Add(5 * time.Minute)
	for queue.Len() > 0 {
		s := heap.Pop(&queue).(step)
		if s.at.After(start.Add(until)) {
			break
		}
		p := &fleet[s.phone]
		if s.done {
			l.Leave(false, s.at)
			r.answers++
			switch s.value {
			case Refresh:
				if !p.registered {
					p.registered = true
					r.registered = s.at.Sub(start)
					heap.Push(&queue, step{at: s.at.Add(time.Duration(rng.Float64() * float64(time.Second))), phone: s.phone, value: Subscribe})
				}
				spread := time.Duration(rng.Float64() * float64(2*time.Minute)) // the registrar's own
				heap.Push(&queue, step{at: s.at.Add(8*time.Minute + spread), phone: s.phone, value: Refresh})
			case Subscribe:
				if !p.lit {
					p.lit = true
					r.lit = s.at.Sub(start)
				}
			}
			continue
		}
		if since := s.at.Sub(start); since > 2*time.Second {
			arrivals[int64(since/time.Second)]++
		}
		after, ok := l.Enter(s.value, false, s.at)
		if !ok {
			r.sheds++
			if s.at.After(calm) {
				r.lateSheds++
			}
			after = retry(l, after)
			seconds := (after + time.Second - 1) / time.Second // what Retry-After can say
			heap.Push(&queue, step{at: s.at.Add(seconds * time.Second), phone: s.phone, value: s.value})
			continue
		}
		if free.Before(s.at) {
			free = s.at
		}
		free = free.Add(service)
		r.longest = max(r.longest, free.Sub(s.at))
		heap.Push(&queue, step{at: free, phone: s.phone, value: s.value, done: true})
	}
	for _, n := range arrivals {
		r.busiest = max(r.busiest, n)
	}
	return r
}

// TestFleetComesBack: after a power cut 20,000 phones start within a second at
// a server that can do 500 requests a second. All are registered in little more
// than the time that the work takes, nobody waits for an answer until it gives
// up, those sent away do not come back at once, and afterwards nothing is
// refused any more.
func TestFleetComesBack(t *testing.T) {
	const phones, rate = 20_000, 500.0
	r := simulate(phones, rate, 12*time.Minute, func(_ *Load, after time.Duration) time.Duration { return after })
	least := time.Duration(phones / rate * float64(time.Second)) // the registrations alone
	t.Logf("registered %v, lit %v (the work takes %v and %v), %d answered, %d sent away, longest wait %v, at most %d a second later",
		r.registered, r.lit, least, 2*least, r.answers, r.sheds, r.longest, r.busiest)
	if r.registered > least*5/2 || r.lit > 2*least*3/2 {
		t.Errorf("registered after %v, lit after %v", r.registered, r.lit)
	}
	if r.longest > 2*time.Second {
		t.Errorf("an answer took %v", r.longest)
	}
	if r.lateSheds > 0 {
		t.Errorf("%d were sent away in the calm after", r.lateSheds)
	}
	if r.sheds > 5*phones {
		t.Errorf("sent away %d times", r.sheds)
	}

	// The same with a fixed Retry-After: they all come back at once, again and
	// again.
	fixed := simulate(phones, rate, 30*time.Second, func(*Load, time.Duration) time.Duration { return 2 * time.Second })
	t.Logf("with two seconds for everybody: %d sent away in 30 seconds, at most %d a second", fixed.sheds, fixed.busiest)
	if fixed.sheds < 3*r.sheds || fixed.busiest < 2*r.busiest {
		t.Errorf("booking places gains nothing: %d and %d sent away", r.sheds, fixed.sheds)
	}
}
