package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"

	"perch/hotdesk/directory"
	"perch/internal/credential"
	"perch/internal/sim"
)

// desksOf reads the phones of a directory file: those of a brand that can be
// imitated, with their secrets, which the file must hold in clear.
func desksOf(name string) ([]desk, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	key, err := passingKey()
	if err != nil {
		return nil, err
	}
	file, faults := directory.ParseFile(name, f, directory.ParseOptions{Keeper: key})
	if len(faults) > 0 {
		return nil, errors.New(safe(faults[0].String()))
	}
	var all []desk
	for _, d := range file.Devices {
		b := sim.Brand(d.Brand)
		if !sim.Imitated(b) {
			continue
		}
		if d.Secret.IsZero() {
			return nil, fmt.Errorf("%s: device %s has no secret, and its phone needs one", name, d.ID.MAC)
		}
		secret, err := key.HTTPSecret(d)
		if err != nil {
			return nil, fmt.Errorf("%s: the secret of %s is not in clear: take the file that was applied, not an export", name, d.ID.MAC)
		}
		all = append(all, desk{d.ID.MAC, b, d.Model, secret})
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s has no device of a brand that can be imitated (%s)", name, simBrands())
	}
	return all, nil
}

// passingKey keeps the file's secrets for as long as this process lives.
func passingKey() (*credential.Key, error) {
	root := make([]byte, credential.KeySize)
	_, _ = rand.Read(root) // never fails, by its contract
	return credential.FromBytes(root)
}
