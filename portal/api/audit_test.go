package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"perch/hotdesk"
	"perch/hotdesk/audit"
	"perch/hotdesk/directory"
)

// locks is the store's lockouts with a ban beside them.
type locks struct {
	*world
	banned map[netip.Addr]time.Time
}

func (l locks) Lockouts(ctx context.Context, t directory.TenantCode) ([]hotdesk.Lockout, error) {
	return l.store.Lockouts(ctx, t, time.Now())
}

func (l locks) Lift(ctx context.Context, what hotdesk.Lift) (int, error) {
	return l.store.LiftLockouts(ctx, what, time.Now())
}

func (l locks) Bans(context.Context) (out []Banned, err error) {
	for a, until := range l.banned {
		out = append(out, Banned{a, until})
	}
	return out, nil
}

func (l locks) LiftBan(_ context.Context, a netip.Addr) (bool, error) {
	_, was := l.banned[a]
	delete(l.banned, a)
	return was, nil
}

// auditing is a world with the audit of its store.
func auditing(t *testing.T) *world {
	t.Helper()
	var l locks
	w := newWorld(t, func(p *Parts) {
		p.Audit = p.Store.(Audit)
		l = locks{banned: map[netip.Addr]time.Time{netip.MustParseAddr("192.0.2.66"): time.Now().Add(time.Hour)}}
		p.Lockouts = &l
	})
	l.world = w
	return w
}

func (w *world) keep(records ...audit.Record) {
	w.t.Helper()
	if err := w.store.AppendAudit(w.t.Context(), "acme", records); err != nil {
		w.t.Fatal(err)
	}
}

func TestAuditIsReadAndNarrowed(t *testing.T) {
	w := auditing(t)
	at := time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)
	for i := range 10 {
		r := audit.Record{Event: fmt.Sprint(i, "-0"), At: at.Add(time.Duration(i) * time.Minute).UnixMilli(), Act: audit.Login, Number: "1001", MAC: desk1, Line: 1, Desk: "Desk 1", Result: "ok"}
		if i%2 == 1 {
			r.Act, r.Number, r.Result, r.Rule = audit.Logout, "1001", "move", "on_conflict: move (tenant)"
		}
		if i == 9 {
			r.Act, r.Number, r.MAC, r.Desk, r.Result = audit.Directory, "", "", "", "changed"
		}
		w.keep(r)
	}
	for _, tc := range []struct {
		query string
		want  []string
	}{
		{"limit=2", []string{"login 10:08", "directory 10:09"}},
		{"act=logout&act=directory&limit=3", []string{"logout 10:05", "logout 10:07", "directory 10:09"}},
		{"since=2026-05-04T10:07:00Z", []string{"logout 10:07", "login 10:08", "directory 10:09"}},
		{"until=2026-05-04T10:02:00Z&tenant=acme", []string{"login 10:00", "logout 10:01"}},
		{"mac=00:15:65:AA:BB:01&act=logout&limit=1", []string{"logout 10:07"}},
		{"desk=DESK+1&limit=1", []string{"login 10:08"}},
		{"extension=1002", nil},
		{"tenant=beta", nil},
	} {
		var got []string
		for _, r := range read[[]AuditRecord](w, "/audit?"+tc.query) {
			got = append(got, r.Act+r.At.Format(" 15:04"))
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: %s", tc.query, diff)
		}
	}
	rows := read[[]AuditRecord](w, "/audit?limit=3")
	if r := rows[0]; *r.Rule != "on_conflict: move (tenant)" || *r.Extension != "1001" || *r.Line != 1 || r.Until != nil || r.ID == "" || r.Tenant != "acme" {
		t.Errorf("%+v", r)
	}
	if r := rows[2]; r.Extension != nil || r.Line != nil || r.MAC != nil {
		t.Errorf("%+v", r)
	}

	for _, tc := range []struct{ at, who, until string }{
		{"2026-05-04T10:00:30Z", "1001", "10:01"}, {"2026-05-04T10:01:30Z", "", "10:02"}, {"2026-05-04T10:30:00Z", "1001", ""},
	} {
		seats := read[[]AuditSeat](w, "/audit/seated?desk=desk+1&at="+url.QueryEscape(tc.at))
		if len(seats) != 1 || (tc.who != "") != (seats[0].Extension != nil) || (tc.until != "") != (seats[0].Until != nil) {
			t.Errorf("%s: %+v", tc.at, seats)
			continue
		}
		if seats[0].Until != nil && seats[0].Until.Format("15:04") != tc.until {
			t.Errorf("%s: until %s", tc.at, seats[0].Until)
		}
	}
	if seats := read[[]AuditSeat](w, "/audit/seated?mac="+desk1+"&at=2026-05-03T10:00:00Z"); len(seats) != 0 {
		t.Errorf("before all: %+v", seats)
	}
}

