package credential

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestLoadToken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "token")
	if _, err := ReadToken(path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("err %v, want that there is none", err)
	}
	first, err := LoadToken(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := LoadToken(path)
	if err != nil || again != first || len(first) < 40 {
		t.Errorf("%v: second read differs, or the token is short (%d)", err, len(first))
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v %v, want 0600", info.Mode(), err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadToken(path); err == nil {
		t.Error("a token that others can read was taken")
	}
}

func TestLoadTokenRefusesAShortOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadToken(path); err == nil {
		t.Error("a token of 6 characters was taken")
	}
}
