package directory

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// example is the whole schema in use.
const example = `tenants:
  - code: acme
    domains: [acme.test, ACME.example]
    realm: acme.test
    digest: [md5, SHA-256]
    feature_codes: {login: "*21", logout: "*22"}
    emergency_numbers: ["112", "110"]
    default_pin: "739182"
    supervisors: [{name: frontdesk, pin: "8265"}]
    language: de
    policy: {max_logins: 2, on_conflict: deny, max_session: 9h, logout_at: "18:30", pin_source: [own, tenant], supervisors: true, sites: []}
    upstream: {uri: "sip:pbx.example.test:5060;transport=tcp", trusted: [192.0.2.10, 2001:db8::/32], emergency: true}
    sites: [{code: berlin, time_zone: Europe/Berlin, address: {country: DE, city: Berlin, street: Example 1}, emergency_caller_id: "+493012345", policy: {idle_logout: 90m}}]
    extensions:
      - {number: "1001", name: Ada Lovelace, pin: 0432, voicemail_pin: "", password: correct-horse, email: ada@acme.test, language: en,
         sip_password: s3cret-s3cret, upstream: {username: "1001", password: pbx-secret},
         template: "", keys: [{type: blf, value: "1002", label: Grace}, {type: line}], policy: {sites: [berlin]}}
      - number: 1002
        name: "Grace\nHopper"
    devices:
      - {mac: 00:15:65:aa:bb:01, brand: Yealink, model: T46U, desk: "Berlin 3.14", site: berlin,
         secret: dev-s3cret, owner: "1001", sip_secret: "", digest: [sha-256], address: {room: "3.14"}}
      - mac: 0004-13ff.ff-02
`

func parse(t testing.TB, text string) *File {
	t.Helper()
	f, faults := ParseFile("acme.yaml", strings.NewReader(text), ParseOptions{Keeper: newKeeper(), Brands: []string{"yealink", "snom"}})
	if len(faults) > 0 {
		t.Fatalf("faults: %v", faults)
	}
	return f
}

func TestParseFileReadsTheWholeSchema(t *testing.T) {
	f := parse(t, example)
	k := newKeeper()
	two, on := 2, true
	session, idle := Duration(9*time.Hour), Duration(90*time.Minute)
	want := Tenant{
		Code: "acme", Domains: []string{"acme.test", "acme.example"}, Realm: "acme.test", Digest: []string{"md5", "sha-256"},
		FeatureCodes: FeatureCodes{Login: "*21", Logout: "*22", WhoAmI: "*13", Reload: "*14", PIN: "*15", Supervisor: "*16"}, EmergencyNumbers: []string{"112", "110"},
		DefaultPIN:  Kept{k.Hash("tenant/acme/default_pin", "739182"), k.Origin("tenant/acme/default_pin", "739182")},
		Supervisors: []Supervisor{{"frontdesk", Kept{k.Hash("tenant/acme/supervisor/frontdesk", "8265"), k.Origin("tenant/acme/supervisor/frontdesk", "8265")}}},
		Language:    "de",
		Policy: Policy{
			MaxLogins: &two, OnConflict: Deny, MaxSession: &session, LogoutAt: "18:30",
			PINSource: []string{PINOwn, PINTenant}, Supervisors: &on, Sites: []string{},
		},
		Upstream: &Upstream{URI: "sip:pbx.example.test:5060;transport=tcp", Trusted: []string{"192.0.2.10", "2001:db8::/32"}, Emergency: true},
		Sites: []Site{{
			Code: "berlin", TimeZone: "Europe/Berlin", Address: Address{Country: "DE", City: "Berlin", Street: "Example 1"},
			EmergencyCallerID: "+493012345", Policy: Policy{IdleLogout: &idle},
		}},
	}
	if d := cmp.Diff(want, f.Tenants[0]); d != "" {
		t.Errorf("tenant (-want +got):\n%s", d)
	}
	ada, grace := f.Extensions[0], f.Extensions[1]
	pin := "extension/acme/1001/pin"
	if ada.PIN != (Kept{k.Hash(pin, "0432"), k.Origin(pin, "0432")}) {
		t.Error("the PIN lost its leading zero")
	}
	if !ada.VoicemailPIN.IsZero() || ada.Name != "Ada Lovelace" || ada.Email != "ada@acme.test" || ada.Language != "en" || len(ada.Keys) != 2 || ada.Policy.Sites[0] != "berlin" {
		t.Errorf("extension %+v", ada)
	}
	if s, err := k.Open("extension/acme/1001/sip_password", ada.SIPPassword.Value); err != nil || s != "s3cret-s3cret" {
		t.Errorf("sip_password: %v", err)
	}
	if s, err := k.Open("extension/acme/1001/upstream.password", ada.Upstream.Password.Value); err != nil || s != "pbx-secret" || ada.Upstream.Username != "1001" {
		t.Errorf("upstream password: %v", err)
	}
	if grace.ID.Number != "1002" || grace.Name != "Grace\nHopper" {
		t.Errorf("extension %+v", grace)
	}
	phone := f.Devices[0]
	if phone.ID.MAC.String() != "001565aabb01" || phone.Brand != "yealink" || phone.Owner != "1001" || phone.Address.Room != "3.14" || phone.Digest[0] != "sha-256" || !phone.SIPSecret.IsZero() {
		t.Errorf("device %+v", phone)
	}
	if f.Devices[1].ID.MAC.String() != "000413ffff02" {
		t.Errorf("device %v", f.Devices[1].ID)
	}
}

