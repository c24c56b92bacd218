package location

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"perch/hotdesk/directory"
)

var start = time.UnixMilli(1_790_000_000_000)

func parse(t testing.TB, fields ...string) []Wanted {
	t.Helper()
	w, star, err := ParseContacts(fields)
	if err != nil || star {
		t.Fatal(star, err)
	}
	return w
}

// static is a REGISTER with an extension's static password.
func static(callID string, cseq uint32, expires int64, contacts ...Wanted) Update {
	return Update{
		Tenant: "acme", AOR: directory.AOR{User: "1001", Domain: "acme.test"},
		Contacts: contacts, Expires: expires, CallID: callID, CSeq: cseq,
	}
}

// device is one with a session at a device's line.
func device(mac byte, session directory.SessionID, callID string, cseq uint32, contacts ...Wanted) Update {
	u := static(callID, cseq, Absent, contacts...)
	u.Device = directory.DeviceID{Tenant: "acme", MAC: directory.MAC{0, 1, 2, 3, 4, mac}}
	u.Line, u.Session = 1, session
	return u
}

// run applies updates one second apart and gives the last decision.
func run(t *testing.T, updates ...Update) (Decision, Set) {
	t.Helper()
	var set Set
	var last Decision
	for i, u := range updates {
		d, err := Register(set, u, DefaultRules(), start.Add(time.Duration(i)*time.Second))
		if err != nil {
			t.Fatalf("update %d: %v", i, err)
		}
		if d.Write {
			set = Set{Rev: set.Rev + 1, Contacts: d.Commit.Set.Contacts}
		}
		last = d
	}
	return last, set
}

func uris(cs []Contact) (out []string) {
	for _, c := range cs {
		out = append(out, c.URI)
	}
	return out
}

