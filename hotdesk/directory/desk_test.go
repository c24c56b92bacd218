package directory

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const shifts = "BEGIN:VCALENDAR\\nVERSION:2.0\\nBEGIN:VEVENT\\nDTSTART:20260105T060000\\nDTEND:20260105T140000\\nRRULE:FREQ=DAILY\\nEND:VEVENT\\nEND:VCALENDAR\\n"

const furnished = `tenants:
  - code: acme
    domains: [acme.test]
    feature_codes: {pin: "*77", supervisor: ""}
    policy: {shift: early, warn_before: 10m, pin_change: false, pin_min: 6, pin_weak: allow, logout_at: never}
    calendars: [{name: early, text: "` + shifts + `"}]
    sites: [{code: berlin, time_zone: Europe/Berlin, emergency_caller_id: "+4930100", address: {country: DE, city: Berlin}}]
    extensions:
      - {number: "1001", name: Ada, pin: "493712"}
      - {number: "1002", name: Grace, pin: "493713"}
      - {number: "2001", name: Guest, valid_from: 2026-01-05T09:00:00+01:00, valid_until: 2026-02-05T09:00:00Z}
    desks:
      - {code: b314, label: "Berlin 3.14", site: berlin, floor: "3", position: {x: 120, y: 80}, class: owned, owner: "1001",
         address: {room: "3.14"}, emergency_caller_id: "+4930314", devices: [00:15:65:aa:bb:01, "001565aabb02", 00:15:65:aa:bb:01/2]}
      - {code: lobby, class: emergency-only, devices: [00:15:65:aa:bb:03]}
      - {code: press, class: reserved, reserved: [{extensions: ["1002"], days: [mon, tue], from: "09:00", to: "17:00"}]}
    devices:
      - {mac: 00:15:65:aa:bb:01, brand: yealink, site: berlin}
      - {mac: 00:15:65:aa:bb:02, brand: yealink}
      - {mac: 00:15:65:aa:bb:03, brand: snom, address: {country: DE}}
      - {mac: 00:15:65:aa:bb:04, brand: snom, desk: "Berlin 3.15", site: berlin}
`

func TestParseDesks(t *testing.T) {
	f := parse(t, furnished)
	acme := TenantCode("acme")
	mac := func(n byte) MAC { return MAC{0, 0x15, 0x65, 0xaa, 0xbb, n} }
	want := []Desk{
		{
			ID: DeskID{acme, "b314"}, Label: "Berlin 3.14", Site: "berlin", Floor: "3", Position: Position{120, 80}, Class: Owned, Owner: "1001",
			Address: Address{Room: "3.14"}, EmergencyCallerID: "+4930314", Seats: []DeskSeat{{mac(1), 1}, {mac(2), 1}, {mac(1), 2}},
		},
		{ID: DeskID{acme, "lobby"}, Class: EmergencyOnly, Seats: []DeskSeat{{mac(3), 1}}},
		{ID: DeskID{acme, "press"}, Class: ReservedClass, Reserved: []Reservation{{Extensions: []string{"1002"}, Days: []string{"mon", "tue"}, From: "09:00", To: "17:00"}}},
	}
	if d := cmp.Diff(want, f.Desks); d != "" {
		t.Error(d)
	}
	for i, w := range []struct{ desk, site, owner string }{{"Berlin 3.14", "berlin", "1001"}, {"Berlin 3.14", "berlin", "1001"}, {"lobby", "", ""}, {"Berlin 3.15", "berlin", ""}} {
		if d := f.Devices[i]; d.Desk != w.desk || d.Site != w.site || d.Owner != w.owner {
			t.Errorf("device %d: desk %q, site %q, owner %q: want %+v", i, d.Desk, d.Site, d.Owner, w)
		}
	}
	c := f.Tenants[0].FeatureCodes
	if c.PIN != "*77" || c.Supervisor != "" {
		t.Errorf("codes %+v", c)
	}
	g := f.Extensions[2]
	if !g.Guest() || g.ValidAt(time.Date(2026, 1, 5, 7, 59, 59, 0, time.UTC)) || !g.ValidAt(time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)) || g.ValidAt(g.ValidUntil) {
		t.Errorf("guest %+v", g)
	}
	if f.Extensions[0].Guest() || !f.Extensions[0].ValidAt(time.Now()) {
		t.Error("who has no dates is no guest and always valid")
	}
}