func TestParseFileDefaults(t *testing.T) {
	f := parse(t, "tenants:\n  - {code: acme, domains: [acme.test], policy: , sites: , extensions: , upstream: , feature_codes: }\n")
	want := Tenant{
		Code: "acme", Domains: []string{"acme.test"}, Digest: []string{"md5"},
		FeatureCodes: DefaultFeatureCodes(), EmergencyNumbers: []string{"112", "110"},
	}
	if d := cmp.Diff(want, f.Tenants[0]); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestParseFileFollowsAliases(t *testing.T) {
	f := parse(t, `tenants:
  - code: acme
    domains: [acme.test]
    extensions:
      - {number: "1001", keys: &k [{type: blf, value: "1002"}]}
      - {number: "1002", keys: *k}
`)
	if len(f.Extensions[1].Keys) != 1 || f.Extensions[1].Keys[0].Value != "1002" {
		t.Errorf("keys %v", f.Extensions[1].Keys)
	}
}

func TestWarnings(t *testing.T) {
	f := parse(t, `tenants:
  - code: acme
    domains: [acme.test]
    supervisors: [{name: boss, pin: "9999"}]
    extensions:
      - {number: "1001", pin: "1234"}
      - {number: "1002", pin: "9876"}
      - {number: "4711", pin: "4711"}
      - {number: "1004", pin: "12"}
      - {number: "1005", pin: "secret"}
      - {number: "1006", pin: "4937", password: short, sip_password: aaaaaaaaa}
      - {number: "1007", upstream: {username: x, password: x}}
      - {number: "112"}
    devices:
      - {mac: 001565aabb01, brand: cisco}
      - {mac: 001565aabb02}
      - {mac: 001565aabb03}
      - {mac: 001565aabb04}
`)
	want := []string{
		`acme.yaml:2: tenants[0]: desks without a location: 001565aabb01, 001565aabb02, 001565aabb03 and 1 more: give`,
		`acme.yaml:2: tenants[0]: no route for emergency calls: set upstream`,
		`acme.yaml:4: tenants[0].supervisors[0].pin: weak PIN: it is one digit repeated`,
		`acme.yaml:6: tenants[0].extensions[0].pin: weak PIN: it is a sequence of digits`,
		`acme.yaml:7: tenants[0].extensions[1].pin: weak PIN: it is a sequence of digits`,
		`acme.yaml:8: tenants[0].extensions[2].pin: weak PIN: it is the number itself`,
		`acme.yaml:9: tenants[0].extensions[3].pin: weak PIN: it has fewer than 4 digits`,
		`acme.yaml:10: tenants[0].extensions[4].pin: weak PIN: it is not all digits`,
		`acme.yaml:11: tenants[0].extensions[5].password: weak password: it has fewer than 8`,
		`acme.yaml:11: tenants[0].extensions[5].sip_password: weak password: it is one character`,
		`acme.yaml:13: tenants[0].extensions[7].number: 112 is an emergency number`,
		`acme.yaml:15: tenants[0].devices[0].brand: no templates for brand cisco`,
	}
	if len(f.Warnings) != len(want) {
		t.Fatalf("warnings %v", f.Warnings)
	}
	for i, w := range f.Warnings {
		if !strings.HasPrefix(w.String(), want[i]) {
			t.Errorf("warning %d is %q, want %q", i, w, want[i])
		}
	}
}

// The example of the documentation is one, and so is the demo's directory.
func TestDocumentedExamples(t *testing.T) {
	doc, err := os.ReadFile("../../docs/directory.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(doc), "```yaml\n")
	block, _, closed := strings.Cut(after, "```")
	if !found || !closed {
		t.Fatal("docs/directory.md has no example")
	}
	whole, err := Inline([]byte(block), func(string) ([]byte, error) { return []byte(strings.ReplaceAll(shifts, `\n`, "\n")), nil })
	if err != nil {
		t.Fatal(err)
	}
	if f := parse(t, string(whole)); len(f.Extensions) != 2 || len(f.Devices) != 1 || len(f.Desks) != 1 {
		t.Errorf("the example has %d extensions and %d devices", len(f.Extensions), len(f.Devices))
	}
	demo, err := os.ReadFile("../../configs/demo.yaml")
	if err != nil {
		t.Fatal(err)
	}
	roundTrip(t, parse(t, string(demo)))
}

func bigFile(extensions, devices int) string {
	var b strings.Builder
	b.WriteString("tenants:\n  - code: acme\n    domains: [acme.test]\n    extensions:\n")
	for i := range extensions {
		fmt.Fprintf(&b, "      - {number: \"%d\", name: Ada Lovelace %d, pin: \"43%06d1\", password: correct-horse%d, email: ada%d@acme.test, sip_password: s3cret-%d, keys: [{type: blf, value: \"1002\", label: Grace}, {type: blf, value: \"1003\", label: Grace}]}\n", 100000+i, i, i, i, i, i)
	}
	b.WriteString("    devices:\n")
	for i := range devices {
		fmt.Fprintf(&b, "      - {mac: 0015%08x, brand: yealink, model: T46U, desk: Berlin %d, secret: dev-s3cret%d}\n", i, i, i)
	}
	return b.String()
}

func BenchmarkParseFile10000(b *testing.B) {
	text := bigFile(10_000, 10_000)
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		parse(b, text)
	}
}

// TestLargeFile holds the promise of 100,000 extensions in one file; it runs
// the size given in PERCH_TEST_EXTENSIONS, a fiftieth of it by default.
func TestLargeFile(t *testing.T) {
	n := 2_000
	if os.Getenv("PERCH_TEST_EXTENSIONS") != "" {
		if _, err := fmt.Sscan(os.Getenv("PERCH_TEST_EXTENSIONS"), &n); err != nil {
			t.Fatal(err)
		}
	}
	f := parse(t, bigFile(n, n))
	opt := MergeOptions{Keeper: newKeeper(), NewSecret: func() Secret { return "made" }}
	state, faults := f.Merge(State{}, opt)
	if len(faults) > 0 || len(state.Extensions) != n || len(state.Devices) != n {
		t.Fatalf("merged %d and %d, %v", len(state.Extensions), len(state.Devices), faults)
	}
	again, faults := parse(t, bigFile(n, n)).Merge(state, opt)
	if c := Diff(state, again, true); len(faults) > 0 || !c.Empty() {
		t.Fatalf("applied again: %v %v", faults, c.Counts())
	}
}
