package store

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/internal/event"
	"perch/sip/location"
	"perch/sip/presence"
)

// dump is all that a tenant's scripts keep, as a check compares it.
type dump struct {
	Seats     map[string]hotdesk.Seats
	Contacts  map[string]location.Set
	Subs      map[string]presence.Subscription
	Logins    map[string][]login
	Seated    []string
	Timers    []string
	Warned    []string
	Expiry    []string // index of contacts: "user uri at"
	SubExpiry []string // "id at"
	SubsOf    map[string][]string
	Reloads   map[string]intentKept
	Due       map[string]int64
}

type login struct {
	MAC   string `json:"mac"`
	Line  int    `json:"line"`
	Since int64  `json:"since"`
}

type intentKept struct {
	Trace   string              `json:"trace"`
	Session directory.SessionID `json:"session"`
}

// failer is what a check needs of testing.T and of rapid.T.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

func readHash[T any](f failer, s *Store, k string) map[string]T {
	f.Helper()
	all, err := s.rdb.HGetAll(background, k).Result()
	if err != nil {
		f.Fatalf("%s: %v", k, err)
	}
	out := map[string]T{}
	for field, text := range all {
		var v T
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			f.Fatalf("%s %s: %v in %s", k, field, err, text)
		}
		out[field] = v
	}
	return out
}

func readScores(f failer, s *Store, k string) []redis.Z {
	f.Helper()
	list, err := s.rdb.ZRangeWithScores(background, k, 0, -1).Result()
	if err != nil {
		f.Fatalf("%s: %v", k, err)
	}
	return list
}

func readDump(f failer, s *Store, t directory.TenantCode, watchers []string) dump {
	f.Helper()
	d := dump{
		Seats: readHash[hotdesk.Seats](f, s, key(t, kSeats)), Contacts: readHash[location.Set](f, s, key(t, kContacts)),
		Subs: readHash[presence.Subscription](f, s, key(t, kSubscriptions)), Logins: readHash[[]login](f, s, key(t, kLogins)),
		Reloads: readHash[intentKept](f, s, key(t, kReloads)), SubsOf: map[string][]string{}, Due: map[string]int64{},
	}
	d.Seated = readSet(f, s, key(t, kSeated))
	for _, z := range readScores(f, s, key(t, kTimers)) {
		d.Timers = append(d.Timers, z.Member.(string))
	}
	for seat := range readHash[struct{}](f, s, key(t, kWarned)) {
		d.Warned = append(d.Warned, seat)
	}
	for _, w := range watchers {
		if m := readSet(f, s, keySubsOf(t, w)); len(m) > 0 {
			d.SubsOf[w] = m
		}
	}
	for _, z := range readScores(f, s, key(t, kContactExpiry)) {
		d.Expiry = append(d.Expiry, fmt.Sprintf("%s %.0f", strings.ReplaceAll(z.Member.(string), "\x00", " "), z.Score))
	}
	for _, z := range readScores(f, s, key(t, kSubExpiry)) {
		d.SubExpiry = append(d.SubExpiry, fmt.Sprintf("%s %.0f", z.Member, z.Score))
	}
	for _, z := range readScores(f, s, key(t, kReloadDue)) {
		d.Due[z.Member.(string)] = int64(z.Score)
	}
	slices.Sort(d.Expiry)
	slices.Sort(d.SubExpiry)
	return d
}

func readSet(f failer, s *Store, k string) []string {
	f.Helper()
	list, err := s.rdb.SMembers(background, k).Result()
	if err != nil {
		f.Fatalf("%s: %v", k, err)
	}
	slices.Sort(list)
	return list
}

