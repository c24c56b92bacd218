package credential

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Load reads the server key from a file, or makes the file (32 random bytes,
// mode 0600) when there is none. A file of another size, or one that its group
// or others may read or write, is refused: the message says what to do. When
// several processes make the file at once, all get the same key.
func Load(path string) (*Key, error) {
	root, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		fresh := make([]byte, KeySize)
		rand.Read(fresh) //nolint:errcheck // never fails, by its contract
		if err = create(path, fresh); err != nil {
			return nil, fmt.Errorf("credential: make the server key: %w", err)
		}
		root, err = read(path)
	}
	if err != nil {
		return nil, fmt.Errorf("credential: server key: %w", err)
	}
	return FromBytes(root)
}

func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file: set key_file to the file with the key", path)
	}
	if perm := info.Mode().Perm(); perm&0o077 != 0 {
		return nil, fmt.Errorf("%s may be read or written by others (mode %04o): run chmod 600 %s, and take the key as known if strangers use this machine", path, perm, path)
	}
	root, err := io.ReadAll(io.LimitReader(f, KeySize+1))
	if err != nil {
		return nil, err
	}
	if len(root) != KeySize {
		return nil, fmt.Errorf("%s is not a server key, which has exactly %d bytes: restore it from a backup; with a new key every PIN, password and device secret must be set again", path, KeySize)
	}
	return root, nil
}

// create writes a secret to a file of another name and links it to its own, so
// that nobody ever sees half of it and the first of several makers wins.
func create(path string, text []byte) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".secret-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // the link stays
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(dir)
}

// syncDir makes the new name last: a key lost after its first use would lock
// everybody out.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
