package directory

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func mergeOptions() MergeOptions {
	return MergeOptions{Keeper: newKeeper(), NewSecret: func() Secret { return "made-by-perch" }}
}

// fataler is what the helpers need of testing.T and rapid.T.
type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

func merge(t fataler, stored State, f *File, opt MergeOptions) State {
	t.Helper()
	s, faults := f.Merge(stored, opt)
	if len(faults) > 0 {
		t.Fatalf("merge: %v", faults)
	}
	return s
}

// roundTrip applies a file to nothing, exports it, and applies the export.
func roundTrip(t fataler, f *File) {
	t.Helper()
	stored, faults := f.Merge(State{}, mergeOptions())
	if len(faults) > 0 {
		return // an owner that does not exist
	}
	var out strings.Builder
	if err := WriteFile(&out, stored); err != nil {
		t.Fatalf("WriteFile: %v", err)
	}
	again, faults := ParseFile("export", strings.NewReader(out.String()), ParseOptions{Keeper: newKeeper()})
	if len(faults) > 0 {
		t.Fatalf("export has faults: %v\n%s", faults, out.String())
	}
	if c := Diff(stored, merge(t, stored, again, mergeOptions()), true); !c.Empty() {
		t.Fatalf("applying the export changes %v\n%s", c.Lines(), out.String())
	}
	var second strings.Builder
	if err := WriteFile(&second, merge(t, State{}, again, mergeOptions())); err != nil || second.String() != out.String() {
		t.Fatalf("restored into nothing the export differs:\n%s", cmp.Diff(out.String(), second.String()))
	}
}

func TestExampleRoundTrip(t *testing.T) { roundTrip(t, parse(t, example)) }

// Any state that the types allow goes through a file and back.
func TestExportRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawState(t)
		var out strings.Builder
		if err := WriteFile(&out, s); err != nil {
			t.Fatal(err)
		}
		f, faults := ParseFile("export", strings.NewReader(out.String()), ParseOptions{Keeper: newKeeper()})
		if len(faults) > 0 {
			t.Fatalf("faults %v\n%s", faults, out.String())
		}
		if c := Diff(s, merge(t, s, f, mergeOptions()), true); !c.Empty() {
			t.Fatalf("the export changes %v\n%s", c.Lines(), out.String())
		}
		if d := cmp.Diff(s.sorted().Extensions, f.Extensions); d != "" && len(s.Extensions) > 0 {
			t.Fatalf("extensions (-stored +file):\n%s", d)
		}
	})
}