// What is exported and applied again changes nothing; what changes says so.
func TestDesksExportAndDiff(t *testing.T) {
	opt := mergeOptions()
	stored := merge(t, State{}, parse(t, furnished), opt)
	var out bytes.Buffer
	if err := WriteFile(&out, stored); err != nil {
		t.Fatal(err)
	}
	again := merge(t, stored, parse(t, out.String()), opt)
	if c := Diff(stored, again, true); !c.Empty() {
		t.Errorf("the export changes: %v\n%s", c.Lines(), out.String())
	}
	next := strings.NewReplacer(`floor: "3"`, `floor: "4"`, `"Berlin 3.14"`, `"Berlin 4.14"`, `from: "09:00"`, `from: "08:00"`).Replace(furnished)
	lines := Diff(stored, merge(t, stored, parse(t, next), opt), true).Lines()
	want := []string{
		`~ desk acme/b314 label "Berlin 3.14" -> "Berlin 4.14", floor "3" -> "4"`,
		`~ desk acme/press reserved[0] "1002 on mon tue 09:00-17:00" -> "1002 on mon tue 08:00-17:00"`,
		`~ device 001565aabb01 desk "Berlin 3.14" -> "Berlin 4.14"`,
		`~ device 001565aabb02 desk "Berlin 3.14" -> "Berlin 4.14"`,
	}
	if !slices.Equal(lines, want) {
		t.Errorf("lines %q", lines)
	}
}

// A file that only names a desk changes the devices that the store knows.
func TestDeskOfStoredDevices(t *testing.T) {
	opt := mergeOptions()
	stored := merge(t, State{}, parse(t, furnished), opt)
	f := parse(t, "tenants:\n  - {code: acme, domains: [acme.test], sites: [{code: berlin}], desks: [{code: b315, label: New, site: berlin, devices: [00:15:65:aa:bb:04]}]}\n")
	out := merge(t, stored, f, opt)
	if len(out.Devices) != 1 || out.Devices[0].Desk != "New" || out.Devices[0].Secret.IsZero() {
		t.Fatalf("devices %+v", out.Devices)
	}
	for text, want := range map[string]string{
		"devices: [00:15:65:aa:bb:01]": "is at desk acme/b314 already",
		"devices: [00:15:65:aa:bb:09]": "is not a device of tenant acme",
		`owner: "2001"`:                "is a guest",
		`owner: "9999"`:                "is not an extension",
		`class: reserved, reserved: [{extensions: ["9"], from: "09:00", to: "10:00"}]`: "for whom desk x is reserved, is not an extension",
	} {
		f := parse(t, "tenants:\n  - {code: acme, domains: [acme.test], desks: [{code: x, "+text+"}]}\n")
		if _, faults := f.Merge(stored, opt); len(faults) != 1 || !strings.Contains(faults[0].Message, want) {
			t.Errorf("%s: %v", text, faults)
		}
	}
	stored.Extensions[0].Policy.Shift = "early"
	f = parse(t, "tenants:\n  - {code: acme, domains: [acme.test]}\n")
	if _, faults := f.Merge(stored, opt); len(faults) != 1 || !strings.Contains(faults[0].Message, "calendar early is still the shift of extension acme/1001") {
		t.Errorf("a calendar in use goes: %v", faults)
	}
	stored.Extensions[0].Policy.Shift = ""
	f = parse(t, "tenants:\n  - {code: acme, domains: [acme.test], extensions: [{number: \"1001\", valid_until: 2030-01-01T00:00:00Z}]}\n")
	if _, faults := f.Merge(stored, opt); len(faults) != 1 || !strings.Contains(faults[0].Message, "a guest owns no desk") {
		t.Errorf("an owner who becomes a guest: %v", faults)
	}
}