func TestAuditRefusals(t *testing.T) {
	w := auditing(t)
	for _, tc := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"GET", "/audit?act=dreamt", "", 400, "act"},
		{"GET", "/audit?limit=0", "", 422, "limit"},
		{"GET", "/audit?since=yesterday", "", 422, "since"},
		{"GET", "/audit?tenant=none", "", 404, "no_such_tenant"},
		{"GET", "/audit?mac=zz", "", 400, "mac"},
		{"GET", "/audit/seated", "", 400, "desk or a mac"},
		{"POST", "/audit/erase", `{"extension":"1001"}`, 400, "tenant"},
		{"POST", "/audit/erase", `{"tenant":"acme","extension":"a b"}`, 400, "extension"},
		{"POST", "/lockouts/lift", `{"tenant":"acme"}`, 400, "Name an extension"},
		{"POST", "/lockouts/lift", `{"address":"nowhere"}`, 400, "address"},
		{"POST", "/lockouts/lift", `{"extension":"1001"}`, 400, "tenant"},
	} {
		code, body := w.do(tc.method, tc.path, tc.body)
		if code != tc.status || !strings.Contains(body, tc.says) {
			t.Errorf("%s %s: %d %s, want %d with %q", tc.path, tc.body, code, body, tc.status, tc.says)
		}
	}
	if code, _ := newWorld(t, nil).do("GET", "/audit", ""); code != 404 {
		t.Error("a server without an audit has a route for it")
	}
}

func TestEraseNeedsSomebodyWhoIsGone(t *testing.T) {
	w := auditing(t)
	w.keep(audit.Record{Event: "1-0", At: 5, Act: audit.Login, Number: "1001", MAC: desk1})
	if code, body := w.do("POST", "/login", `{"extension":"1001","mac":"`+desk1+`"}`); code != http.StatusOK {
		t.Fatal(body)
	}
	if code, body := w.do("POST", "/audit/erase", `{"tenant":"acme","extension":"1001"}`); code != 409 || !strings.Contains(body, "seated") {
		t.Error(code, body)
	}
	w.do("POST", "/logout", `{"mac":"`+desk1+`"}`)
	code, body := w.do("POST", "/audit/erase", `{"tenant":"acme","extension":"1001","door":"cli"}`)
	var out ErasedBody
	if err := json.Unmarshal([]byte(body), &out); err != nil || code != 200 || out.Pseudonym == nil {
		t.Fatal(code, body, err)
	}
	if rows := read[[]AuditRecord](w, "/audit?extension="+*out.Pseudonym); len(rows) != 1 {
		t.Errorf("%+v", rows)
	}
	if rows := read[[]AuditRecord](w, "/audit?extension=1001"); len(rows) != 0 {
		t.Errorf("%+v", rows)
	}
}

func TestLockoutsAreShownAndLifted(t *testing.T) {
	w := auditing(t)
	for _, number := range []string{"1001", "4321"} {
		for range 5 {
			if _, err := w.store.Begin(t.Context(), directory.ExtensionID{Tenant: "acme", Number: number}, "device:"+desk1, time.Now()); err != nil {
				t.Fatal(err)
			}
		}
	}
	_, body := w.do("GET", "/lockouts", "")
	if strings.Contains(body, "4321") {
		t.Error("what may be a PIN is shown:", body)
	}
	kinds := map[string]int{}
	for _, l := range read[[]Lockout](w, "/lockouts") {
		kinds[fmt.Sprintf("%s %v %v", l.Kind, l.Locked, l.Extension != nil)]++
	}
	if diff := cmp.Diff(map[string]int{"source true true": 1, "source true false": 1, "extension false true": 1, "extension false false": 1, "ban true false": 1}, kinds); diff != "" {
		t.Error(diff)
	}
	if len(read[[]Lockout](w, "/lockouts?tenant=acme")) != 4 || len(read[[]Lockout](w, "/lockouts?tenant=beta")) != 0 {
		t.Error("lists of tenants")
	}
	for _, tc := range []struct{ body, want string }{
		{`{"tenant":"acme","source":"00:15:65:AA:BB:01","extension":"1001"}`, `{"lockouts":1,"bans":0}`},
		{`{"tenant":"acme","source":"00:15:65:AA:BB:01","extension":"1001"}`, `{"lockouts":0,"bans":0}`},
		{`{"address":"192.0.2.66"}`, `{"lockouts":0,"bans":1}`},
		{`{"address":"192.0.2.66"}`, `{"lockouts":0,"bans":0}`},
		{`{"tenant":"acme","all":true}`, `{"lockouts":3,"bans":0}`},
	} {
		code, body := w.do("POST", "/lockouts/lift", tc.body)
		var got, want Lifted
		_ = json.Unmarshal([]byte(tc.want), &want)
		if err := json.Unmarshal([]byte(body), &got); err != nil || code != 200 || got != want {
			t.Errorf("%s: %d %s", tc.body, code, body)
		}
	}
	if left := read[[]Lockout](w, "/lockouts"); len(left) != 0 {
		t.Errorf("left: %+v", left)
	}
}
