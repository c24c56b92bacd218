package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"perch/hotdesk/directory"
	"perch/internal/sim"
)

// The crowd of the crash tests: so many people, each with a desk; phones stand
// on the desks that are logged in at while the crash happens.
const (
	crowd       = 300
	crashAfter  = 100 // logins acknowledged
	firstPhone  = 88
	crowdPhones = 12
)

func crowdNumber(i int) string { return fmt.Sprintf("2%03d", i) }
func crowdMAC(i int) string    { return fmt.Sprintf("00156577%04x", i) }

func crowdFile() string {
	var b strings.Builder
	b.WriteString("tenants:\n  - code: acme\n    domains: [acme.test]\n    extensions:\n")
	for i := range crowd {
		fmt.Fprintf(&b, "      - {number: %q, name: Person %d, pin: \"%04d\", keys: [{type: blf, value: %q}]}\n",
			crowdNumber(i), i, 3000+7*i, crowdNumber((i+1)%crowd))
	}
	b.WriteString("    devices:\n")
	for i := range crowd {
		fmt.Fprintf(&b, "      - {mac: %q, brand: yealink, model: T46U, secret: dev-%s}\n", crowdMAC(i), crowdMAC(i))
	}
	return b.String()
}

// TestCrash kills, in the middle of 300 logins, perch, its redis-server, or
// both: what was acknowledged is there, nothing is half done, and the phones
// that were on their way arrive.
func TestCrash(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name         string
		perch, redis bool
	}{
		{"perch", true, false},
		{"redis", false, true},
		{"both", true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, crowdFile())
			phones := s.crowd()

			redis := redisPID(t, s.data())
			acknowledged := s.loginsUntil(func() {
				if c.redis {
					signal(t, redis, syscall.SIGKILL)
				}
				if c.perch {
					s.kill()
				}
			})
			// A request that waits for redis-server to come back is answered late, but answered.
			if n := len(acknowledged); n < crashAfter || c.perch && n == crowd {
				t.Fatalf("%d logins were acknowledged: the crash was not in the middle", len(acknowledged))
			}
			if c.perch {
				s.start()
			}
			s.ready()

			seated := s.agree()
			for i := range acknowledged {
				if seated[crowdMAC(i)] != crowdNumber(i) {
					t.Errorf("%s was told to sit at %s; there sits %q", crowdNumber(i), crowdMAC(i), seated[crowdMAC(i)])
				}
			}
			t.Logf("%d acknowledged, %d seated", len(acknowledged), len(seated))

			s.loginRest()
			if seated = s.agree(); len(seated) != crowd {
				t.Errorf("%d sit in the end", len(seated))
			}
			for i, p := range phones {
				p.becomes(crowdNumber(firstPhone+i), 30*time.Second)
			}
		})
	}
}

// crowd switches the phones on.
func (s *server) crowd() (phones []*desk) {
	s.t.Helper()
	for i := range crowdPhones {
		mac := crowdMAC(firstPhone + i)
		d := &desk{t: s.t}
		var err error
		d.Phone, err = sim.New(sim.Options{
			MAC: device(s.t, mac).MAC, Brand: sim.Yealink, BaseURL: "http://" + s.provisioning + "/",
			Secret: directory.Secret("dev-" + mac), Retry: 200 * time.Millisecond, OnEvent: d.hear,
		})
		if err != nil {
			s.t.Fatal(err)
		}
		d.power(s.t)
		phones = append(phones, d)
	}
	for i, d := range phones {
		d.is(crowdMAC(firstPhone + i))
	}
	return phones
}

// loginsUntil logs the crowd in, four at a time, and does crash in the middle.
// It gives back who was told that they sit.
func (s *server) loginsUntil(crash func()) map[int]bool {
	s.t.Helper()
	api := s.rest()
	acknowledged := map[int]bool{}
	var mu sync.Mutex
	var once sync.Once
	var work sync.WaitGroup
	todo := make(chan int)
	for range 4 {
		work.Go(func() {
			for i := range todo {
				if api.loginAs(s.t.Context(), i) != http.StatusOK {
					continue // not told: it may be so or not
				}
				mu.Lock()
				acknowledged[i] = true
				n := len(acknowledged)
				mu.Unlock()
				if n == crashAfter {
					once.Do(crash)
				}
			}
		})
	}
	for i := range crowd {
		todo <- i
	}
	close(todo)
	work.Wait()
	return acknowledged
}

// loginRest asks for every login again, by the same request id, until each is
// acknowledged.
func (s *server) loginRest() {
	s.t.Helper()
	api := s.rest()
	for i := range crowd {
		eventually(s.t, "the login of "+crowdNumber(i), 10*time.Second, func() bool {
			return api.loginAs(s.t.Context(), i) == http.StatusOK
		})
	}
}

func (r rest) loginAs(ctx context.Context, i int) int {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	status, _ := r.ask(ctx, http.MethodPost, "/login", map[string]string{
		"tenant": "acme", "extension": crowdNumber(i), "mac": crowdMAC(i), "request_id": "crash-" + crowdNumber(i),
	})
	return status
}

// agree reads with redis-cli everything that says who sits where, fails the
// test where two of them differ, and gives back MAC to number.
func (s *server) agree() map[string]string {
	s.t.Helper()
	type binding struct {
		Session, Number, Trace string
		Line                   int
	}
	seated, sessions := map[string]string{}, map[string]binding{}
	for mac, text := range s.hash("seats") {
		var seats struct{ Bindings []binding }
		s.decode(text, &seats)
		for _, b := range seats.Bindings {
			seated[mac], sessions[mac] = b.Number, b
		}
	}
	set := map[string]bool{}
	for _, m := range strings.Fields(redisAt(s.t, s.data(), "SMEMBERS", "{acme}:seated")) {
		set[m] = true
	}
	logins := 0
	for number, text := range s.hash("logins") {
		var at []struct {
			MAC  string
			Line int
		}
		s.decode(text, &at)
		for _, l := range at {
			logins++
			if seated[l.MAC] != number {
				s.t.Errorf("logins has %s at %s, seats has %q", number, l.MAC, seated[l.MAC])
			}
		}
	}
	if len(set) != len(seated) || logins != len(seated) {
		s.t.Errorf("%d seats, %d seated, %d logins", len(seated), len(set), logins)
	}
	traces := s.hash("traces")
	for mac, b := range sessions {
		if !set[mac+"/1"] {
			s.t.Errorf("%s sits at %s and is not in seated", b.Number, mac)
		}
		var tr struct{ ID, Number, Session string }
		s.decode(traces[mac], &tr)
		if tr.Number != b.Number || tr.Session != b.Session || tr.ID != b.Trace {
			s.t.Errorf("%s sits at %s by %s, the trace says %+v", b.Number, mac, b.Trace, tr)
		}
	}
	for user, text := range s.hash("contacts") {
		var set struct {
			Contacts []struct{ MAC, Session string }
		}
		s.decode(text, &set)
		for _, c := range set.Contacts {
			if c.Session != "" && sessions[c.MAC].Session != c.Session {
				s.t.Errorf("%s has a contact of a session that nobody has", user)
			}
		}
	}
	return seated
}

// hash reads a hash of the tenant.
func (s *server) hash(name string) map[string]string {
	s.t.Helper()
	all := map[string]string{}
	lines := strings.Split(redisAt(s.t, s.data(), "HGETALL", "{acme}:"+name), "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		all[lines[i]] = lines[i+1]
	}
	return all
}

func (s *server) decode(text string, into any) {
	s.t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		s.t.Errorf("%v in %q", err, text)
	}
}