func TestPolicyFilesThatContradictThemselves(t *testing.T) {
	for _, c := range []struct {
		name, tenant, fault, warning string
	}{
		{name: "owned by nobody", tenant: "desks: [{code: a, class: owned}]", fault: "desks[0]: class is owned, and there is no owner"},
		{name: "reserved for nobody", tenant: "desks: [{code: a, class: reserved}]", fault: "desks[0]: class is reserved, and reserved lists no window"},
		{name: "windows of a shared desk", tenant: `desks: [{code: a, reserved: [{extensions: ["1"], from: "09:00", to: "10:00"}]}]`, fault: "desks[0]: reserved has windows, and class is shared"},
		{name: "emergency-only with an owner", tenant: `desks: [{code: a, class: emergency-only, owner: "1"}]`, fault: "desks[0]: class is emergency-only, and owner is 1"},
		{name: "two desks of one code", tenant: "desks: [{code: a}, {code: a}]", fault: "desks[1].code: desk a is already on line 4"},
		{name: "one seat at two desks", tenant: "desks: [{code: a, devices: [000000000001]}, {code: b, devices: [000000000001]}]", fault: "desks[1].devices[0]: 00:00:00:00:00:01 is already at the desk on line 4"},
		{name: "no such class", tenant: "desks: [{code: a, class: hot}]", fault: `desks[0].class: "hot" is not understood`},
		{name: "line 0", tenant: "desks: [{code: a, devices: [000000000001/0]}]", fault: "desks[0].devices[0]: after the slash"},
		{name: "no calendar", tenant: "policy: {shift: night}", fault: "policy.shift: shift night is not one of the tenant's calendars"},
		{name: "rubbish in a calendar", tenant: "calendars: [{name: a, text: rubbish}]", fault: "calendars[0].text: the calendar does not begin"},
		{name: "a file that the server would read", tenant: "calendars: [{name: a, file: /etc/passwd}]", fault: "calendars[0].file: is read by perch apply"},
		{name: "never is no calendar", tenant: `calendars: [{name: never, text: "` + shifts + `"}]`, fault: `calendars[0].name: "never" means no calendar`},
		{name: "a guest of no time", tenant: `extensions: [{number: "1", valid_from: 2026-01-05T09:00:00Z, valid_until: 2026-01-05T09:00:00Z}]`, fault: "extensions[0]: valid_until is not after valid_from"},
		{name: "no offset", tenant: `extensions: [{number: "1", valid_from: "2026-01-05T09:00:00"}]`, fault: "extensions[0].valid_from: must be a time with its offset"},
		{name: "no logins", tenant: "policy: {max_logins: 0, on_conflict: deny}", fault: "policy.max_logins: must be a number from 1 to 1000"},
		{name: "codes that begin alike", tenant: `feature_codes: {pin: "*11"}`, fault: "feature_codes: pin (*11) begins like login (*11)"},
		{
			name: "windows that overlap", warning: "desks[0].reserved[1]: overlaps tenants[0].desks[0].reserved[0]: while both are open",
			tenant: `desks: [{code: a, class: reserved, reserved: [{extensions: ["1"], from: "22:00", to: "06:00"}, {extensions: ["2"], days: [mon], from: "05:00", to: "07:00"}]}]`,
		},
		{name: "PIN shorter than the rule", tenant: `policy: {pin_min: 6}, extensions: [{number: "1", pin: "4937"}]`, warning: "extensions[0].pin: has 4 digits, and tenants[0].policy.pin_min is 6"},
		{name: "PIN shorter than its own rule", tenant: `extensions: [{number: "1", pin: "4937", policy: {pin_min: 5}}]`, warning: "extensions[0].pin: has 4 digits, and the extension's policy.pin_min is 5"},
		{name: "device and desk disagree", tenant: "sites: [{code: x}, {code: y}], desks: [{code: a, site: x, devices: [000000000001]}], devices: [{mac: 000000000001, site: y, desk: Here}]", warning: `devices.000000000001.site: is "y", and site of desks.a is "x"`},
		{name: "warned before it began", tenant: "policy: {max_session: 5m, warn_before: 10m}", warning: "policy.warn_before: is 10m0s, and tenants[0].policy.max_session is 5m0s"},
		{name: "a PIN that nobody asks for", tenant: "policy: {pin_change: true, pin_source: [tenant]}", warning: "policy.pin_change: is true, and tenants[0].policy.pin_source has no own"},
		{name: "supervisors without one", tenant: "policy: {supervisors: true}", warning: "policy.supervisors: is true, and the tenant lists no supervisors"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, faults := ParseFile("f.yaml", strings.NewReader("tenants:\n- code: acme\n  domains: [acme.test]\n  "+flowToBlock(c.tenant)+"\n"), ParseOptions{Keeper: newKeeper()})
			if c.fault != "" {
				if len(faults) != 1 || !strings.HasPrefix(faults[0].String(), "f.yaml:") || !strings.Contains(faults[0].String(), "tenants[0]."+c.fault) {
					t.Fatalf("faults %v, want %s", faults, c.fault)
				}
				return
			}
			if len(faults) > 0 {
				t.Fatal(faults)
			}
			if !slices.ContainsFunc(f.Warnings, func(w Fault) bool { return strings.Contains(w.String(), c.warning) }) {
				t.Errorf("warnings %v, want %s", f.Warnings, c.warning)
			}
		})
	}
}

// flowToBlock puts the keys of a one-line mapping on lines of their own.
func flowToBlock(s string) string {
	depth, out := 0, []byte{}
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		case ',':
			if depth == 0 {
				out = append(out, '\n', ' ')
				continue
			}
		}
		out = append(out, s[i])
	}
	return string(out)
}

// A code that is only a default gives way to what the file says.
func TestDefaultCodesGiveWay(t *testing.T) {
	f := parse(t, "tenants:\n  - {code: acme, domains: [acme.test], feature_codes: {login: \"*15\", logout: \"*2\", whoami: \"*3\"}}\n")
	if c := f.Tenants[0].FeatureCodes; c.PIN != "" || c.Supervisor != "*16" || c.Login != "*15" {
		t.Errorf("codes %+v", c)
	}
}
