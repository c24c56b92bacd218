package api

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"perch/hotdesk"
	"perch/sip/location"
)

func TestLoginAndLogout(t *testing.T) {
	w := newWorld(t, nil)
	c := w.login("1001", "00:15:65:AA:BB:01")
	if *c.Extension != "1001" || c.MAC != desk1 || c.Line != 1 || c.Trace == "" || c.Already || len(c.Ended) != 0 {
		t.Errorf("%+v", c)
	}
	if again := w.login("1001", desk1); !again.Already {
		t.Errorf("%+v", again)
	}
	moved := w.login("1001", desk2)
	if len(moved.Ended) != 1 || moved.Ended[0] != (Ended{"1001", desk1, 1}) {
		t.Errorf("%+v", moved)
	}
	rows := read[[]Mapping](w, "/mapping")
	if len(rows) != 1 || *rows[0].Name != "Ada Lovelace" || *rows[0].Template != "senior" || rows[0].Model != nil || *rows[0].Brand != "snom" ||
		rows[0].Door != "api" || *rows[0].State != "running" || time.Since(rows[0].Since) > time.Minute {
		t.Errorf("%+v", rows)
	}
	code, body := w.do("POST", "/logout", `{"tenant":"acme","extension":"1001","door":"cli"}`)
	var out []Change
	if err := json.Unmarshal([]byte(body), &out); code != 200 || err != nil || len(out) != 1 || out[0].Extension != nil || out[0].MAC != desk2 {
		t.Errorf("%d %s", code, body)
	}
	if strings.Contains(body, "session") {
		t.Error("a session id is shown")
	}
}

func TestARepeatedRequestGetsTheFirstAnswer(t *testing.T) {
	w := newWorld(t, nil)
	const body = `{"extension":"1001","mac":"001565aabb01","request_id":"request-0001"}`
	_, first := w.do("POST", "/login", body)
	w.login("1002", desk1)
	if _, second := w.do("POST", "/login", body); second != first || !strings.Contains(first, `"trace":"request-0001"`) {
		t.Errorf("%s\n%s", first, second)
	}
	if rows := read[[]Mapping](w, "/mapping"); len(rows) != 1 || rows[0].Extension != "1002" {
		t.Errorf("%+v", rows)
	}
}

func TestLogoutOfWhoeverSitsThere(t *testing.T) {
	w := newWorld(t, nil)
	w.login("1001", desk1)
	if code, body := w.do("POST", "/logout", `{"mac":"001565aabb01","extension":"1002"}`); code != 409 {
		t.Errorf("somebody else was logged out: %d %s", code, body)
	}
	if code, body := w.do("POST", "/logout", `{"mac":"001565aabb01"}`); code != 200 {
		t.Errorf("%d %s", code, body)
	}
}

func TestReloads(t *testing.T) {
	w := newWorld(t, nil)
	code, body := w.do("POST", "/reload", `{"tenant":"acme","rate":2,"reboot":true}`)
	var out Reloading
	if err := json.Unmarshal([]byte(body), &out); code != 200 || err != nil || out.Count != 2 || out.Seconds != 0.5 || len(out.Traces) != 2 {
		t.Fatalf("%d %s", code, body)
	}
	i, err := w.store.Reload(t.Context(), id(desk2)) // the lower MAC goes first
	if err != nil || i.Trace != out.Traces[0] || !i.Reboot || i.Force || i.Reason != "operator" {
		t.Errorf("%+v %v", i, err)
	}
	tr := read[Trace](w, "/devices/"+desk2+"/trace")
	if tr.ID != out.Traces[0] || tr.State != "running" || *tr.Brand != "snom" || tr.Extension != nil || tr.Steps[0].Step != "accepted" || tr.Ended != nil {
		t.Errorf("%+v", tr)
	}
	if code, body := w.do("POST", "/reload", `{"mac":"00-15-65-aa-bb-01","force":true}`); code != 200 || !strings.Contains(body, `"count":1`) {
		t.Errorf("%d %s", code, body)
	}
}

