// Package brandtest holds every brand to the same promises: golden files, the
// same bytes for the same desk, nothing of the last user left on an idle desk,
// and no value that changes the structure of a file. It knows no brand: each
// one's test says how its format is read. Only tests import it.
package brandtest

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"perch/provisioning/brand"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// Update tells whether the golden files are to be rewritten.
func Update() bool { return *update }

// Suite is one brand, one class of its models, and a reader of its format that
// is not its renderer.
type Suite struct {
	Brand func() brand.Brand
	// File is the name under which the phone of the desks below asks for its
	// account.
	File string
	// Idle is a desk nobody sits at, Bound the same with somebody, Full with more
	// keys than the phone has.
	Idle, Bound, Full brand.Desk
	// Read takes a file apart into its settings, and fails the test when it is
	// not well formed or sets anything twice.
	Read func(t testing.TB, body []byte) map[string]string
	// Golden is the beginning of the names of the golden files, Ext their end:
	// testdata/<Golden>idle<Ext>.
	Golden, Ext string
	// Whole tells that a phone forgets what a file no longer sets: then a setting
	// of the last user need not be written to be gone.
	Whole bool
	// Key tells settings that belong to one key of the sidecar, which need not be
	// in the file when there is no such key. Nil: all of them are always written.
	Key func(setting string) bool
}

// Run is all of the suite.
func (s Suite) Run(t *testing.T) {
	t.Run("golden", s.golden)
	t.Run("leftovers", s.leftovers)
	t.Run("hostile", func(t *testing.T) {
		b := s.Brand()
		for _, v := range Hostile() {
			s.Structure(t, b, v)
		}
	})
	t.Run("no account in other files", func(t *testing.T) {
		if _, err := s.Brand().Render(s.Idle, brand.File{Kind: brand.Common, Name: "x"}); err == nil {
			t.Error("a shared file was rendered")
		}
	})
}

// Rendered renders a desk, or fails the test.
func (s Suite) Rendered(t testing.TB, b brand.Brand, d brand.Desk) brand.Rendered {
	t.Helper()
	f := b.File(s.File)
	if f.Kind != brand.Device {
		t.Fatalf("%s is no file of a phone", s.File)
	}
	r, err := b.Render(d, f)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Account || r.ContentType == "" {
		t.Fatal("the file does not say that it carries the account")
	}
	return r
}

func (s Suite) golden(t *testing.T) {
	for name, desk := range map[string]brand.Desk{"idle": s.Idle, "bound": s.Bound, "full": s.Full} {
		got := s.Rendered(t, s.Brand(), desk).Body
		s.Read(t, got)
		Golden(t, s.Golden+name+s.Ext, got)
		if again := s.Rendered(t, s.Brand(), desk).Body; !bytes.Equal(again, got) {
			t.Errorf("%s: a second rendering differs", name)
		}
	}
}

// Golden compares with testdata/name, or rewrites it.
func Golden(t testing.TB, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got)\n%s", name, diff)
	}
}

// leftovers: whoever comes after somebody finds nothing of theirs.
func (s Suite) leftovers(t *testing.T) {
	b := s.Brand()
	idle := s.Rendered(t, b, s.Idle)
	after := s.Read(t, idle.Body)
	for key := range s.Read(t, s.Rendered(t, b, s.Full).Body) {
		if _, set := after[key]; !set && !s.Whole {
			t.Errorf("%s stays from the login before", key)
		}
	}
	if len(idle.Keys)+len(idle.Optional) != 0 {
		t.Error("an idle desk watches somebody")
	}
	for _, secret := range []string{s.Bound.Account.Password.Reveal(), s.Bound.Account.DisplayName} {
		if bytes.Contains(idle.Body, []byte(secret)) {
			t.Errorf("the idle file holds %q", secret)
		}
	}
}

// Structure: the settings of a file do not depend on what its values say; only
// those of keys, where the brand writes no others, come and go with the keys.
func (s Suite) Structure(t testing.TB, b brand.Brand, value string) {
	t.Helper()
	want := s.Read(t, s.Rendered(t, b, Poison(s.Bound, "harmless")).Body)
	have := s.Read(t, s.Rendered(t, b, Poison(s.Bound, value)).Body)
	for key := range have {
		if _, ok := want[key]; !ok && !s.ofKey(key) {
			t.Fatalf("%.100q brings %s", value, key)
		}
	}
	for key := range want {
		if _, ok := have[key]; !ok && !s.ofKey(key) {
			t.Fatalf("%.100q removes %s", value, key)
		}
	}
}

func (s Suite) ofKey(setting string) bool { return s.Key != nil && s.Key(setting) }

// Fuzz looks for a value that changes the structure.
func (s Suite) Fuzz(f *testing.F) {
	for _, v := range Hostile() {
		f.Add(v[:min(len(v), 100)])
	}
	b := s.Brand()
	f.Fuzz(func(t *testing.T, v string) { s.Structure(t, b, v) })
}

// Has checks single settings of a file that was read.
func Has(t testing.TB, got, want map[string]string) {
	t.Helper()
	for key, value := range want {
		if have, ok := got[key]; !ok || have != value {
			t.Errorf("%s = %q, want %q", key, have, value)
		}
	}
}

// Recognised writes what a recogniser answered as "model firmware mac", or "no".
func Recognised(p brand.Phone, ok bool) string {
	if !ok {
		return "no"
	}
	return strings.Join([]string{p.Model, p.Firmware, p.MAC.String()}, " ")
}