func drawState(t *rapid.T) State {
	k := newKeeper()
	text := rapid.StringOfN(rapid.RuneFrom([]rune("aZ0 \n\t\r'\"\\{}[]:#,&*!|>%@`~?-=\u0085\u2028\ufeffé漢😀")), 0, 40, 200)
	word := rapid.StringOfN(rapid.RuneFrom([]rune("aZ0 '\"\\{}[]:#,&*!|>%@`~?-=é漢😀null")), 0, 40, 200)
	kept := func(name string, form func() string) Kept {
		if !rapid.Bool().Draw(t, name) {
			return Kept{}
		}
		return Kept{Value: form(), From: rapid.SampledFrom([]string{"", k.Origin("x", "y")}).Draw(t, name+" from")}
	}
	seal := func(context string) func() string {
		return func() string {
			v, err := k.Seal(context, Secret(word.Draw(t, "secret")))
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
	}
	hash := func() string { return k.Hash("any", "thing") }
	var s State
	for i := range rapid.IntRange(0, 3).Draw(t, "tenants") {
		code := TenantCode("t" + string(rune('a'+i)))
		tenant := Tenant{
			Code: code, Domains: []string{string(code) + ".test"}, Realm: string(code) + ".test", Digest: []string{"sha-256"},
			FeatureCodes: DefaultFeatureCodes(), EmergencyNumbers: rapid.SampledFrom([][]string{{}, {"112"}}).Draw(t, "emergency"),
			DefaultPIN: kept("default_pin", hash), Sites: []Site{{Code: "hq", Address: Address{City: word.Draw(t, "city")}}},
		}
		if rapid.Bool().Draw(t, "templates") {
			tenant.Variables = map[string]string{"logo": text.Draw(t, "variable")}
			tenant.Templates = []Template{
				{Name: "senior", Brand: "yealink", File: "device.cfg", Block: "extra", Text: rapid.StringOfN(rapid.RuneFrom([]rune("aZ0 \n\t'\"\\{}[]:#,&*!|>%@`~?-=é漢😀")), 0, 40, 200).Draw(t, "template")},
				{Site: "hq", Variables: map[string]string{"null": text.Draw(t, "another")}},
			}
			tenant.DefaultTemplates = map[string]string{"yealink": "senior"}
		}
		if rapid.Bool().Draw(t, "policy") {
			n, d := rapid.IntRange(1, 9).Draw(t, "max_logins"), Duration(rapid.Int64Range(0, int64(maxDuration)).Draw(t, "max_session"))
			tenant.Policy = Policy{MaxLogins: &n, MaxSession: &d, Sites: rapid.SampledFrom([][]string{nil, {}, {"hq"}}).Draw(t, "sites")}
		}
		s.Tenants = append(s.Tenants, tenant)
		for j := range rapid.IntRange(0, 3).Draw(t, "extensions") {
			id := ExtensionID{Tenant: code, Number: []string{"1001", "0042", "null", "1e3"}[j]}
			e := Extension{
				ID: id, Name: text.Draw(t, "name"), PIN: kept("pin", hash), Password: kept("password", hash),
				SIPPassword: kept("sip_password", seal(id.SecretContext("sip_password"))),
			}
			if rapid.Bool().Draw(t, "keys") {
				e.Keys = []Key{{Type: "blf", Value: "x" + word.Draw(t, "value"), Label: text.Draw(t, "label")}}
			}
			if rapid.Bool().Draw(t, "upstream") {
				e.Upstream = &UpstreamIdentity{Username: "u" + word.Draw(t, "username"), Password: kept("upstream", seal(id.SecretContext("upstream.password")))}
			}
			s.Extensions = append(s.Extensions, e)
		}
		for j := range rapid.IntRange(0, 3).Draw(t, "devices") {
			id := DeviceID{Tenant: code, MAC: MAC{2, 0, 0, 0, byte(i), byte(j)}}
			secret, _ := k.Seal(id.SecretContext("secret"), "x")
			s.Devices = append(s.Devices, Device{
				ID: id, Desk: text.Draw(t, "desk"), Model: word.Draw(t, "model"), Site: rapid.SampledFrom([]string{"", "hq"}).Draw(t, "site"),
				Secret: Kept{Value: secret}, Epoch: rapid.IntRange(0, 5).Draw(t, "epoch"), TokenGen: rapid.IntRange(0, 5).Draw(t, "token_gen"),
			})
		}
	}
	return s
}

const one = `tenants:
  - code: acme
    domains: [acme.test]
    default_pin: "739182"
    supervisors: [{name: boss, pin: "8265"}]
    extensions:
      - {number: "1001", pin: "4937", voicemail_pin: "5038", password: correct-horse, sip_password: s3cret-s3cret, upstream: {username: u, password: p}}
    devices:
      - {mac: 001565aabb01, secret: dev-s3cret, sip_secret: by-hand-1}
      - {mac: 001565aabb02}
`

func TestApplyingAgainKeepsWhatPeopleChanged(t *testing.T) {
	opt, f := mergeOptions(), parse(t, one)
	stored := merge(t, State{}, f, opt)
	if stored.Tenants[0].Realm != "acme.test" || stored.Devices[1].Secret.IsZero() {
		t.Errorf("defaults at creation: %+v", stored)
	}
	if c := Diff(stored, merge(t, stored, parse(t, one), opt), true); !c.Empty() {
		t.Errorf("applied twice: %v", c.Lines())
	}
	changed := State{slices.Clone(stored.Tenants), slices.Clone(stored.Extensions), slices.Clone(stored.Devices), nil}
	changed.Extensions[0].PIN.Value = opt.Keeper.Hash("extension/acme/1001/pin", "5555")
	changed.Extensions[0].Password.Value = SlowForm + strings.Repeat("A", 22) + "." + strings.Repeat("A", 43)
	changed.Devices[1].Secret.Value, _ = opt.Keeper.Seal(changed.Devices[1].ID.SecretContext("secret"), "renewed")
	changed.Devices[0].Epoch, changed.Devices[0].TokenGen = 3, 2
	if c := Diff(changed, merge(t, changed, parse(t, one), opt), true); !c.Empty() {
		t.Errorf("applied after people's changes: %v", c.Lines())
	}
	next := merge(t, changed, parse(t, strings.Replace(one, "4937", "4938", 1)), opt)
	if got := Diff(changed, next, true).Lines(); !slices.Equal(got, []string{"~ extension acme/1001 pin changed"}) {
		t.Errorf("a new PIN in the file: %q", got)
	}
}

func TestSettle(t *testing.T) {
	a, b, none := Kept{"hmac:a", "fa"}, Kept{"hmac:b", "fb"}, Kept{}
	people := Kept{"hmac:p", ""}
	changed := Kept{"hmac:x", "fa"}
	tests := []struct {
		name            string
		old, file, want Kept
	}{
		{"created", none, a, a},
		{"same", a, a, a},
		{"people changed it, file did not", changed, a, changed},
		{"file changed", a, b, b},
		{"people changed it, file changed too", changed, b, b},
		{"file dropped it", a, none, none},
		{"people made it, file has none", people, none, people},
		{"people made it, file gets one", people, a, a},
		{"export of what people made", people, people, people},
		{"old export of what people made", Kept{"hmac:q", ""}, people, Kept{"hmac:q", ""}},
		{"restored into nothing", none, people, people},
		{"nothing", none, none, none},
	}
	for _, tc := range tests {
		if got := settle(tc.old, tc.file); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}

func TestMergeConflicts(t *testing.T) {
	stored := merge(t, State{}, parse(t, one), mergeOptions())
	tests := []struct {
		name, text, want string
		prune, newRealm  bool
	}{
		{"realm", "tenants:\n  - {code: acme, domains: [acme.test], realm: other.test}\n", "f.yaml:2: realm: tenant acme has the realm \"acme.test\"", false, false},
		{"new realm wanted", "tenants:\n  - {code: acme, domains: [acme.test], realm: other.test}\n", "", false, true},
		{"realm stays when domains change", "tenants:\n  - {code: acme, domains: [new.test]}\n", "", false, false},
		{"domain of another", "tenants:\n  - {code: b, domains: [acme.test]}\n", "f.yaml:2: domains: domain acme.test belongs to tenant acme", false, false},
		{"domain of a tenant that goes", "tenants:\n  - {code: b, domains: [acme.test]}\n", "", true, false},
		{"domain given up", "tenants:\n  - {code: b, domains: [acme.test]}\n  - {code: acme, domains: [new.test]}\n", "", false, false},
		{"phone of another", "tenants:\n  - code: b\n    domains: [b.test]\n    devices:\n      - mac: 001565aabb01\n", "f.yaml:5: mac: the phone 001565aabb01 belongs to tenant acme", false, false},
		{"phone moves", "tenants:\n  - code: b\n    domains: [b.test]\n    devices:\n      - mac: 001565aabb01\n", "", true, false},
		{"owner stored", "tenants:\n  - {code: acme, domains: [acme.test], devices: [{mac: 001565aabb09, owner: \"1001\"}]}\n", "", false, false},
		{"owner pruned", "tenants:\n  - {code: acme, domains: [acme.test], devices: [{mac: 001565aabb09, owner: \"1001\"}]}\n", "f.yaml:2: owner: owner 1001 of 001565aabb09 is not an extension", true, false},
		{"owner unknown", "tenants:\n  - {code: acme, domains: [acme.test], devices: [{mac: 001565aabb09, owner: \"9\"}]}\n", "f.yaml:2: owner: owner 9 of", false, false},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			f, faults := ParseFile("f.yaml", strings.NewReader(tc.text), ParseOptions{Keeper: newKeeper()})
			if len(faults) > 0 {
				t.Fatal(faults)
			}
			opt := mergeOptions()
			opt.Prune, opt.NewRealm = tc.prune, tc.newRealm
			_, faults = f.Merge(stored, opt)
			if tc.want == "" && len(faults) > 0 || tc.want != "" && (len(faults) != 1 || !strings.HasPrefix(faults[0].String(), tc.want)) {
				t.Errorf("faults %v, want %q", faults, tc.want)
			}
		})
	}
}

func TestGenerationsNeverGoBack(t *testing.T) {
	stored := merge(t, State{}, parse(t, one), mergeOptions())
	stored.Devices[0].Epoch, stored.Devices[0].TokenGen = 3, 1
	next := merge(t, stored, parse(t, strings.Replace(one, "{mac: 001565aabb01,", "{mac: 001565aabb01, epoch: 2, token_gen: 4,", 1)), mergeOptions())
	if d := next.Devices[0]; d.Epoch != 3 || d.TokenGen != 4 {
		t.Errorf("epoch %d, token %d", d.Epoch, d.TokenGen)
	}
}
