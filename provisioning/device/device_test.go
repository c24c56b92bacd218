package device

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"perch/hotdesk/directory"
	"perch/provisioning/brand"
	"perch/sip/digest"
)

var (
	ours    = directory.MAC{0x00, 0x15, 0x65, 0xaa, 0xbb, 0x01}
	other   = directory.MAC{0x00, 0x15, 0x65, 0xaa, 0xbb, 0x02}
	unknown = directory.MAC{0x00, 0x15, 0x65, 0xaa, 0xbb, 0x99}
	bare    = directory.MAC{0x00, 0x15, 0x65, 0xaa, 0xbb, 0x03} // without a secret
)

// world has two tenants, each with a device.
type world struct {
	down bool
	saw  chan Sighting
	lost error

	shown    []string
	proofs   directory.Proofs
	former   []Former
	networks []netip.Prefix
	from     string // where the secret is from: a directory file
}

func (w *world) DeviceByMAC(_ context.Context, m directory.MAC) (Record, error) {
	if w.down {
		return Record{}, errors.New("connection refused")
	}
	dev := func(t directory.TenantCode, secret directory.Secret) (Record, error) {
		return Record{
			Device: directory.Device{ID: directory.DeviceID{Tenant: t, MAC: m}, Brand: "yealink", Secret: directory.Kept{Value: "sealed:x", From: w.from}},
			Secret: secret, Proofs: w.proofs, Former: w.former, Networks: w.networks,
		}, nil
	}
	switch m {
	case ours:
		return dev("acme", "dev-s3cret")
	case other:
		return dev("globex", "other-s3cret")
	case bare:
		return dev("acme", "")
	}
	return Record{}, ErrUnknown
}

func (w *world) TenantExists(_ context.Context, c directory.TenantCode) (bool, error) {
	return c == "acme" || c == "globex", nil
}

func (w *world) CheckDeviceToken(token string, t directory.TenantCode, m directory.MAC, _, turn int) bool {
	want := "token-" + string(t) + "-" + m.String()
	if turn > 0 {
		want += fmt.Sprintf("-%d", turn)
	}
	return token == want && !m.IsZero()
}

func (w *world) Shown(_ context.Context, d directory.Device, turn int) error {
	w.shown = append(w.shown, fmt.Sprintf("%s %d", d.ID.MAC, turn))
	return w.lost
}

func (w *world) Saw(_ context.Context, s Sighting) error {
	w.saw <- s
	return w.lost
}

type counter struct {
	failed  []string
	blocked bool
}

func (c *counter) Allowed(string, directory.MAC) bool { return !c.blocked }
func (c *counter) Failed(source string, m directory.MAC) {
	c.failed = append(c.failed, source+" "+m.String())
}

