package directory

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestScreenPolicy(t *testing.T) {
	f := parse(t, `tenants:
  - code: acme
    domains: [acme.test]
    policy: {screen: {push: messages}}
    sites: [{code: berlin, policy: {screen: {idle_login: true, qr_login: false}}}]
    devices: [{mac: 001565aabb01, policy: {screen: {push: settings, directory: false}}}]
`)
	tenant := f.Tenants[0]
	got := Resolve(tenant.Policy, tenant.Sites[0].Policy, f.Devices[0].Policy).Screen
	on, off := true, false
	if diff := cmp.Diff(ScreenPolicy{Push: PushSettings, IdleLogin: &on, QRLogin: &off, Directory: &off}, got); diff != "" {
		t.Error(diff)
	}
	if !got.Messages() || !got.Settings() || DefaultScreen().Messages() {
		t.Errorf("%+v", got)
	}
	roundTrip(t, f)
}

func TestScreenPolicyRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"push: on":       `policy.screen.push: "on" is not understood: use one of off, messages, settings`,
		"idle_login: 1":  "policy.screen.idle_login: must be true or false",
		"pushes: off":    "policy.screen.pushes: unknown key",
		"directory: yes": "policy.screen.directory: must be true or false",
	} {
		_, faults := ParseFile("f.yaml", strings.NewReader(tenantWith("    policy: {screen: {"+text+"}}\n")), ParseOptions{Keeper: newKeeper()})
		if !strings.Contains(fmt.Sprint(faults), want) {
			t.Errorf("%s: %v", text, faults)
		}
	}
}