// agrees checks what must hold of any state: every index says the same, and no
// reload is without a due time.
func (d dump) agrees(f failer) {
	f.Helper()
	var seated, expiry, subExpiry []string
	logins, subsOf := map[string][]login{}, map[string][]string{}
	for mac, s := range d.Seats {
		if len(s.Ending) > 4 {
			f.Errorf("%s remembers %d ended sessions", mac, len(s.Ending))
		}
		lines := map[int]bool{}
		for _, b := range s.Bindings {
			if lines[b.Line] {
				f.Errorf("%s/%d has two bindings", mac, b.Line)
			}
			lines[b.Line] = true
			seated = append(seated, fmt.Sprintf("%s/%d", mac, b.Line))
			logins[b.Number] = append(logins[b.Number], login{mac, b.Line, b.Since})
		}
	}
	for user, set := range d.Contacts {
		for _, c := range set.Contacts {
			expiry = append(expiry, fmt.Sprintf("%s %s %d", user, c.URI, c.Expires))
		}
	}
	for id, sub := range d.Subs {
		subExpiry = append(subExpiry, fmt.Sprintf("%s %d", id, sub.Expires))
		subsOf[watcher(sub)] = append(subsOf[watcher(sub)], member(sub))
	}
	same(f, "seated", seated, d.Seated)
	for _, seat := range slices.Concat(d.Timers, d.Warned) {
		if !slices.Contains(seated, seat) {
			f.Errorf("nobody sits at %s, which has a timer or a warning", seat)
		}
	}
	same(f, "contact-expiry", expiry, d.Expiry)
	same(f, "sub-expiry", subExpiry, d.SubExpiry)
	sameMap(f, "logins", logins, d.Logins)
	sameMap(f, "subs-of", subsOf, d.SubsOf)
	for mac := range d.Reloads {
		if d.Due[mac] == 0 {
			f.Errorf("%s has a reload that is never due", mac)
		}
	}
}

func same[T any](f failer, what string, want, got []T) {
	f.Helper()
	order := func(a, b T) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) }
	slices.SortFunc(want, order)
	got = slices.SortedFunc(slices.Values(got), order)
	if fmt.Sprint(want) != fmt.Sprint(got) {
		f.Errorf("%s: want %v, got %v", what, want, got)
	}
}

func sameMap[T any](f failer, what string, want, got map[string][]T) {
	f.Helper()
	for k, v := range want {
		same(f, what+" "+k, v, got[k])
	}
	for k, v := range got {
		if len(want[k]) == 0 {
			f.Errorf("%s %s: got %v, want nothing", what, k, v)
		}
	}
}

// replays checks that the events alone lead to the state.
func (d dump) replays(f failer, events []event.Event) {
	f.Helper()
	seats, contacts := map[string]string{}, map[string]int{}
	for _, e := range events {
		seat := fmt.Sprintf("%s/%d", e.MAC, e.Line)
		holder := fmt.Sprintf("%s %s %s", e.Target, e.MAC, e.Session)
		switch e.Type {
		case event.BindingCreated:
			if seats[seat] != "" {
				f.Errorf("event: %s was not empty", seat)
			}
			seats[seat] = e.Number + " " + string(e.Session)
		case event.BindingEnded:
			if seats[seat] != e.Number+" "+string(e.Session) {
				f.Errorf("event: %s ended %s, there was %q", seat, e.Session, seats[seat])
			}
			delete(seats, seat)
		case event.ContactAdded:
			contacts[holder]++
		case event.ContactRemoved:
			if contacts[holder]--; contacts[holder] == 0 {
				delete(contacts, holder)
			}
		default:
		}
	}
	for mac, s := range d.Seats {
		for _, b := range s.Bindings {
			seat := fmt.Sprintf("%s/%d", mac, b.Line)
			if seats[seat] != b.Number+" "+string(b.Session) {
				f.Errorf("events say %q sits at %s, the state %s %s", seats[seat], seat, b.Number, b.Session)
			}
			delete(seats, seat)
		}
	}
	for user, set := range d.Contacts {
		for _, c := range set.Contacts {
			contacts[fmt.Sprintf("%s %s %s", user, c.MAC, c.Session)]--
		}
	}
	for holder, n := range contacts {
		if n != 0 {
			f.Errorf("events and contacts differ by %d for %s", n, holder)
		}
	}
	if len(seats) > 0 {
		f.Errorf("events say that they sit, the state does not: %v", seats)
	}
}