func TestRegister(t *testing.T) {
	a, b, c := "<sip:a@192.0.2.1>", "<sip:b@192.0.2.2>", "<sip:c@192.0.2.3>"
	for _, tc := range []struct {
		name    string
		updates []Update
		want    []string // URIs listed in the last answer
	}{
		{"10.3 step 8: query lists", []Update{static("x", 1, Absent, parse(t, a, b)...), static("y", 1, Absent)}, []string{"sip:a@192.0.2.1", "sip:b@192.0.2.2"}},
		{"10.3 step 7: several contacts", []Update{static("x", 1, Absent, parse(t, a)...), static("y", 1, Absent, parse(t, b, c)...)}, []string{"sip:a@192.0.2.1", "sip:b@192.0.2.2", "sip:c@192.0.2.3"}},
		{"10.2.2: Expires 0 removes what is named", []Update{static("x", 1, Absent, parse(t, a, b)...), static("x", 2, 0, parse(t, a)...)}, []string{"sip:b@192.0.2.2"}},
		{"10.2.2: parameter 0 removes, the other stays", []Update{static("x", 1, Absent, parse(t, a, b)...), static("x", 2, Absent, parse(t, a+";expires=0", b)...)}, []string{"sip:b@192.0.2.2"}},
		{"10.3 step 6: star", []Update{static("x", 1, Absent, parse(t, a, b)...), {Star: true, Expires: 0, CallID: "x", CSeq: 2, AOR: directory.AOR{User: "1001"}}}, nil},
		{"10.3 step 6: star with another Call-ID", []Update{static("x", 9, Absent, parse(t, a)...), {Star: true, Expires: 0, CallID: "y", CSeq: 1}}, nil},
		{"19.1.4: the same contact in other words", []Update{static("x", 1, Absent, parse(t, "<sip:%61@Host>")...), static("x", 2, Absent, parse(t, "<sip:a@host>")...)}, []string{"sip:a@host"}},
		{"removing what is not there", []Update{static("x", 1, 0, parse(t, a)...)}, nil},
		{"a device keeps one contact", []Update{device(1, "s1", "x", 1, parse(t, a)...), device(1, "s1", "y", 1, parse(t, b)...)}, []string{"sip:b@192.0.2.2"}},
		{"of several the preferred", []Update{device(1, "s1", "x", 1, parse(t, a+";q=0.2", b+";q=0.9", c)...)}, []string{"sip:c@192.0.2.3"}},
		{"another device's contact stays", []Update{device(1, "s1", "x", 1, parse(t, a)...), device(2, "s2", "x", 1, parse(t, a)...)}, []string{"sip:a@192.0.2.1", "sip:a@192.0.2.1"}},
		{"a device's star leaves the others", []Update{
			device(1, "s1", "x", 1, parse(t, a)...), device(2, "s2", "y", 1, parse(t, b)...),
			func() Update { u := device(1, "s1", "x", 2); u.Star, u.Expires = true, 0; return u }(),
		}, []string{"sip:b@192.0.2.2"}},
		{"another session of the device replaces, whatever its CSeq", []Update{device(1, "s1", "x", 9, parse(t, a)...), device(1, "s2", "x", 3, parse(t, a)...)}, []string{"sip:a@192.0.2.1"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d, _ := run(t, tc.updates...)
			if got := uris(d.Contacts); !slices.Equal(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestRegisterRefuses(t *testing.T) {
	a, b := "<sip:a@192.0.2.1>", "<sip:b@192.0.2.2>"
	eleven := make([]Update, 0, 11)
	for i := range 11 {
		eleven = append(eleven, static("x", uint32(i+1), Absent, parse(t, fmt.Sprintf("<sip:a@192.0.2.%d>", i))...))
	}
	brief := &TooBrief{}
	for _, tc := range []struct {
		name   string
		before []Update
		u      Update
		want   error
	}{
		{"10.3 step 6: star needs Expires 0", nil, Update{Star: true, Expires: 60}, ErrMalformed},
		{"10.3 step 6: star without Expires", nil, Update{Star: true, Expires: Absent}, ErrMalformed},
		{"10.3 step 6: star with an old CSeq", []Update{static("x", 5, Absent, parse(t, a)...)}, Update{Star: true, CallID: "x", CSeq: 5}, ErrOutOfOrder},
		{"10.3 step 7: CSeq lower", []Update{static("x", 5, Absent, parse(t, a)...)}, static("x", 4, Absent, parse(t, a)...), ErrOutOfOrder},
		{"10.3 step 7: CSeq equal", []Update{static("x", 5, Absent, parse(t, a)...)}, static("x", 5, Absent, parse(t, a)...), ErrOutOfOrder},
		{"10.3 step 7: removal with an old CSeq", []Update{static("x", 5, Absent, parse(t, a)...)}, static("x", 4, 0, parse(t, a)...), ErrOutOfOrder},
		{"10.3: all or nothing", []Update{static("x", 5, Absent, parse(t, a)...)}, static("x", 4, Absent, parse(t, b, a)...), ErrOutOfOrder},
		{"10.3 step 7: too brief", nil, static("x", 1, 59, parse(t, a)...), brief},
		{"10.3 step 7: one of two too brief", nil, static("x", 1, Absent, parse(t, a, b+";expires=1")...), brief},
		{"too many contacts", eleven[:10], eleven[10], ErrTooMany},
		{"a device's older request", []Update{device(1, "s", "x", 5, parse(t, a)...)}, device(1, "s", "x", 4, parse(t, b)...), ErrOutOfOrder},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, set := run(t, tc.before...)
			d, err := Register(set, tc.u, DefaultRules(), start.Add(time.Minute))
			if target := new(TooBrief); tc.want == brief {
				if !errors.As(err, &target) || target.Min != 60 {
					t.Errorf("got %v", err)
				}
			} else if !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
			if d.Write || len(d.Contacts) > 0 {
				t.Errorf("a refusal decided %+v", d)
			}
		})
	}
}

func TestGrant(t *testing.T) {
	const def = 3600 * 85 / 100
	for _, tc := range []struct {
		name   string
		header int64
		param  string
		want   int
	}{
		{"as asked", 300, "", 300},
		{"the least", 60, "", 60},
		{"at the edge of the jitter", 900, "", 900},
		{"jittered", 1000, "", 850},
		{"capped, then jittered", 100_000, "", 7200 * 85 / 100},
		{"the parameter beats the header", 600, ";expires=120", 120},
		{"default", Absent, "", def},
		{"malformed header is the default", Bad, "", def},
		{"malformed parameter is the default", 120, ";expires=x", def},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rules := DefaultRules()
			rules.Jitter = 0.5
			d, err := Register(Set{}, static("x", 1, tc.header, parse(t, "<sip:a@b>"+tc.param)...), rules, start)
			if err != nil || d.Contacts[0].Granted != tc.want {
				t.Errorf("granted %+v, %v; want %d", d.Contacts, err, tc.want)
			}
			if got := d.Commit.Added[0].Expires - start.UnixMilli(); got != int64(tc.want)*1000 {
				t.Errorf("stored for %d ms", got)
			}
		})
	}
}

func TestNever423AtAnHour(t *testing.T) {
	rules := Rules{Min: 7200, Default: 7200, Max: 7200, MaxContacts: 10}
	if _, err := Register(Set{}, static("x", 1, 3600, parse(t, "<sip:a@b>")...), rules, start); err != nil {
		t.Errorf("an hour was refused: %v", err)
	}
}

func TestSupersede(t *testing.T) {
	a, b := parse(t, "<sip:a@192.0.2.1>"), parse(t, "<sip:b@192.0.2.1>")
	for _, tc := range []struct {
		name    string
		updates []Update
		want    bool
	}{
		{"first of a session", []Update{device(1, "s1", "x", 1, a...)}, true},
		{"refresh", []Update{device(1, "s1", "x", 1, a...), device(1, "s1", "x", 2, a...)}, false},
		{"other port of the same session", []Update{device(1, "s1", "x", 1, a...), device(1, "s1", "y", 1, b...)}, false},
		{"next session", []Update{device(1, "s1", "x", 1, a...), device(1, "s2", "x", 2, a...)}, true},
		{"static password", []Update{static("x", 1, Absent, a...)}, false},
		{"removal", []Update{device(1, "s1", "x", 1, a...), func() Update { u := device(1, "s1", "x", 2, a...); u.Expires = 0; return u }()}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if d, _ := run(t, tc.updates...); d.Commit.Supersede != tc.want {
				t.Errorf("supersede is %v", d.Commit.Supersede)
			}
		})
	}
}

