package credential

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func testKey(t testing.TB) *Key {
	t.Helper()
	return keyOf(t, 7)
}

func keyOf(t testing.TB, fill byte) *Key {
	t.Helper()
	k, err := FromBytes(bytes.Repeat([]byte{fill}, KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestSubKeyIsHKDF(t *testing.T) {
	want, err := hkdf.Key(sha256.New, bytes.Repeat([]byte{7}, KeySize), nil, "perch nonce", KeySize)
	if err != nil {
		t.Fatal(err)
	}
	if got := testKey(t).SubKey("nonce"); !bytes.Equal(got, want) {
		t.Errorf("SubKey = %x, HKDF says %x", got, want)
	}
	if bytes.Equal(testKey(t).SubKey("a"), testKey(t).SubKey("b")) {
		t.Error("two purposes, one key")
	}
}

func TestKeyNeverPrints(t *testing.T) {
	k := testKey(t)
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", k)
	for _, out := range []string{fmt.Sprint(k), fmt.Sprintf("%+v", k), fmt.Sprintf("%#v", k), log.String()} {
		if !strings.Contains(out, k.Fingerprint()) || len(out) > 150 {
			t.Errorf("printed as %q", out)
		}
	}
	if keyOf(t, 8).Fingerprint() == k.Fingerprint() {
		t.Error("two keys, one fingerprint")
	}
}

func TestLoadMakesAndKeeps(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "server.key")
	first, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 || info.Size() != KeySize {
		t.Errorf("key file has mode %v and %d bytes", info.Mode(), info.Size())
	}
	again, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if again.Fingerprint() != first.Fingerprint() {
		t.Error("the second start has another key")
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("left in the folder: %v, %v", left, err)
	}
}

func TestLoadAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "server.key")
	prints := make([]string, 16)
	var wg sync.WaitGroup
	for i := range prints {
		wg.Go(func() {
			if k, err := Load(path); err != nil {
				t.Error(err)
			} else {
				prints[i] = k.Fingerprint()
			}
		})
	}
	wg.Wait()
	for _, p := range prints {
		if p != prints[0] {
			t.Fatalf("two makers, two keys: %v", prints)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	tests := []struct {
		name    string
		content string
		mode    os.FileMode
		says    string
	}{
		{"empty", "", 0o600, "restore it"},
		{"short", strings.Repeat("k", 31), 0o600, "exactly 32 bytes"},
		{"long", strings.Repeat("k", 33), 0o600, "exactly 32 bytes"},
		{"group reads", strings.Repeat("k", 32), 0o640, "chmod 600"},
		{"others read", strings.Repeat("k", 32), 0o604, "chmod 600"},
		{"group writes", strings.Repeat("k", 32), 0o620, "chmod 600"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "server.key")
			if err := os.WriteFile(path, []byte(tc.content), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, tc.mode); err != nil {
				t.Fatal(err)
			}
			_, err := Load(path)
			if err == nil || !strings.Contains(err.Error(), tc.says) || !strings.Contains(err.Error(), path) {
				t.Errorf("Load says %v", err)
			}
			if tc.content != "" && err != nil && strings.Contains(err.Error(), "kkk") {
				t.Error("the error shows the key")
			}
		})
	}
	if _, err := Load(t.TempDir()); err == nil {
		t.Error("a folder was taken for a key")
	}
}
