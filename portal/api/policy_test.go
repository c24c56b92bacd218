package api

import (
	"encoding/json"
	"strings"
	"testing"
)

const desksFile = `
tenants:
  - code: acme
    domains: [acme.test]
    policy: {max_session: 9h, on_conflict: deny}
    sites: [{code: berlin, time_zone: Europe/Berlin}]
    desks: [{code: b1, label: First, site: berlin, class: owned, owner: "1002", position: {x: 3, y: 4}, devices: ["00:15:65:aa:bb:01", "00:15:65:aa:bb:01/2"]}]
`

func TestWhy(t *testing.T) {
	w := newWorld(t, nil)
	if code, body := w.do("POST", "/apply", desksFile); code != 200 || !strings.Contains(body, `"report"`) {
		t.Fatalf("%d %s", code, body)
	}
	why := read[Why](w, "/why?mac="+desk1+"&extension=1001")
	if why.Tenant != "acme" || *why.Desk != "b1" || *why.Class != "owned" || *why.Site != "berlin" || why.TimeZone != "Europe/Berlin" || len(why.Sessions) != 0 {
		t.Errorf("%+v", why)
	}
	if why.Login == nil || why.Login.Refused == nil || *why.Login.Refused != "not_owner" || *why.Login.Rule != "class: owned (desk b1)" {
		t.Errorf("login %+v", why.Login)
	}
	for _, s := range why.Settings {
		want := map[string][2]string{"max_session": {"9h0m0s", "tenant"}, "on_conflict": {"deny", "tenant"}, "on_occupied": {"replace", "default"}, "logout_at": {"", "default"}}
		if x, ok := want[s.Key]; ok && (s.Value != x[0] || s.Level != x[1]) {
			t.Errorf("setting %+v, want %v", s, x)
		}
	}
	w.login("1001", desk1) // an admin may
	why = read[Why](w, "/why?extension=1001&tenant=acme")
	if len(why.Sessions) != 2 || why.Sessions[0].Until == nil || *why.Sessions[0].Rule != "max_session: 9h0m0s (tenant)" || *why.Sessions[0].Desk != "b1" || why.MAC != nil || why.Login != nil {
		t.Errorf("%+v", why)
	}
	if why = read[Why](w, "/why?mac="+desk2); why.Extension != nil || why.Login != nil {
		t.Errorf("an idle device: %+v", why)
	}
	for path, want := range map[string]int{"/why": 400, "/why?mac=x": 400, "/why?mac=001565ffffff": 404, "/why?tenant=acme&extension=9999": 404} {
		if code, body := w.do("GET", path, ""); code != want {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
}

func TestDesks(t *testing.T) {
	w := newWorld(t, nil)
	w.do("POST", "/apply", desksFile)
	w.login("1002", desk1)
	rows := read[[]PlaceRow](w, "/desks?tenant=acme")
	if len(rows) != 2 {
		t.Fatalf("%+v", rows)
	}
	text, _ := json.Marshal(rows)
	for _, want := range []string{
		`"code":null,"label":"Desk 2","site":null,"floor":null,"position":null,"class":"shared","owner":null,"devices":["000413aabb02"],"extension":null`,
		`"code":"b1","label":"First","site":"berlin","floor":null,"position":{"x":3,"y":4},"class":"owned","owner":"1002","devices":["001565aabb01","001565aabb01/2"],"extension":"1002"`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s\nlacks %s", text, want)
		}
	}
	if rows := read[[]PlaceRow](w, "/desks?site=berlin"); len(rows) != 1 {
		t.Errorf("%+v", rows)
	}
}

func TestPIN(t *testing.T) {
	w := newWorld(t, nil)
	for _, c := range []struct {
		body, want string
		code       int
	}{
		{`{"tenant":"acme","extension":"1001","pin":"7351"}`, `"extension":"1001"`, 200},
		{`{"tenant":"acme","extension":"1001","pin":"1234"}`, "sequence", 422},
		{`{"tenant":"acme","extension":"1001","pin":"1001"}`, "number itself", 422},
		{`{"tenant":"acme","extension":"1001","pin":"735"}`, "pin_min: 4 (default)", 422},
		{`{"tenant":"acme","extension":"1001","pin":"73 51"}`, "digits", 422},
		{`{"tenant":"acme","extension":"9999","pin":"7351"}`, "No such extension", 404},
		{`{"extension":"1001","pin":"7351"}`, "Name the tenant", 400},
	} {
		if code, body := w.do("POST", "/pin", c.body); code != c.code || !strings.Contains(body, c.want) || strings.Contains(body, "7351") {
			t.Errorf("%s: %d %s", c.body, code, body)
		}
	}
	// The file says 4321 for 1001, as before: what people changed stays.
	if code, body := w.do("POST", "/apply", office); code != 200 || !strings.Contains(body, `"updated":0`) {
		t.Errorf("%d %s", code, body)
	}
}