func TestChangesForEvents(t *testing.T) {
	d, _ := run(t, device(1, "s1", "x", 1, parse(t, "<sip:a@192.0.2.1>")...), device(1, "s1", "y", 1, parse(t, "<sip:b@192.0.2.1>")...))
	if !slices.Equal(uris(d.Commit.Added), []string{"sip:b@192.0.2.1"}) || !slices.Equal(uris(d.Commit.Removed), []string{"sip:a@192.0.2.1"}) || len(d.Commit.Refreshed) > 0 {
		t.Errorf("%+v", d.Commit)
	}
	d, _ = run(t, device(1, "s1", "x", 1, parse(t, "<sip:a@192.0.2.1>")...), device(1, "s1", "y", 1, parse(t, "<sip:a@192.0.2.1>")...))
	if len(d.Commit.Restarted) != 1 || len(d.Commit.Refreshed) != 1 {
		t.Errorf("after a restart: %+v", d.Commit)
	}
	d, _ = run(t, device(1, "s1", "x", 1, parse(t, "<sip:a@192.0.2.1>")...), device(1, "s1", "x", 2, parse(t, "<sip:a@192.0.2.1>")...))
	if len(d.Commit.Restarted) > 0 {
		t.Error("a refresh is no restart")
	}
	if len(d.Commit.Added) > 0 || len(d.Commit.Removed) > 0 || len(d.Commit.Refreshed) != 1 || d.Commit.Refreshed[0].Since != start.UnixMilli() {
		t.Errorf("%+v", d.Commit)
	}
}

func TestExpiredContactsAreNobody(t *testing.T) {
	_, set := run(t, static("x", 5, 60, parse(t, "<sip:a@192.0.2.1>")...))
	later := start.Add(2 * time.Minute)
	d, err := Register(set, static("z", 1, Absent), DefaultRules(), later)
	if err != nil || len(d.Contacts) != 0 {
		t.Errorf("query lists %+v, %v", d.Contacts, err)
	}
	// It may be made anew with any CSeq, and is news again.
	d, err = Register(set, static("x", 1, 60, parse(t, "<sip:a@192.0.2.1>")...), DefaultRules(), later)
	if err != nil || len(d.Commit.Added) != 1 || len(d.Commit.Set.Contacts) != 1 {
		t.Errorf("%+v, %v", d.Commit, err)
	}
}

func BenchmarkRegister(b *testing.B) {
	u := device(1, "s1", "x", 2, parse(b, "<sip:1001@192.0.2.1:5060;transport=tcp>;expires=3600")...)
	first := u
	first.CSeq = 1
	d, err := Register(Set{}, first, DefaultRules(), start)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Register(d.Commit.Set, u, DefaultRules(), start); err != nil {
			b.Fatal(err)
		}
	}
}
