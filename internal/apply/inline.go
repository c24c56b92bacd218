package apply

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"perch/hotdesk/calendar"
	"perch/hotdesk/directory"
)

// Inlined gives the text of a directory file with the calendars that it names,
// which stand beside it, in it. name is the file's own, as it was opened. It is
// for whoever reads a file from disk; a text that came from elsewhere never makes
// a server open a file.
func Inlined(name string, text []byte) ([]byte, error) {
	out, err := directory.Inline(text, func(file string) ([]byte, error) {
		if !filepath.IsAbs(file) {
			file = filepath.Join(filepath.Dir(name), file)
		}
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close() //nolint:errcheck // read only
		return io.ReadAll(io.LimitReader(f, calendar.MaxBytes+1))
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return out, nil
}
