package directory

import (
	"fmt"
	"strings"
	"testing"
)

// tenantWith is a file whose tenant begins on line 2 and has the given lines
// from line 4 on.
func tenantWith(lines string) string {
	return "tenants:\n  - code: acme\n    domains: [acme.test]\n" + lines
}

func extensionWith(keys string) string {
	return tenantWith("    extensions:\n      - {number: \"1000\"}\n      - {number: \"1001\", " + keys + "}\n")
}

func deviceWith(keys string) string {
	return tenantWith("    devices:\n      - {mac: 00:15:65:aa:bb:01, " + keys + "}\n")
}

func TestFaults(t *testing.T) {
	long := strings.Repeat("x", 256)
	tests := []struct {
		name string
		text string
		want string // file:line: key: beginning of the message
	}{
		{"empty file", "", "f.yaml: is empty"},
		{"only a comment", "# nothing\n", "f.yaml: is empty"},
		{"no tenants", "{}\n", "f.yaml:1: tenants: is missing"},
		{"not a mapping", "- a\n", "f.yaml:1: must be a mapping with the keys tenants"},
		{"not YAML", "tenants:\n  - code: [\n", "f.yaml:2: not valid YAML"},
		{"tab", "tenants:\n\t- code: a\n", "f.yaml:2: not valid YAML: found character that cannot start any token"},
		{"unknown anchor", "tenants: *x\n", "f.yaml: not valid YAML: unknown anchor 'x' referenced"},
		{"two documents", tenantWith("") + "---\ntenants: []\n", "f.yaml:4: a second YAML document begins here"},
		{"unknown top key", "tenant: []\n", "f.yaml:1: tenant: unknown key; known are tenants"},
		{"tenants not a list", "tenants: {}\n", "f.yaml:1: tenants: must be a list"},
		{"tenant is nothing", "tenants:\n  -\n", "f.yaml:2: tenants[0]: must be a mapping"},

		{"no code", "tenants:\n  - domains: [a.test]\n", "f.yaml:2: tenants[0]: has no code"},
		{"bad code", "tenants:\n  - {code: Acme, domains: [a.test]}\n", "f.yaml:2: tenants[0].code: tenant code: character 'A'"},
		{"no domains", "tenants:\n  - code: acme\n", "f.yaml:2: tenants[0]: has no domains"},
		{"empty domains", "tenants:\n  - {code: acme, domains: []}\n", "f.yaml:2: tenants[0].domains: is empty"},
		{"bad domain", "tenants:\n  - {code: acme, domains: ['sip:a.test']}\n", "f.yaml:2: tenants[0].domains[0]: must be a host name"},
		{"domain is a list", "tenants:\n  - {code: acme, domains: [[a]]}\n", "f.yaml:2: tenants[0].domains[0]: must be a single value"},
		{"domain twice", tenantWith("  - {code: other, domains: [other.test, ACME.test]}\n"), "f.yaml:4: tenants[1].domains[1]: domain acme.test is already on line 3"},
		{"tenant twice", tenantWith("  - {code: acme, domains: [b.test]}\n"), "f.yaml:4: tenants[1].code: tenant acme is already on line 2"},
		{"key twice", tenantWith("    code: acme\n"), "f.yaml:4: tenants[0].code: is given twice"},
		{"unknown key", tenantWith("    extension: []\n"), "f.yaml:4: tenants[0].extension: unknown key; known are code, domains"},
		{"merge key", tenantWith("    <<: {code: b}\n"), "f.yaml:4: tenants[0]: a key must be plain text"},
		{"realm with quote", tenantWith("    realm: 'a\"b'\n"), "f.yaml:4: tenants[0].realm: must be up to 128 printable"},
		{"digest", tenantWith("    digest: [md4]\n"), `f.yaml:4: tenants[0].digest[0]: "md4" is not understood: use one of md5, sha-256`},
		{"no digest", tenantWith("    digest: []\n"), "f.yaml:4: tenants[0].digest: is empty"},
		{"digest twice", tenantWith("    digest: [md5, MD5]\n"), `f.yaml:4: tenants[0].digest[1]: "md5" is listed twice`},
		{"feature code", tenantWith("    feature_codes: {login: \"11\"}\n"), "f.yaml:4: tenants[0].feature_codes.login: must be a star"},
		{"feature code unknown", tenantWith("    feature_codes: {signin: \"*1\"}\n"), "f.yaml:4: tenants[0].feature_codes.signin: unknown key"},
		{"feature code prefix", tenantWith("    feature_codes: {login: \"*1\", whoami: \"*23\", reload: \"*3\"}\n"), "f.yaml:4: tenants[0].feature_codes: logout (*12) begins like login (*1)"},
		{"feature code equal", tenantWith("    feature_codes: {reload: \"*11\"}\n"), "f.yaml:4: tenants[0].feature_codes: reload (*11) begins like login (*11)"},
		{"emergency number", tenantWith("    emergency_numbers: [police]\n"), "f.yaml:4: tenants[0].emergency_numbers[0]: must be a number"},
		{"upstream without uri", tenantWith("    upstream: {emergency: true}\n"), "f.yaml:4: tenants[0].upstream: has no uri"},
		{"upstream uri", tenantWith("    upstream: {uri: pbx.example.test}\n"), "f.yaml:4: tenants[0].upstream.uri: must be a SIP URI"},
		{"upstream uri with a header", tenantWith("    upstream: {uri: \"sip:a.test\\r\\nVia: x\"}\n"), "f.yaml:4: tenants[0].upstream.uri: contains a line break"},
		{"upstream trusted", tenantWith("    upstream: {uri: \"sip:a.test\", trusted: [pbx]}\n"), "f.yaml:4: tenants[0].upstream.trusted[0]: must be an IP address"},
		{"upstream emergency", tenantWith("    upstream: {uri: \"sip:a.test\", emergency: yes}\n"), "f.yaml:4: tenants[0].upstream.emergency: must be true or false"},
		{"supervisor without name", tenantWith("    supervisors: [{pin: \"7391\"}]\n"), "f.yaml:4: tenants[0].supervisors[0]: has no name"},
		{"supervisor without pin", tenantWith("    supervisors: [{name: boss}]\n"), "f.yaml:4: tenants[0].supervisors[0]: has no pin"},
		{"supervisor twice", tenantWith("    supervisors: [{name: a, pin: \"7391\"}, {name: a, pin: \"7391\"}]\n"), "f.yaml:4: tenants[0].supervisors[1]: supervisor \"a\" is listed twice"},

		{"site without code", tenantWith("    sites: [{time_zone: UTC}]\n"), "f.yaml:4: tenants[0].sites[0]: has no code"},
		{"site twice", tenantWith("    sites: [{code: a}, {code: a}]\n"), "f.yaml:4: tenants[0].sites[1]: site a is listed twice"},
		{"time zone", tenantWith("    sites: [{code: a, time_zone: Europe/Atlantis}]\n"), `f.yaml:4: tenants[0].sites[0].time_zone: "Europe/Atlantis" is not a time zone`},
		{"time zone of the machine", tenantWith("    sites: [{code: a, time_zone: Local}]\n"), `f.yaml:4: tenants[0].sites[0].time_zone: "Local" is not a time zone`},
		{"time zone as a path", tenantWith("    sites: [{code: a, time_zone: ../../etc/passwd}]\n"), "f.yaml:4: tenants[0].sites[0].time_zone:"},
		{"country", tenantWith("    sites: [{code: a, address: {country: Germany}}]\n"), "f.yaml:4: tenants[0].sites[0].address.country: must be two capital"},
		{"caller id", tenantWith("    sites: [{code: a, emergency_caller_id: front}]\n"), "f.yaml:4: tenants[0].sites[0].emergency_caller_id: must be a telephone"},
		{"site policy", tenantWith("    sites: [{code: a, policy: {sites: [b]}}]\n"), "f.yaml:4: tenants[0].sites[0].policy.sites[0]: site b is not one"},

		{"policy value", tenantWith("    policy: {on_conflict: allow}\n"), `f.yaml:4: tenants[0].policy.on_conflict: "allow" is not understood: use one of move, deny`},
		{"policy occupied", tenantWith("    policy: {on_occupied: move}\n"), `f.yaml:4: tenants[0].policy.on_occupied: "move" is not understood: use one of replace, deny, ask`},
		{"policy key", tenantWith("    policy: {max_login: 1}\n"), "f.yaml:4: tenants[0].policy.max_login: unknown key"},
		{"no logins", tenantWith("    policy: {max_logins: 0}\n"), "f.yaml:4: tenants[0].policy.max_logins: must be a number from 1"},
		{"duration", tenantWith("    policy: {max_session: 8}\n"), "f.yaml:4: tenants[0].policy.max_session: must be a duration"},
		{"negative duration", tenantWith("    policy: {idle_logout: -8h}\n"), "f.yaml:4: tenants[0].policy.idle_logout: must be a duration"},
		{"time of day", tenantWith("    policy: {logout_at: \"24:00\"}\n"), "f.yaml:4: tenants[0].policy.logout_at: must be a time"},
		{"pin source", tenantWith("    policy: {pin_source: [none]}\n"), `f.yaml:4: tenants[0].policy.pin_source[0]: "none" is not understood`},
		{"no pin source", tenantWith("    policy: {pin_source: []}\n"), "f.yaml:4: tenants[0].policy.pin_source: is empty"},

		{"no number", tenantWith("    extensions: [{name: x}]\n"), "f.yaml:4: tenants[0].extensions[0]: has no number"},
		{"number like a MAC", tenantWith("    extensions: [{number: 001565AABB01}]\n"), "f.yaml:4: tenants[0].extensions[0].number: a number of 12 hex digits"},
		{"number with a star", tenantWith("    extensions: [{number: \"*11\"}]\n"), "f.yaml:4: tenants[0].extensions[0].number: number: character '*'"},
		{"number twice", extensionWith("name: x}\n      - {number: \"1000\""), "f.yaml:7: tenants[0].extensions[2].number: number 1000 is already on line 5"},
		{"unknown extension key", extensionWith("pins: 1"), "f.yaml:6: tenants[0].extensions[1].pins: unknown key"},
		{"long name", extensionWith("name: " + long), "f.yaml:6: tenants[0].extensions[1].name: is longer than 255 bytes"},
		{"NUL in a name", extensionWith(`name: "a\0b"`), "f.yaml:6: tenants[0].extensions[1].name: contains a control character"},
		{"escape in a label", extensionWith(`keys: [{type: line, label: "a\eb"}]`), "f.yaml:6: tenants[0].extensions[1].keys[0].label: contains a control character"},
		{"binary", extensionWith("name: !!binary aGVsbG8="), "f.yaml:6: tenants[0].extensions[1].name: has a tag"},
		{"email", extensionWith("email: ada"), "f.yaml:6: tenants[0].extensions[1].email: must be an e-mail"},
		{"pin with line break", extensionWith(`pin: "12\n34"`), "f.yaml:6: tenants[0].extensions[1].pin: contains a line break"},
		{"pin is a list", extensionWith(`pin: [1]`), "f.yaml:6: tenants[0].extensions[1].pin: must be a single value"},
		{"long password", extensionWith(`password: ` + long), "f.yaml:6: tenants[0].extensions[1].password: is longer"},
		{"pin cut", extensionWith(`pin: "hmac:00ff"`), "f.yaml:6: tenants[0].extensions[1].pin: begins like an exported secret"},
		{"pin with bad origin", extensionWith(`pin: "hmac:` + strings.Repeat("0", 64) + `;from=x"`), "f.yaml:6: tenants[0].extensions[1].pin: begins like an exported secret"},
		{"pin of another kind", extensionWith(`pin: "sealed:` + strings.Repeat("A", 60) + `"`), "f.yaml:6: tenants[0].extensions[1].pin: is an exported secret of another kind"},
		{"sealed elsewhere", extensionWith(`sip_password: "sealed:` + strings.Repeat("A", 60) + `"`), "f.yaml:6: tenants[0].extensions[1].sip_password: was sealed with another server key"},
		{"hashed sip password", extensionWith(`sip_password: "hmac:` + strings.Repeat("0", 64) + `"`), "f.yaml:6: tenants[0].extensions[1].sip_password: is an exported secret of another kind"},
		{"template as a path", extensionWith(`template: ../x`), "f.yaml:6: tenants[0].extensions[1].template: must be 1 to 64"},
		{"key type", extensionWith(`keys: [{type: blfs, value: "1"}]`), `f.yaml:6: tenants[0].extensions[1].keys[0].type: "blfs" is not understood`},
		{"key without type", extensionWith(`keys: [{value: "1"}]`), "f.yaml:6: tenants[0].extensions[1].keys[0]: has no type"},
		{"key without value", extensionWith(`keys: [{type: blf}]`), "f.yaml:6: tenants[0].extensions[1].keys[0]: has no value"},
		{"key value with line break", extensionWith(`keys: [{type: blf, value: "1\r\n2"}]`), "f.yaml:6: tenants[0].extensions[1].keys[0].value: contains a line break"},
		{"key value with U+2028", extensionWith(`keys: [{type: blf, value: "1\L2"}]`), "f.yaml:6: tenants[0].extensions[1].keys[0].value: contains a line break"},
		{"upstream without username", extensionWith(`upstream: {password: x}`), "f.yaml:6: tenants[0].extensions[1].upstream: has no username"},
		{"extension policy", extensionWith(`policy: {sites: [mars]}`), "f.yaml:6: tenants[0].extensions[1].policy.sites[0]: site mars is not one"},

		{"no mac", tenantWith("    devices: [{brand: snom}]\n"), "f.yaml:4: tenants[0].devices[0]: has no mac"},
		{"bad mac", tenantWith("    devices: [{mac: 00:15:65:aa:bb}]\n"), "f.yaml:4: tenants[0].devices[0].mac: a MAC address has 12 hex digits"},
		{"mac twice", deviceWith("desk: a}\n      - {mac: 001565AABB01"), "f.yaml:6: tenants[0].devices[1].mac: MAC 001565aabb01 is already on line 5"},
		{"unknown device key", deviceWith("label: a"), "f.yaml:5: tenants[0].devices[0].label: unknown key"},
		{"site unknown", deviceWith("site: mars"), "f.yaml:5: tenants[0].devices[0].site: site mars is not one of the tenant's sites"},
		{"owner", deviceWith("owner: \"*\""), "f.yaml:5: tenants[0].devices[0].owner: number: character '*'"},
		{"brand", deviceWith("brand: \"a/b\""), "f.yaml:5: tenants[0].devices[0].brand: must be a vendor's name"},
		{"device digest", deviceWith("digest: md5"), "f.yaml:5: tenants[0].devices[0].digest: must be a list"},
		{"epoch", deviceWith("epoch: -1"), "f.yaml:5: tenants[0].devices[0].epoch: must be a number"},
		{"address is text", deviceWith("address: Berlin"), "f.yaml:5: tenants[0].devices[0].address: must be a mapping"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			f, faults := ParseFile("f.yaml", strings.NewReader(tc.text), ParseOptions{Keeper: newKeeper()})
			if f != nil || len(faults) != 1 {
				t.Fatalf("file %v, faults %v; want one that begins %q", f, faults, tc.want)
			}
			if got := faults[0].String(); !strings.HasPrefix(got, tc.want) {
				t.Errorf("fault %q, want %q", got, tc.want)
			}
		})
	}
}

