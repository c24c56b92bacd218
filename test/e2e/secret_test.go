package e2e

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"perch/internal/sim"
)

// The secrets of TestSecrets, long enough to be found nowhere by chance.
const (
	longPIN      = "8642097531"
	wrongPIN     = "7531908642"
	staticSecret = "a-static-password-of-a-softphone"
	portalSecret = "a-portal-password-of-a-person"
)

const secretFile = `
tenants:
  - code: acme
    domains: [acme.test]
    extensions:
      - {number: "1001", pin: "8642097531", sip_password: a-static-password-of-a-softphone, password: a-portal-password-of-a-person, keys: [{type: blf, value: "1002"}]}
      - {number: "1002"}
    devices:
      - {mac: "001565aabb01", brand: yealink, model: T46U, secret: dev-001565aabb01}
`

// TestSecrets: after a login with all that belongs to it no PIN and no
// password is in the log (debug included), in a metric, in what Redis has on
// disk - events, traces and records alike - or in an export.
func TestSecrets(t *testing.T) {
	t.Parallel()
	o := openWith(t, secretFile)
	d := o.phone(sim.Yealink, yealinkDesk, func(o *sim.Options) { o.ChallengeNotify = "desk.phone" })
	d.is(yealinkDesk)
	idle := o.yealinkFile(yealinkDesk)
	d.hears(false, d.dial("*11*1001*"+wrongPIN))
	d.hears(true, d.dial("*11*1001*"+longPIN))
	d.is("1001")
	o.ready(yealinkDesk, "1001")
	bound := o.yealinkFile(yealinkDesk)
	if m := dialWire(t, o.sip("udp")).register(account{user: "1001", auth: "1001", password: staticSecret}, 600); m.status() != "200" {
		t.Errorf("REGISTER: %s", m.line)
	}
	secrets := map[string]string{
		"PIN": longPIN, "wrong PIN": wrongPIN, "static password": staticSecret, "portal password": portalSecret,
		"device secret": secretOf(yealinkDesk).Reveal(), "account password": idle.password, "session password": bound.password, "API token": o.Token().Reveal(),
	}
	look := func(where string, text []byte) {
		t.Helper()
		for name, s := range secrets {
			if bytes.Contains(text, []byte(s)) {
				t.Errorf("%s: holds the %s", where, name)
			}
		}
	}
	look("log", []byte(o.log.String()))
	_, page := get(httpURL(o.Addresses().Metrics) + "/metrics")
	look("metrics", []byte(page))
	look("export", []byte(o.admin("export")))
	look("trace", []byte(o.admin("trace", "--mac", yealinkDesk, "--json")))
	files := 0
	err := filepath.WalkDir(filepath.Join(o.dir, "data"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || strings.HasPrefix(e.Name(), "api.token") {
			return err
		}
		text, err := os.ReadFile(path)
		look(e.Name(), text)
		if bytes.Contains(text, []byte("binding.created")) {
			files++
		}
		return err
	})
	if err != nil || files == 0 {
		t.Errorf("%d files with events, %v", files, err)
	}
}