func setup(t *testing.T) (*Door, *world, *counter) {
	t.Helper()
	w, c := &world{saw: make(chan Sighting, 10)}, &counter{}
	nonces := digest.NewNonces([]byte("key"), "node", "boot", time.Minute, time.Now)
	return NewDoor(Parts{Store: w, Tokens: w, Nonces: nonces, Limiter: c, Pending: w, Now: time.Now}), w, c
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

func digestHeader(t *testing.T, d *Door, alg digest.Algorithm, user, password, method, uri string) string {
	t.Helper()
	ch := digest.Challenge{Realm: Realm, Nonce: d.Nonce(), Algorithm: alg, QOP: "auth"}
	c, err := digest.Answer(ch, user, password, method, uri, 1, "abcdef")
	if err != nil {
		t.Fatal(err)
	}
	return c.String()
}

func TestAdmit(t *testing.T) {
	d, _, _ := setup(t)
	const uri = "/acme/001565aabb01.cfg"
	md5 := func(user, password, method, target string) string {
		return digestHeader(t, d, digest.MD5, user, password, method, target)
	}
	for _, c := range []struct {
		name   string
		mac    directory.MAC
		folder string
		token  string
		auth   string
		want   Verdict
	}{
		{"no credentials", ours, "acme", "", "", Challenge},
		{"no credentials, unknown", unknown, "acme", "", "", Challenge},
		{"no credentials, foreign folder", ours, "globex", "", "", Challenge},
		{"another scheme", ours, "", "", "Bearer x", Challenge},
		{"broken base64", ours, "", "", "Basic !!!", Challenge},
		{"broken digest", ours, "", "", `Digest username="`, Challenge},
		{"basic", ours, "acme", "", basic("001565aabb01", "dev-s3cret"), Admitted},
		{"basic, MAC with colons", ours, "", "", basic("00:15:65:AA:BB:01", "dev-s3cret"), Admitted},
		{"basic, wrong secret", ours, "acme", "", basic("001565aabb01", "wrong"), Refused},
		{"basic, empty", ours, "acme", "", basic("001565aabb01", ""), Refused},
		{"basic, unknown", unknown, "acme", "", basic("001565aabb99", "dev-s3cret"), Refused},
		{"basic, unknown with the dummy", unknown, "", "", basic("001565aabb99", "no device has this secret"), Refused},
		{"basic, no secret set", bare, "", "", basic("001565aabb03", ""), Refused},
		{"basic, another's file", ours, "", "", basic("001565aabb02", "other-s3cret"), Refused},
		{"basic, another's name", ours, "", "", basic("001565aabb02", "dev-s3cret"), Refused},
		{"basic, no MAC", ours, "", "", basic("admin", "dev-s3cret"), Refused},
		{"basic, foreign folder", ours, "globex", "", basic("001565aabb01", "dev-s3cret"), Refused},
		{"basic, a folder of no tenant", ours, "70", "", basic("001565aabb01", "dev-s3cret"), Admitted},
		{"digest", ours, "acme", "", md5("001565aabb01", "dev-s3cret", "GET", uri), Admitted},
		{"digest, SHA-256", ours, "acme", "", digestHeader(t, d, digest.SHA256, "001565aabb01", "dev-s3cret", "GET", uri), Admitted},
		{"digest, absolute", ours, "acme", "", md5("001565aabb01", "dev-s3cret", "GET", "http://192.0.2.1:8080"+uri), Admitted},
		{"digest, wrong secret", ours, "acme", "", md5("001565aabb01", "wrong", "GET", uri), Refused},
		{"digest, unknown", unknown, "acme", "", md5("001565aabb99", "wrong", "GET", uri), Refused},
		{"digest, another method", ours, "acme", "", md5("001565aabb01", "dev-s3cret", "HEAD", uri), Refused},
		{"digest, another target", ours, "acme", "", md5("001565aabb01", "dev-s3cret", "GET", "/acme/other"), Refused},
		{"digest, foreign folder", ours, "globex", "", md5("001565aabb01", "dev-s3cret", "GET", uri), Refused},
		{"token", ours, "", "token-acme-001565aabb01", "", Admitted},
		{"token beside a wrong password", ours, "", "token-acme-001565aabb01", basic("001565aabb01", "wrong"), Admitted},
		{"token of another", ours, "", "token-globex-001565aabb02", "", Refused},
		{"token of another beside a right password", ours, "", "token-x", basic("001565aabb01", "dev-s3cret"), Refused},
		{"token, unknown", unknown, "", "token-acme-001565aabb99", "", Refused},
		{"token of nothing", unknown, "", "token--000000000000", "", Refused},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := d.Admit(t.Context(), Request{
				MAC: c.mac, Folder: c.folder, Token: c.token, Authorization: c.auth, Method: "GET", URI: uri,
			})
			if err != nil || got.Verdict != c.want {
				t.Fatalf("%+v, %v; want %d", got, err, c.want)
			}
			if got.Verdict != Admitted && !reflect.DeepEqual(got, Answer{Verdict: c.want}) {
				t.Errorf("a refusal says more: %+v", got)
			}
			if got.Verdict == Admitted && (got.Device.ID.MAC != ours || got.Tenant != (c.folder == "acme") || got.By == "") {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestOldNonceIsAskedAgain(t *testing.T) {
	d, _, c := setup(t)
	ch := digest.Challenge{Realm: Realm, Nonce: "0123456789012345678901234567890123456789", Algorithm: digest.MD5, QOP: "auth"}
	for _, m := range []directory.MAC{ours, unknown} {
		cred, err := digest.Answer(ch, m.String(), "dev-s3cret", "GET", "/x", 1, "c")
		if err != nil {
			t.Fatal(err)
		}
		got, err := d.Admit(t.Context(), Request{MAC: m, Authorization: cred.String(), Method: "GET", URI: "/x"})
		if err != nil || got.Verdict != Challenge || !got.Stale {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if len(c.failed) != 0 {
		t.Errorf("counted: %v", c.failed)
	}
}

func TestFailuresAreCountedAndSlowed(t *testing.T) {
	d, _, c := setup(t)
	try := func(auth string) Verdict {
		got, err := d.Admit(t.Context(), Request{MAC: ours, Authorization: auth, Source: "192.0.2.9", Method: "GET", URI: "/x"})
		if err != nil {
			t.Fatal(err)
		}
		return got.Verdict
	}
	try("")
	try("Bearer x")
	if len(c.failed) != 0 {
		t.Fatalf("a request without credentials counted: %v", c.failed)
	}
	try(basic("001565aabb01", "wrong"))
	if len(c.failed) != 1 || c.failed[0] != "192.0.2.9 001565aabb01" {
		t.Fatalf("%v", c.failed)
	}
	c.blocked = true
	if got := try(basic("001565aabb01", "dev-s3cret")); got != Refused {
		t.Errorf("admitted while blocked: %d", got)
	}
	if len(c.failed) != 1 {
		t.Errorf("counted on: %v", c.failed)
	}
}

func TestStoreDown(t *testing.T) {
	d, w, _ := setup(t)
	w.down = true
	if _, err := d.Admit(t.Context(), Request{MAC: ours, Authorization: basic(ours.String(), "dev-s3cret")}); err == nil {
		t.Error("decided without knowing")
	}
	if got, err := d.Admit(t.Context(), Request{MAC: ours}); err != nil || got.Verdict != Challenge {
		t.Errorf("without credentials the store is not needed: %+v, %v", got, err)
	}
}

func TestUnknownPhonesArePending(t *testing.T) {
	d, w, _ := setup(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { d.Run(ctx); close(done) }()
	r := Request{
		MAC: unknown, Folder: "acme", Source: "192.0.2.7", UserAgent: "Yealink\r\nX " + strings.Repeat("y", 999),
		Phone: brand.Phone{Brand: brand.Yealink, Model: "T46U"},
	}
	for range 5 {
		if _, err := d.Admit(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.Admit(t.Context(), Request{MAC: ours}); err != nil {
		t.Fatal(err)
	}
	last := unknown
	last[5]++
	if _, err := d.Admit(t.Context(), Request{MAC: last, Authorization: basic(last.String(), "x")}); err != nil {
		t.Fatal(err)
	}
	s := <-w.saw
	if after := <-w.saw; after.MAC != last { // in order: the known one between them was left out
		t.Errorf("then %+v", after)
	}
	if s.MAC != unknown || s.Folder != "acme" || s.Phone.Model != "T46U" || len(s.UserAgent) > 200 || strings.ContainsAny(s.UserAgent, "\r\n") {
		t.Errorf("%+v", s)
	}
	cancel()
	<-done
	if len(w.saw) != 0 {
		t.Errorf("reported again, or a known phone: %+v", <-w.saw)
	}
}

// However many addresses are invented, nothing grows and nothing blocks.
func TestPendingIsBounded(t *testing.T) {
	d, _, _ := setup(t)
	for n := range 10_000 {
		m := directory.MAC{2, 0, 0, byte(n >> 16), byte(n >> 8), byte(n)}
		if _, err := d.Admit(t.Context(), Request{MAC: m}); err != nil {
			t.Fatal(err)
		}
	}
	if len(d.unknown.queue) > queueLen || len(d.unknown.last) > remembered {
		t.Errorf("%d queued, %d remembered", len(d.unknown.queue), len(d.unknown.last))
	}
}

func FuzzAdmit(f *testing.F) {
	f.Add("", "Basic MDAxNTY1YWFiYjAxOmRldi1zM2NyZXQ=", "acme")
	f.Add("t", `Digest username="001565aabb01", realm="perch", nonce="x", uri="/", response="y"`, "..")
	w := &world{saw: make(chan Sighting, 10)}
	d := NewDoor(Parts{Store: w, Tokens: w, Nonces: digest.NewNonces([]byte("k"), "n", "b", time.Minute, time.Now), Now: time.Now})
	f.Fuzz(func(t *testing.T, token, auth, folder string) {
		got, err := d.Admit(t.Context(), Request{MAC: unknown, Token: token, Authorization: auth, Folder: folder, Method: "GET", URI: "/"})
		if err != nil || got.Verdict == Admitted {
			t.Fatalf("%+v, %v", got, err)
		}
	})
}
