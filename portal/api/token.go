package api

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"perch/hotdesk/directory"
)

// The files in data_dir by which the command line finds a running server: the
// admin token, and the base URL at which this API was last opened.
const (
	TokenFile   = "api.token"
	AddressFile = "api.address"
)

// maxSmall bounds both files, in bytes.
const maxSmall = 4096

// OpenToken reads the token in data_dir, or keeps the one that fresh makes
// there, mode 0600, when there is none yet.
func OpenToken(dataDir string, fresh func() directory.Secret) (directory.Secret, error) {
	token, err := ReadToken(dataDir)
	if !errors.Is(err, fs.ErrNotExist) {
		return token, err
	}
	if err := os.MkdirAll(dataDir, 0o700); err != nil {
		return "", fmt.Errorf("api: token: %w", err)
	}
	if err := replace(filepath.Join(dataDir, TokenFile), fresh().Reveal()+"\n"); err != nil {
		return "", fmt.Errorf("api: token: %w", err)
	}
	return ReadToken(dataDir)
}

// ReadToken reads the token of the server with that data_dir. The error wraps
// fs.ErrNotExist where no server ever started.
func ReadToken(dataDir string) (directory.Secret, error) {
	path := filepath.Join(dataDir, TokenFile)
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("api: token: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("api: token: %s can be read by others (mode %04o): delete it and restart perch, which makes a new one", path, info.Mode().Perm())
	}
	text, err := readSmall(path)
	if err != nil {
		return "", fmt.Errorf("api: token: %w", err)
	}
	if len(text) < 20 || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", fmt.Errorf("api: token: %s holds no token: delete it and restart perch, which makes a new one", path)
	}
	return directory.Secret(text), nil
}

// Announce notes in data_dir where this API is open, as "http://127.0.0.1:8000".
func Announce(dataDir, url string) error {
	if err := replace(filepath.Join(dataDir, AddressFile), url+"\n"); err != nil {
		return fmt.Errorf("api: announce: %w", err)
	}
	return nil
}

// Announced reads what Announce noted; the error wraps fs.ErrNotExist where
// nobody did.
func Announced(dataDir string) (string, error) {
	url, err := readSmall(filepath.Join(dataDir, AddressFile))
	if err != nil {
		return "", fmt.Errorf("api: announced: %w", err)
	}
	return url, nil
}

// replace writes a file of mode 0600 in one step: a reader sees the old text or
// the new one.
func replace(path, text string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".perch-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // gone already when all went well
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func readSmall(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // read only
	text, err := io.ReadAll(io.LimitReader(f, maxSmall))
	return strings.TrimSpace(string(text)), err
}
