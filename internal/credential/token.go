package credential

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"perch/hotdesk/directory"
)

// maxToken bounds a token file, in bytes.
const maxToken = 256

// LoadToken reads the token of the REST API, or makes one (mode 0600) when
// there is none. An operator may write a token of at least 20 characters.
func LoadToken(path string) (directory.Secret, error) {
	t, err := ReadToken(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = create(path, []byte(NewToken().Reveal()+"\n")); err != nil {
			return "", fmt.Errorf("credential: make the API token: %w", err)
		}
		return ReadToken(path)
	}
	return t, err
}

// ReadToken reads the token of the REST API. A file that others may read is
// refused.
func ReadToken(path string) (directory.Secret, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("credential: API token: %w", err)
	}
	defer f.Close() //nolint:errcheck // read only
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("credential: API token: %w", err)
	}
	if perm := info.Mode().Perm(); perm&0o077 != 0 {
		return "", fmt.Errorf("credential: API token: %s may be read or written by others (mode %04o): remove it and restart, a new one is made", path, perm)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxToken))
	if err != nil {
		return "", fmt.Errorf("credential: API token: %w", err)
	}
	t := strings.TrimSpace(string(text))
	if len(t) < 20 {
		return "", fmt.Errorf("credential: API token: %s holds fewer than 20 characters: remove it and restart, a new one is made", path)
	}
	return directory.Secret(t), nil
}
