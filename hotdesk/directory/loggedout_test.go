package directory

import (
	"strings"
	"testing"
)

// TestLoggedOut: what is said of people who are not there, through a file, a
// store, an export and a diff.
func TestLoggedOut(t *testing.T) {
	for text, want := range map[string]LoggedOut{
		"{status: 486}":                   {Status: 486},
		"{forward: \"1000\"}":             {Forward: "1000"},
		"{forward: \"+493012345\"}":       {Forward: "+493012345"},
		"{voicemail: true}":               {Voicemail: true},
		"{voicemail: false}":              {},
		"{status: 603, voicemail: false}": {Status: 603},
		"{}":                              {},
	} {
		f := parse(t, extensionWith("logged_out: "+text))
		got := LoggedOut{}
		if l := f.Extensions[1].LoggedOut; l != nil {
			got = *l
		}
		if got != want {
			t.Errorf("%s is %+v", text, got)
		}
		roundTrip(t, f)
	}
	for text, want := range map[string]string{
		"{status: 200}":                    "logged_out.status: must be one of 480, 404",
		"{forward: \"1001\"}":              "logged_out.forward: 1001 forwards to itself",
		"{forward: \"a b\"}":               "logged_out.forward: must be a number",
		"{status: 486, forward: \"1000\"}": "logged_out: says more than one thing",
		"{wait: 1}":                        "logged_out.wait: unknown key",
	} {
		_, faults := ParseFile("f.yaml", strings.NewReader(extensionWith("logged_out: "+text)), ParseOptions{Keeper: newKeeper()})
		if len(faults) == 0 || !strings.Contains(faults[0].String(), want) {
			t.Errorf("%s: %v", text, faults)
		}
	}
	was, now := parse(t, extensionWith("logged_out: {status: 486}")), parse(t, extensionWith("logged_out: {forward: \"1000\"}"))
	stored := merge(t, State{}, was, mergeOptions())
	lines := Diff(stored, merge(t, stored, now, mergeOptions()), false).Lines()
	if len(lines) != 1 || !strings.Contains(lines[0], `logged_out "486" -> "forward 1000"`) {
		t.Error(lines)
	}
}

// TestEmergencyFields: who is told of an emergency call, and what a desk shows.
func TestEmergencyFields(t *testing.T) {
	f := parse(t, tenantWith(`    sites: [{code: hq, front_desk: "1000", placeholder: Free desk}]
    extensions: [{number: "1000"}]
    devices: [{mac: 00:15:65:aa:bb:01, site: hq, emergency_caller_id: "+4930999"}]
`))
	if s := f.Tenants[0].Sites[0]; s.FrontDesk != "1000" || s.Placeholder != "Free desk" {
		t.Errorf("%+v", s)
	}
	if d := f.Devices[0]; d.EmergencyCallerID != "+4930999" {
		t.Errorf("%+v", d)
	}
	roundTrip(t, f)
}
