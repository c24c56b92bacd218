package certs

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

func writeKey(name string, key crypto.PrivateKey) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return write(name, 0o600, &pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func writeCert(name string, der []byte) error {
	return write(name, 0o644, &pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// write replaces a file as a whole: a crash leaves the old one or the new one.
func write(name string, mode fs.FileMode, b *pem.Block) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // gone when all went well
	err = errors.Join(f.Chmod(mode), pem.Encode(f, b), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

func missing(name string) bool {
	_, err := os.Stat(name)
	return errors.Is(err, fs.ErrNotExist)
}