func TestAllFaultsInOnePass(t *testing.T) {
	_, faults := ParseFile("f.yaml", strings.NewReader(`tenants:
  - code: ACME
    domains: [acme_test]
    polcy: {}
    extensions:
      - {number: "10 01", pin: "1\n2"}
    devices:
      - {mac: xx, site: nowhere}
`), ParseOptions{Keeper: newKeeper()})
	keys := []string{"tenants[0].code", "tenants[0].domains[0]", "tenants[0].polcy", "tenants[0].extensions[0].number", "tenants[0].extensions[0].pin", "tenants[0].devices[0].mac", "tenants[0].devices[0].site"}
	if len(faults) != len(keys) {
		t.Fatalf("faults %v", faults)
	}
	for i, f := range faults {
		if f.Key != keys[i] {
			t.Errorf("fault %d at %s, want %s", i, f.Key, keys[i])
		}
	}
}

func TestFaultsAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("tenants:\n  - code: acme\n    domains: [acme.test]\n    extensions:\n")
	for range 1500 {
		b.WriteString("      - {number: \"!\"}\n")
	}
	_, faults := ParseFile("f.yaml", strings.NewReader(b.String()), ParseOptions{Keeper: newKeeper()})
	if len(faults) != maxFaults+1 || faults[maxFaults].Message != "and 500 more of the kind" {
		t.Errorf("%d faults, the last %v", len(faults), faults[len(faults)-1])
	}
}

