package api

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"perch/sip/calls"
	"perch/sip/presence"
)

func TestCallsAndPresence(t *testing.T) {
	lamps := &presence.Lamps{}
	w := newWorld(t, func(p *Parts) { p.Calls, p.Watching, p.Lamps = p.Store.(Calls), p.Store.(Watching), lamps })
	at := time.Now().Add(-time.Minute).UnixMilli()
	c := calls.Call{
		ID: calls.NewID("acme", "c"), Tenant: "acme", CallID: "secret-call-id", Node: "n1", Began: at, Answered: at + 2000, Lease: at + 3_600_000,
		Legs: []calls.Leg{
			{Party: calls.Party{Number: "1001", MAC: desk1, URI: "sip:1001@acme.test"}, Direction: calls.Initiator, Phase: calls.Confirmed, Tag: "secret-tag"},
			{Branch: "1", Party: calls.Party{Number: "1002", MAC: desk2, Display: "Grace"}, Direction: calls.Recipient, Phase: calls.Confirmed, Answered: at + 2000},
		},
		Steps: []calls.Step{{Step: "invite", At: at, MAC: desk1, Number: "1001"}, {Step: "answered", At: at + 2000, MS: 2000, MAC: desk2, Number: "1002", Status: 200}},
	}
	var err error
	if c.Rev, err = w.store.SaveCall(t.Context(), c, time.Now()); err != nil {
		t.Fatal(err)
	}
	lamps.Take(c)
	if err := w.store.SaveSubscription(t.Context(), presence.Subscription{
		ID: "s", Tenant: "acme", Event: "dialog", Target: "1001", MAC: desk2, Expires: time.Now().Add(time.Hour).UnixMilli(), Suspect: at, Dialog: []byte("{}"),
	}); err != nil {
		t.Fatal(err)
	}

	_, body := w.do("GET", "/calls", "")
	var list []Call
	if err := json.Unmarshal([]byte(body), &list); err != nil || len(list) != 1 {
		t.Fatal(err, body)
	}
	if l := list[0]; l.Caller != "1001" || l.Callee != "1002" || *l.Device != desk1 || l.At[0] != desk2 || l.State != "confirmed" || l.Tenant != "acme" {
		t.Errorf("%s", body)
	}
	_, story := w.do("GET", "/calls/"+list[0].Trace, "")
	var trace CallTrace
	if err := json.Unmarshal([]byte(story), &trace); err != nil || len(trace.Steps) != 2 || trace.Steps[1].Millis != 2000 || trace.Ended != nil {
		t.Errorf("%v %s", err, story)
	}
	if strings.Contains(body+story, "secret") {
		t.Errorf("it tells what belongs to the phones alone: %s %s", body, story)
	}
	var rows []Presence
	_, body = w.do("GET", "/presence?tenant=acme", "")
	if err := json.Unmarshal([]byte(body), &rows); err != nil || len(rows) != 2 {
		t.Fatal(err, body)
	}
	if r := rows[0]; r.State != "confirmed" || *r.Direction != "initiator" || *r.Remote != "Grace" || r.Watchers != 1 || r.Suspect != 1 || r.Version != c.Rev {
		t.Errorf("%s", body)
	}

	c.Finish(calls.Ending{By: calls.ByCalled, Reason: calls.HungUp}, time.Now())
	if c.Rev, err = w.store.SaveCall(t.Context(), c, time.Now()); err != nil {
		t.Fatal(err)
	}
	lamps.Take(c)
	if _, body = w.do("GET", "/calls?tenant=acme", ""); strings.TrimSpace(body) != "[]" {
		t.Error(body)
	}
	if _, body = w.do("GET", "/presence?extension=1001", ""); !strings.Contains(body, `"state":"idle"`) {
		t.Error(body)
	}
	if _, body = w.do("GET", "/calls/"+list[0].Trace, ""); !strings.Contains(body, `"by":"called"`) || !strings.Contains(body, `"reason":"hung_up"`) {
		t.Error(body)
	}
	for path, code := range map[string]int{"/calls/000000000000000000000000": 404, "/calls/x": 422, "/calls?tenant=nobody": 404} {
		if got, body := w.do("GET", path, ""); got != code {
			t.Errorf("%s: %d %s", path, got, body)
		}
	}
}
