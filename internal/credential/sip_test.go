package credential

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"strings"
	"testing"

	"perch/hotdesk/directory"
)

var (
	acme   = directory.TenantCode("acme")
	ada    = directory.ExtensionID{Tenant: acme, Number: "1001"}
	aorAda = directory.AOR{User: "1001", Domain: "acme.test"}
	phone  = directory.MAC{0x00, 0x15, 0x65, 0xaa, 0xbb, 0x01}
)

// The derivation is a contract between nodes of different versions.
func TestSIPPasswordIsTheContract(t *testing.T) {
	h := hmac.New(sha256.New, []byte(strings.Repeat("\x07", KeySize)))
	h.Write([]byte("acme|sip:1001@acme.test|001565aabb01|5e55"))
	want := strings.ToLower(base32.StdEncoding.EncodeToString(h.Sum(nil)))[:20]
	if got := testKey(t).SIPPassword(acme, aorAda, phone, "5e55").Reveal(); got != want {
		t.Errorf("SIPPassword = %q, want %q", got, want)
	}
}

func TestPasswordsDiffer(t *testing.T) {
	k, other := testKey(t), phone
	other[5]++
	idle := directory.AOR{User: phone.String(), Domain: "acme.test"}
	seen := map[directory.Secret]int{}
	for i, s := range []directory.Secret{
		k.SIPPassword(acme, aorAda, phone, "a"),
		k.SIPPassword(acme, aorAda, phone, "b"),
		k.SIPPassword(acme, aorAda, other, "a"),
		k.SIPPassword("acme2", aorAda, phone, "a"),
		k.SIPPassword(acme, directory.AOR{User: "1002", Domain: "acme.test"}, phone, "a"),
		k.SIPPassword(acme, directory.AOR{User: "1001", Domain: "acme.example"}, phone, "a"),
		k.DevicePassword(acme, idle, phone, 0),
		k.DevicePassword(acme, idle, phone, 1),
		k.DevicePassword(acme, aorAda, phone, 1),
		keyOf(t, 8).SIPPassword(acme, aorAda, phone, "a"),
	} {
		if len(s) != 20 || strings.Trim(s.Reveal(), alphabet) != "" {
			t.Errorf("password %d is %q", i, s.Reveal())
		}
		if j, dup := seen[s]; dup {
			t.Errorf("passwords %d and %d are equal", i, j)
		}
		seen[s] = i
	}
}

func TestDeviceToken(t *testing.T) {
	k, other := testKey(t), phone
	other[0]++
	token := k.DeviceToken(acme, phone, 3)
	if len(token) != 26 || strings.Trim(token, alphabet) != "" {
		t.Fatalf("token %q", token)
	}
	tests := []struct {
		name   string
		token  string
		tenant directory.TenantCode
		mac    directory.MAC
		gen    int
		want   bool
	}{
		{"own", token, acme, phone, 3, true},
		{"former generation", token, acme, phone, 4, false},
		{"another device", token, acme, other, 3, false},
		{"another tenant", token, "acme2", phone, 3, false},
		{"cut", token[:25], acme, phone, 3, false},
		{"empty", "", acme, phone, 3, false},
		{"upper case", strings.ToUpper(token), acme, phone, 3, false},
		{"nobody's", k.DeviceToken("", directory.MAC{}, 0), "", directory.MAC{}, 0, false},
	}
	for _, tc := range tests {
		if got := k.CheckDeviceToken(tc.token, tc.tenant, tc.mac, tc.gen, 0); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}

func TestRandomValuesAreRandom(t *testing.T) {
	if a, b := DeviceSecret(), DeviceSecret(); a == b || len(a) != 20 {
		t.Errorf("device secrets %q %q", a.Reveal(), b.Reveal())
	}
	if a, b := NewSessionID(), NewSessionID(); a == b || len(a) != 32 {
		t.Errorf("session ids %q %q", a, b)
	}
	if a, b := NewToken(), NewToken(); a == b || len(a) != 51 {
		t.Errorf("tokens %q %q", a.Reveal(), b.Reveal())
	}
}

func TestAccountPasswords(t *testing.T) {
	k := testKey(t)
	id := directory.DeviceID{Tenant: acme, MAC: phone}
	idle := directory.AOR{User: phone.String(), Domain: "acme.test"}
	d := directory.Device{ID: id, Epoch: 2, Secret: sealed(t, k, id.SecretContext("secret"), "dev-s3cret")}

	if s, err := k.HTTPSecret(d); err != nil || s != "dev-s3cret" {
		t.Errorf("HTTPSecret = %q, %v", s.Reveal(), err)
	}
	if s, err := k.AccountPassword(d, idle); err != nil || s != k.DevicePassword(acme, idle, phone, 2) {
		t.Errorf("derived AccountPassword = %q, %v", s.Reveal(), err)
	}
	d.SIPSecret = sealed(t, k, id.SecretContext("sip_secret"), "by-hand")
	if s, err := k.AccountPassword(d, idle); err != nil || s != "by-hand" {
		t.Errorf("static AccountPassword = %q, %v", s.Reveal(), err)
	}
	d.SIPSecret.Value = d.Secret.Value // a value from another place
	if _, err := k.AccountPassword(d, idle); err == nil {
		t.Error("the HTTP secret opened as SIP secret")
	}

	e := directory.Extension{ID: ada}
	if _, ok, err := k.StaticPassword(e); ok || err != nil {
		t.Error("a static password out of nothing")
	}
	if _, ok, err := k.UpstreamPassword(e); ok || err != nil {
		t.Error("an upstream password out of nothing")
	}
	e.SIPPassword = sealed(t, k, ada.SecretContext("sip_password"), "s3cret")
	e.Upstream = &directory.UpstreamIdentity{Username: "1001", Password: sealed(t, k, ada.SecretContext("upstream.password"), "pbx")}
	if s, ok, err := k.StaticPassword(e); !ok || err != nil || s != "s3cret" {
		t.Errorf("StaticPassword = %q, %v, %v", s.Reveal(), ok, err)
	}
	if s, ok, err := k.UpstreamPassword(e); !ok || err != nil || s != "pbx" {
		t.Errorf("UpstreamPassword = %q, %v, %v", s.Reveal(), ok, err)
	}
}

func sealed(t *testing.T, k *Key, context string, s directory.Secret) directory.Kept {
	t.Helper()
	v, err := k.Seal(context, s)
	if err != nil {
		t.Fatal(err)
	}
	return directory.Kept{Value: v}
}

func BenchmarkSIPPassword(b *testing.B) {
	k := testKey(b)
	b.ReportAllocs()
	for b.Loop() {
		k.SIPPassword(acme, aorAda, phone, "0123456789abcdef0123456789abcdef")
	}
}
