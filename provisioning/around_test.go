package provisioning_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"perch/hotdesk/directory"
	"perch/provisioning"
	"perch/provisioning/brand"
	"perch/provisioning/brand/all"
	"perch/provisioning/device"
	"perch/provisioning/files"
	"perch/sip/digest"
)

// library is the phone book of acme, in two parts for Cisco's phones.
type library struct{ away bool }

func (l library) Entries(_ context.Context, t directory.TenantCode) ([]brand.Entry, error) {
	if l.away {
		return nil, errors.New("store away")
	}
	var out []brand.Entry
	for i := range 40 {
		out = append(out, brand.Entry{Name: fmt.Sprintf("%s person %02d", t, i), Number: fmt.Sprint(1000 + i)})
	}
	return out, nil
}

type around struct {
	site
	kept []string
	full bool
}

func (a *around) Keep(d directory.DeviceID, name string, body io.Reader) error {
	text, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	if a.full {
		return errors.New("disk full")
	}
	a.kept = append(a.kept, fmt.Sprintf("%s %s %d", d.MAC, name, len(text)))
	return nil
}

func (a *around) handler(t *testing.T, firmware string) http.Handler {
	t.Helper()
	f, err := files.OpenFirmware(firmware, provisioning.FirmwareOf(all.Brands()), nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	nonces := digest.NewNonces([]byte("key"), "node", "boot", time.Minute, time.Now)
	h, err := provisioning.New(provisioning.Config{
		Brands: all.Brands(), Desks: a, Witness: a, Recorder: a, Door: device.NewDoor(device.Parts{Store: a, Tokens: a, Nonces: nonces}),
		Log: slog.New(slog.DiscardHandler), Firmware: f, Uploads: a, Books: library{},
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestFirmwareByHTTP(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"T46U-108.86.0.90.rom": "0123456789", "0015.sip.ld": "poly", "bad.rom": "x", "bad.rom.sha256": strings.Repeat("0", 64), "notes.txt": "secret"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h := (&around{}).handler(t, dir)
	first := ask(t, h, "GET", "/fw/t46u-108.86.0.90.ROM", "")
	etag := first.Header().Get("ETag")
	if first.Code != 200 || first.Body.String() != "0123456789" || len(etag) != 34 {
		t.Fatalf("%d %q %q", first.Code, first.Body, etag)
	}
	for _, c := range []struct {
		name, method, path string
		header             []string
		code               int
		body               string
	}{
		{"range", "GET", "/T46U-108.86.0.90.rom", []string{"Range", "bytes=2-4"}, 206, "234"},
		{"its end", "GET", "/T46U-108.86.0.90.rom", []string{"Range", "bytes=-3"}, 206, "789"},
		{"rest of the same", "GET", "/T46U-108.86.0.90.rom", []string{"Range", "bytes=8-", "If-Range", etag}, 206, "89"},
		{"rest of another", "GET", "/T46U-108.86.0.90.rom", []string{"Range", "bytes=8-", "If-Range", `"other"`}, 200, "0123456789"},
		{"range beyond", "GET", "/T46U-108.86.0.90.rom", []string{"Range", "bytes=99-"}, 416, ""},
		{"unchanged", "GET", "/T46U-108.86.0.90.rom", []string{"If-None-Match", etag}, 304, ""},
		{"head", "HEAD", "/T46U-108.86.0.90.rom", nil, 200, ""},
		{"poly's", "GET", "/acme/0015.sip.ld", nil, 200, "poly"},
		{"wrong checksum", "GET", "/bad.rom", nil, 404, "not found\n"},
		{"its checksum", "GET", "/bad.rom.sha256", nil, 404, "not found\n"},
		{"no firmware", "GET", "/notes.txt", nil, 404, "not found\n"},
		{"not there", "GET", "/other.rom", nil, 404, "not found\n"},
		{"traversal", "GET", "/../notes.txt", nil, 404, "not found\n"},
		{"post", "POST", "/T46U-108.86.0.90.rom", nil, 404, "not found\n"},
	} {
		got := ask(t, h, c.method, c.path, "", c.header...)
		if got.Code != c.code || c.code != 416 && got.Body.String() != c.body {
			t.Errorf("%s: %d %q", c.name, got.Code, got.Body)
		}
	}
}

func TestUploadsAreKept(t *testing.T) {
	a := &around{}
	h := a.handler(t, t.TempDir())
	put := func(path, auth, body string) int {
		r := httptest.NewRequest(http.MethodPut, "http://x"+path, strings.NewReader(body))
		if auth != "" {
			r.Header.Set("Authorization", auth)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	good := basic("001565aabb01", secret)
	for _, c := range []struct {
		name, path, auth, body string
		want                   int
	}{
		{"log", "/001565aabb01-boot.log", good, "text", 200},
		{"by token", "/t/token-001565aabb01/001565aabb01-local.cfg", "", "settings", 200},
		{"nobody", "/001565aabb01-boot.log", "", "text", 401},
		{"wrong secret", "/001565aabb01-boot.log", basic("001565aabb01", "wrong"), "text", 404},
		{"another's", "/001565aabb02-boot.log", good, "text", 404},
		{"no upload", "/001565aabb01.cfg", good, "text", 404},
		{"too large", "/001565aabb01-boot.log", good, strings.Repeat("x", 1<<20+1), 413},
	} {
		if got := put(c.path, c.auth, c.body); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
	if got := fmt.Sprint(a.kept); got != "[001565aabb01 001565aabb01-boot.log 4 001565aabb01 001565aabb01-local.cfg 8]" {
		t.Errorf("kept %s", got)
	}
	if got := ask(t, h, "GET", "/001565aabb01-local.cfg", good); got.Code != 404 {
		t.Errorf("a phone gets back what somebody set at it: %d", got.Code)
	}
	a.full = true
	if got := put("/001565aabb01-boot.log", good, "text"); got != 200 {
		t.Errorf("a phone is told of our full disk: %d", got)
	}
	if got := fmt.Sprint(a.uploads); got != "[kept kept refused refused refused refused refused failed]" {
		t.Errorf("counted %s", got)
	}
}

func TestPhoneBooks(t *testing.T) {
	a := &around{}
	h := a.handler(t, t.TempDir())
	for _, c := range []struct {
		name, path, auth string
		want             int
		holds            string
	}{
		{"yealink", "/001565aabb01-phonebook.xml", basic("001565aabb01", secret), 200, "<Name>acme person 39</Name><Telephone>1039</Telephone>"},
		{"of the other tenant", "/001565aabb02-phonebook.xml", basic("001565aabb02", secret), 200, "globex person 00"},
		{"nobody", "/001565aabb01-phonebook.xml", "", 401, ""},
		{"another's", "/001565aabb02-phonebook.xml", basic("001565aabb01", secret), 404, ""},
		{"grandstream, by the folder", "/t/token-c074ad0b63ee/c074ad0b63ee/phonebook.xml", "", 200, "<phonenumber>1000</phonenumber>"},
		{"grandstream, no phone", "/phonebook.xml", basic("c074ad0b63ee", secret), 404, ""},
		{"grandstream, another's token", "/t/token-001565aabb01/c074ad0b63ee/phonebook.xml", "", 404, ""},
		{"poly", "/acme/482567b5313f-directory.xml", basic("482567b5313f", secret), 200, "<ct>1039</ct>"},
		{"poly's shared", "/000000000000-directory.xml", basic("482567b5313f", secret), 404, ""},
		{"mitel", "/1400e91f03ea-phonebook.csv", basic("1400e91f03ea", secret), 200, `"acme person 00","1000"`},
		{"cisco, first part", "/t/token-8843e157ddcc/8843e157ddcc-phonebook.xml", "", 200, "<URL>http://prov.acme.test:8080/t/token-8843e157ddcc/8843e157ddcc-phonebook-2.xml</URL>"},
		{"cisco, second part", "/t/token-8843e157ddcc/8843e157ddcc-phonebook-2.xml", "", 200, "acme person 39"},
		{"cisco, no third", "/t/token-8843e157ddcc/8843e157ddcc-phonebook-3.xml", "", 404, ""},
		{"no brand with a book", "/0080f0aabbcc-phonebook.xml", basic("0080f0aabbcc", secret), 404, ""},
	} {
		got := ask(t, h, "GET", c.path, c.auth)
		if got.Code != c.want || !strings.Contains(got.Body.String(), c.holds) {
			t.Errorf("%s: %d\n%s", c.name, got.Code, got.Body)
		}
		if c.want == 200 && strings.Contains(got.Body.String(), secret) {
			t.Errorf("%s: a secret stands in it", c.name)
		}
	}
	if got := ask(t, h, "GET", "/8843e157ddcc-phonebook.xml", basic("8843e157ddcc", secret)); strings.Contains(got.Body.String(), "person 32") {
		t.Error("the first part holds more than the phone takes")
	}
	if len(a.fetched) != 0 {
		t.Error("a phone book counts as the configuration")
	}
}

// Without credentials no name that any brand asks for gives a secret away.
func TestSecretsOnlyForWhoProvedItself(t *testing.T) {
	a := &around{}
	a.bound = true
	h := a.handler(t, t.TempDir())
	for mac := range devices {
		for _, form := range []string{
			"%s.cfg", "%s.boot", "%s.xml", "%s.htm", "cfg%s", "cfg%s.xml", "cfg%s.bin", "%s-perch.cfg", "%s-phone.cfg", "%s-web.cfg", "%s-mb.cfg", "%s-user.cfg", "%s-license.cfg",
			"%s-contacts.xml", "%s-smartblf.cfg", "%s-phonebook.xml", "%s-directory.xml", "%s-calls.xml", "SEP%s.cnf.xml", "ata%s.cnf.xml", "spa%s.cfg", "snomD785-%s.htm", "snomD785.htm?mac=%s", "%s.tuz",
			"y000000000108.cfg", "000000000000.cfg", "startup.cfg", "aastra.cfg", "cfg.xml", "phonebook.xml", "init.cfg", "spa501G.cfg", "CP-8851-3PCC.xml", "XMLDefault.cnf.xml", "%s/phonebook.xml", "sip.ld", "security.tuz",
		} {
			name := form
			if strings.Contains(form, "%s") {
				name = fmt.Sprintf(form, mac)
			}
			for _, folder := range []string{"/", "/acme/", "/globex/", "/x/y/"} {
				got := ask(t, h, "GET", folder+name, "")
				if got.Code != 401 && got.Code != 404 || strings.Contains(got.Body.String(), "assword") || strings.Contains(got.Body.String(), secret) {
					t.Fatalf("%s%s: %d\n%s", folder, name, got.Code, got.Body)
				}
			}
		}
	}
}
