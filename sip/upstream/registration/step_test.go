package registration

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

var now = time.UnixMilli(1_700_000_000_000)

func wanted() Record { return Record{Wanted: true, State: Registering} }

func TestNext(t *testing.T) {
	ok := Answer{Status: 200, Granted: 10 * time.Minute, Contact: "sip:a@b", CSeq: 3, Hop: "udp:192.0.2.1:5060"}
	r, due := wanted().Sent("sip:a@b", now).Next(ok, now, 0.5)
	if r.State != Registered || due.Sub(now) != 450*time.Second || r.Expires().Sub(now) != 10*time.Minute || r.Hop != ok.Hop || r.CSeq != 3 {
		t.Errorf("%+v %s", r, due.Sub(now))
	}
	// A node with another address takes over: the old contact goes in the same request.
	moved := r.Sent("sip:a@c", now.Add(time.Minute))
	if len(moved.Contacts) != 2 || moved.Contacts[0].URI != "sip:a@c" || moved.Contacts[1].URI != "sip:a@b" {
		t.Errorf("%+v", moved.Contacts)
	}
	ok.Contact = "sip:a@c"
	if moved, _ = moved.Next(ok, now.Add(time.Minute), 0.5); len(moved.Contacts) != 1 || moved.Contacts[0].URI != "sip:a@c" {
		t.Errorf("%+v", moved.Contacts)
	}
	// A refusal later keeps trying while the PBX still holds the contact.
	at := now.Add(9 * time.Minute)
	failed, due := r.Next(Answer{Status: 503, Why: WhyRefused}, at, 0.5)
	if failed.State != Failed || failed.Why != WhyRefused || due.Sub(at) > 30*time.Second || failed.Expires().IsZero() {
		t.Errorf("%+v %s", failed, due.Sub(at))
	}
	// Grants that make no sense are bounded.
	for _, granted := range []time.Duration{0, time.Second, 1000 * time.Hour} {
		a := ok
		a.Granted = granted
		r, due := wanted().Next(a, now, 0.99)
		if w := due.Sub(now); w < 40*time.Second || w > longest || r.Expires().Before(due) {
			t.Errorf("%s: due in %s", granted, w)
		}
	}
}

// TestBackoff: a PBX that refuses is asked ever more seldom, at least every ten
// minutes or so; one that asks for time gets it; a wrong password is not tried
// every few seconds.
func TestBackoff(t *testing.T) {
	r, last := wanted(), time.Duration(0)
	for i := range 20 {
		var due time.Time
		r, due = r.Next(Answer{Why: WhySilent}, now, 0.5)
		if w := due.Sub(now); w < last || w > lastRetry || i == 0 && w != firstRetry {
			t.Errorf("attempt %d: %s after %s", i, w, last)
		} else {
			last = w
		}
	}
	if _, due := wanted().Next(Answer{Status: 503, RetryAfter: 90 * time.Second}, now, 0); due.Sub(now) != 90*time.Second {
		t.Error(due.Sub(now))
	}
	if _, due := wanted().Next(Answer{Status: 503, RetryAfter: 1000 * time.Hour}, now, 0); due.Sub(now) != lastRetry {
		t.Error(due.Sub(now))
	}
	if _, due := wanted().Next(Answer{Status: 403, Why: WhyCredentials}, now, 0.5); due.Sub(now) != wrongRetry {
		t.Error(due.Sub(now))
	}
}

// TestUnregister: who logs out is gone from the PBX; a PBX that is away is
// asked a few times.
func TestUnregister(t *testing.T) {
	r, _ := wanted().Next(Answer{Status: 200, Granted: time.Hour, Contact: "sip:a@b"}, now, 0.5)
	r.Wanted = false
	for _, status := range []int{200, 403, 404, 481} {
		if got, _ := r.Next(Answer{Status: status}, now, 0.5); got.Stays() {
			t.Errorf("%d: %+v", status, got)
		}
	}
	n := 0
	for r.Stays() && n < 100 {
		r, _ = r.Next(Answer{Why: WhySilent}, now, 0.5)
		n++
	}
	if n != maxGiveUp {
		t.Errorf("gave up after %d", n)
	}
	if (Record{}).Stays() {
		t.Error("a record that nobody wants stays")
	}
}

// TestAnyStory: whatever comes back, a wanted record stays and is due in time,
// an unwanted one ends.
func TestAnyStory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, at := wanted(), now
		for range rapid.IntRange(1, 30).Draw(t, "n") {
			r = r.Sent(rapid.SampledFrom([]string{"sip:a@b", "sip:a@c", "sip:a@d", "sip:a@e", "sip:a@f", "sip:a@g"}).Draw(t, "contact"), at)
			var due time.Time
			r, due = r.Next(Answer{
				Status:  rapid.SampledFrom([]int{0, 200, 401, 403, 423, 500, 503, 999}).Draw(t, "status"),
				Granted: time.Duration(rapid.Int64().Draw(t, "granted")), RetryAfter: time.Duration(rapid.Int64Range(0, 1<<60).Draw(t, "after")),
				Contact: r.Contacts[0].URI,
			}, at, rapid.Float64Range(0, 0.999).Draw(t, "random"))
			if w := due.Sub(at); w <= 0 || w > longest || !r.Stays() || len(r.Contacts) > maxContacts {
				t.Fatalf("due in %s: %+v", w, r)
			}
			if r.State == Registered && !r.Expires().After(due) {
				t.Fatalf("refreshed at %s, over at %s", due, r.Expires())
			}
			at = due
		}
		r.Wanted = false
		r.Fails = 0
		for n := 0; r.Stays(); n++ {
			if n > maxGiveUp {
				t.Fatal("it never ends")
			}
			r, _ = r.Next(Answer{Status: rapid.SampledFrom([]int{0, 200, 403, 503}).Draw(t, "bye")}, at, 0.5)
		}
	})
}

func TestGeneration(t *testing.T) {
	a := Account{URI: "sip:a", Username: "b"}
	b := a
	b.Username = "c"
	if a.Generation() == b.Generation() || a.Generation() != (Account{URI: "sip:a", Username: "b", Number: "1"}).Generation() {
		t.Error("generations")
	}
}
