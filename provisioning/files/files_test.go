package files

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"perch/hotdesk/directory"
)

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func sum(text string) string {
	s := sha256.Sum256([]byte(text))
	return hex.EncodeToString(s[:])
}

func TestFirmware(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	put(t, dir, "T46U-108.86.0.90.rom", "good")
	put(t, dir, "T46U-108.86.0.90.rom.sha256", sum("good")+"  T46U-108.86.0.90.rom\n")
	put(t, dir, "plain.rom", "plain")
	put(t, dir, "wrong.rom", "changed")
	put(t, dir, "wrong.rom.sha256", strings.ToUpper(sum("original")))
	put(t, dir, "empty.rom", "x")
	put(t, dir, "empty.rom.sha256", "")
	put(t, dir, "server.key", "secret")
	put(t, outside, "far.rom", "far")
	if err := errors.Join(os.Symlink(filepath.Join(outside, "far.rom"), filepath.Join(dir, "link.rom")), os.Mkdir(filepath.Join(dir, "folder.rom"), 0o700)); err != nil {
		t.Fatal(err)
	}
	bad := -1
	f, err := OpenFirmware(dir, func(n string) bool { return strings.HasSuffix(n, ".rom") }, func(n int) { bad = n }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	faults, err := f.Scan(t.Context())
	if err != nil || len(faults) != 3 || bad != 2 {
		t.Errorf("%v, %v, %d", faults, err, bad)
	}
	for name, want := range map[string]string{
		"t46u-108.86.0.90.ROM": "good", "plain.rom": "plain",
		"wrong.rom": "", "empty.rom": "", "server.key": "", "link.rom": "", "folder.rom": "", "../far.rom": "", "": "", ".": "", "T46U-108.86.0.90.rom.sha256": "",
	} {
		o, ok := f.Open(name)
		if ok != (want != "") {
			t.Errorf("%s: %v", name, ok)
		}
		if !ok {
			continue
		}
		text, err := io.ReadAll(o)
		if err != nil || string(text) != want || o.Digest != sum(want) {
			t.Errorf("%s: %q %v", name, text, err)
		}
		o.Close()
	}
	put(t, dir, "plain.rom", "changed since")
	if _, ok := f.Open("plain.rom"); ok {
		t.Error("a file that was not hashed is given out")
	}
	put(t, dir, "wrong.rom", "original")
	if _, err := f.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"plain.rom", "wrong.rom"} {
		if o, ok := f.Open(name); ok {
			o.Close()
		} else {
			t.Errorf("%s is not found after it was mended", name)
		}
	}
	if _, err := OpenFirmware(filepath.Join(dir, "plain.rom"), nil, nil, nil); err == nil {
		t.Error("a file is taken for a folder")
	}
}

func device(n byte) directory.DeviceID {
	return directory.DeviceID{Tenant: "acme", MAC: directory.MAC{0, 0x15, 0x65, 0, 0, n}}
}

// here lists what lies in a folder of uploads, with its text.
func here(t *testing.T, dir string) (out []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		text, err := os.ReadFile(path)
		out = append(out, string(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestUploads(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "uploads")
	clock := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var files int
	var size int64
	open := func() *Uploads {
		u, err := OpenUploads(dir, Quotas{Files: 3, Bytes: 10, Total: 25}, func(f int, b int64) { files, size = f, b }, func() time.Time {
			clock = clock.Add(time.Second)
			return clock
		})
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	u := open()
	keep := func(n byte, text string) {
		t.Helper()
		if err := u.Keep(device(n), "x/../../001565000001-boot.log", strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 5 {
		keep(1, fmt.Sprint(i))
	}
	if got := fmt.Sprint(here(t, dir)); got != "[2 3 4]" || files != 3 || size != 3 {
		t.Errorf("of one device: %s, %d files of %d bytes", got, files, size)
	}
	keep(1, "999999999") // nine bytes: only the newest fit
	if got := fmt.Sprint(here(t, dir)); got != "[4 999999999]" {
		t.Errorf("bytes of one device: %s", got)
	}
	if err := u.Keep(device(1), "x", bytes.NewReader(make([]byte, 11))); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
	keep(2, "2222222222")
	u = open() // as after a restart
	keep(3, "3333333333")
	if got := here(t, dir); len(got) != 2 || files != 2 || size != 20 {
		t.Errorf("in all: %v, %d files of %d bytes", got, files, size)
	}
}