func TestFaultsShowNoSecret(t *testing.T) {
	text := strings.NewReplacer("pin: ", "pin: \"hush\\n", "password: ", "password: \"hush\\n", "secret: ", "secret: \"hush\\n").Replace(
		extensionWith("pin: a\", password: b\", sip_password: c\", upstream: {username: u, password: d\"}") + "    devices: [{mac: 001565aabb01, secret: e\", sip_secret: f\"}]\n    default_pin: g\"\n")
	_, faults := ParseFile("f.yaml", strings.NewReader(text), ParseOptions{Keeper: newKeeper()})
	if len(faults) != 7 {
		t.Errorf("faults %v", faults)
	}
	if all := fmt.Sprint(faults); strings.Contains(all, "hush") {
		t.Errorf("a fault shows a secret: %s", all)
	}
}

func TestBombs(t *testing.T) {
	var aliases strings.Builder
	aliases.WriteString(tenantWith("    extensions: &e\n"))
	for i := range 100 {
		fmt.Fprintf(&aliases, "      - {number: \"%d\"}\n", i)
	}
	for i := range 30 {
		fmt.Fprintf(&aliases, "  - {code: t%d, domains: [t%d.test], extensions: *e}\n", i, i)
	}
	small := bounds{bytes: 100_000, values: 50_000, visits: 5_000, records: 3_100}
	more := bounds{bytes: 100_000, values: 50_000, visits: 80_000, records: 3_100}
	tests := []struct {
		name   string
		text   string
		bounds bounds
		says   string
	}{
		{"deep", strings.Repeat("[", 50_000), fileBounds(), "not valid YAML"},
		{"deep in its place", "tenants: " + strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000), fileBounds(), "tenants[0]: must be a mapping"},
		{"alias of itself", "tenants: &a [*a]\n", small, "tenants"},
		{"many keys", "{" + strings.Repeat("a: 1, ", 5_000) + "}", small, "has more than 64 keys"},
		{"many values", "[" + strings.Repeat(",", 50_000) + "]", small, "has more than 50000 values"},
		{"many entries", tenantWith("    emergency_numbers: [" + strings.Repeat("\"112\",", 1001) + "]\n"), small, "has more than 1000 entries"},
		{"too large", strings.Repeat("#", 100_001), small, "is larger than 100000 bytes"},
		{"records by aliases", aliases.String(), bounds{100_000, 50_000, 80_000, 3_099}, "is more than the 3099 a file may have"},
		{"values by aliases", aliases.String(), small, "make more than 5000 values"},
		{"a list used by many", aliases.String(), more, ""},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			p := newParser("f.yaml", ParseOptions{Keeper: newKeeper()})
			p.bounds = tc.bounds
			f, faults := p.parse(strings.NewReader(tc.text))
			if all := fmt.Sprint(faults); (f == nil) != (tc.says != "") || !strings.Contains(all, tc.says) {
				t.Errorf("%d faults, want %q; the first: %v", len(faults), tc.says, faults[:min(3, len(faults))])
			}
		})
	}
}

func FuzzParseFile(f *testing.F) {
	f.Add(example)
	f.Add(tenantWith("    policy: *x\n"))
	f.Add("tenants: &a [*a]\n")
	f.Add("tenants:\n- <<: {code: a}\n  ? [a]\n  : b\n")
	f.Add("%YAML 1.1\n---\ntenants: !!set {a}\n...\n")
	f.Fuzz(func(t *testing.T, text string) {
		file, faults := ParseFile("f", strings.NewReader(text), ParseOptions{Keeper: newKeeper()})
		if (file == nil) == (len(faults) == 0) {
			t.Fatal("neither file nor fault")
		}
		for _, x := range faults {
			if strings.ContainsFunc(x.String(), isControl) {
				t.Errorf("a fault breaks the line: %q", x)
			}
		}
		if file == nil {
			return
		}
		roundTrip(t, file)
	})
}