// register writes a contact of a device as the registrar would.
func (w *world) register(mac, user string, expires time.Duration) {
	w.t.Helper()
	now := time.Now()
	d := id(mac)
	c := location.Contact{
		URI: "sip:" + user + "@192.0.2.1:5060", CallID: "c", CSeq: 1, Expires: now.Add(expires).UnixMilli(), UserAgent: "Yealink SIP-T46U",
		Flow: location.Flow{Transport: "udp", Remote: "192.0.2.1:5060"}, MAC: mac, Line: 1, Since: now.UnixMilli(),
	}
	c.AOR.User, c.AOR.Domain = user, "acme.test"
	err := w.store.CommitContacts(w.t.Context(), location.Commit{
		Tenant: "acme", User: user, Device: d, Now: now, Set: location.Set{Contacts: []location.Contact{c}}, Added: []location.Contact{c},
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestDevicesAndRegistrations(t *testing.T) {
	w := newWorld(t, nil)
	state := func(mac string) DeviceState {
		t.Helper()
		for _, d := range read[[]Device](w, "/devices?tenant=acme") {
			if d.MAC == mac {
				return d.State
			}
		}
		return "absent"
	}
	if got := state(desk1); got != StateUnknown {
		t.Error(got)
	}
	w.register(desk1, desk1, time.Hour)
	if got := state(desk1); got != StateIdle {
		t.Error(got)
	}
	w.login("1001", desk1)
	if got := state(desk1); got != StateBound {
		t.Error(got)
	}
	regs := read[[]Registration](w, "/registrations?site=berlin")
	if len(regs) != 1 || regs[0].AOR != "sip:"+desk1+"@acme.test" || *regs[0].MAC != desk1 || regs[0].ExpiresIn < 3590 || regs[0].ExpiresIn > 3600 ||
		regs[0].Source != "192.0.2.1:5060" || regs[0].Transport != "udp" || *regs[0].UserAgent != "Yealink SIP-T46U" {
		t.Errorf("%+v", regs)
	}
	if regs := read[[]Registration](w, "/registrations?site=lisbon"); len(regs) != 0 {
		t.Errorf("%+v", regs)
	}
}

func TestDeviceStates(t *testing.T) {
	for _, tc := range []struct {
		seen, registered, bound bool
		newest                  string
		want                    DeviceState
	}{
		{false, false, false, "", StateUnknown},
		{false, false, true, "failed", StateUnknown},
		{true, false, false, "", StateOffline},
		{true, false, true, "ready", StateOffline},
		{false, true, false, "", StateIdle},
		{true, true, false, "ready", StateIdle},
		{true, true, true, "running", StateBound},
		{true, true, true, "failed", StateBound},
		{true, true, true, "ready", StateReady},
	} {
		if got := stateOf(tc.seen, tc.registered, tc.bound, stateName(tc.newest)); got != tc.want {
			t.Errorf("%+v: %s", tc, got)
		}
	}
	if got := lowest(hotdesk.Seats{Bindings: []hotdesk.Binding{{Number: "2", Line: 2}, {Number: "1", Line: 1}}}); got != "1" {
		t.Error(got)
	}
}

func TestPaging(t *testing.T) {
	w := newWorld(t, nil)
	all := read[[]Device](w, "/devices")
	if len(all) != 3 || all[0].MAC != desk2 || all[2].Tenant != "beta" || all[2].Desk != nil {
		t.Fatalf("%+v", all)
	}
	path, got := "/devices?limit=1", []string{}
	for path != "" {
		resp := w.send("GET", path, "", "Bearer "+token)
		var part []Device
		if err := json.NewDecoder(resp.Body).Decode(&part); err != nil || len(part) != 1 {
			t.Fatal(part, err)
		}
		resp.Body.Close()
		got = append(got, part[0].MAC)
		path = strings.TrimSuffix(strings.TrimPrefix(resp.Header.Get("Link"), "<"+Prefix), `>; rel="next"`)
	}
	if len(got) != 3 || got[0] != desk2 || got[1] != desk1 {
		t.Error(got)
	}
	if rows := read[[]Device](w, "/devices?site=berlin"); len(rows) != 1 || rows[0].MAC != desk1 {
		t.Errorf("%+v", rows)
	}
}
