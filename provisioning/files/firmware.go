// Package files keeps what the phones' web server reads from folders and writes
// into them: firmware that an admin laid there, and what phones upload. It knows
// no HTTP and no brand. It promises that no name leads out of its folder, that a
// firmware file whose checksum is wrong is never given out, and that uploads
// stay within their quotas.
package files

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// Firmware is a folder with firmware files. It is looked at again and again.
// Beside a file may lie its checksum, as sha256sum writes it: <file>.sha256.
type Firmware struct {
	dir   string
	asked func(name string) bool
	log   *slog.Logger
	tell  func(bad int)

	mu     sync.RWMutex
	index  map[string]entry // by lower-case name
	faults []Fault
}

type entry struct {
	name   string // as it is written in the folder
	size   int64
	at     time.Time
	digest string // SHA-256 in hex
	bad    bool
	sum    string // that the file beside it names
}

// Fault is a file of the folder that is not given out.
type Fault struct{ Name, Why string }

// Bounds of the folder.
const (
	maxFirmware  = 2000    // files
	maxChecksum  = 4 << 10 // bytes of a .sha256
	checksumFile = ".sha256"
	rescanEvery  = 10 * time.Second
)

// OpenFirmware makes a Firmware of a folder. asked tells, in lower case, which
// names any phone asks for: others are not given out. tell, which may be nil, is
// told of each number of files with a wrong checksum. Files are known once Scan
// or Run has read them.
func OpenFirmware(dir string, asked func(name string) bool, tell func(bad int), log *slog.Logger) (*Firmware, error) {
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = errors.New("is not a folder")
	}
	if err != nil {
		return nil, fmt.Errorf("files: firmware %s: %w", dir, err)
	}
	if tell == nil {
		tell = func(int) {}
	}
	return &Firmware{dir: dir, asked: asked, tell: tell, log: log, index: map[string]entry{}}, nil
}

// Run keeps the folder known until ctx ends.
func (f *Firmware) Run(ctx context.Context) error {
	tick := time.NewTicker(rescanEvery)
	defer tick.Stop()
	complaint := ""
	for {
		faults, err := f.Scan(ctx)
		if now := say(faults, err); now != complaint {
			if complaint = now; now != "" {
				f.log.Warn("firmware that is not given out", "dir", f.dir, "why", now)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func say(faults []Fault, err error) string {
	var all []string
	if err != nil {
		all = append(all, err.Error())
	}
	for _, x := range faults[:min(len(faults), 5)] {
		all = append(all, x.Name+" "+x.Why)
	}
	return strings.Join(all, "; ")
}

// Scan reads the folder: new and changed files are hashed. It gives those that
// are not given out.
func (f *Firmware) Scan(ctx context.Context) ([]Fault, error) {
	root, err := os.OpenRoot(f.dir)
	if err != nil {
		return nil, fmt.Errorf("files: firmware: %w", err)
	}
	defer root.Close() //nolint:errcheck // read only
	names, err := regular(root)
	if err != nil {
		return nil, fmt.Errorf("files: firmware: %w", err)
	}
	f.mu.RLock()
	before := f.index
	f.mu.RUnlock()
	now, faults, bad := make(map[string]entry, len(names)), []Fault(nil), 0
	for _, name := range names {
		lower := strings.ToLower(name)
		if strings.HasSuffix(lower, checksumFile) {
			continue
		}
		if !f.asked(lower) {
			faults = append(faults, Fault{name, "is no name that a phone asks for"})
			continue
		}
		e, err := look(ctx, root, name, before[lower])
		switch {
		case err != nil:
			faults = append(faults, Fault{name, "cannot be read"})
			continue
		case e.bad:
			bad++
			faults = append(faults, Fault{name, "has another checksum than " + name + checksumFile + " says"})
		}
		now[lower] = e
	}
	f.mu.Lock()
	f.index, f.faults = now, faults
	f.mu.Unlock()
	f.tell(bad)
	return faults, ctx.Err()
}

// regular lists the plain files of a folder.
func regular(root *os.Root) ([]string, error) {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if e.Type().IsRegular() && !strings.HasPrefix(e.Name(), ".") {
			out = append(out, e.Name())
		}
	}
	if len(out) > maxFirmware {
		return nil, fmt.Errorf("more than %d files", maxFirmware)
	}
	slices.Sort(out)
	return out, nil
}

// look hashes a file unless it is as it was.
func look(ctx context.Context, root *os.Root, name string, was entry) (entry, error) {
	file, err := root.Open(name)
	if err != nil {
		return entry{}, err
	}
	defer file.Close() //nolint:errcheck // read only
	info, err := file.Stat()
	if err != nil {
		return entry{}, err
	}
	e := entry{name: name, size: info.Size(), at: info.ModTime(), digest: was.digest, sum: checksum(root, name)}
	if was.name != name || was.size != e.size || !was.at.Equal(e.at) {
		h := sha256.New()
		if _, err := io.Copy(h, &reader{ctx, file}); err != nil {
			return entry{}, err
		}
		e.digest = hex.EncodeToString(h.Sum(nil))
	}
	e.bad = e.sum != "" && e.sum != e.digest
	return e, nil
}

// reader stops where its context has ended.
type reader struct {
	ctx  context.Context
	from io.Reader
}

// Read implements io.Reader.
func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.from.Read(p)
}

// checksum reads the file beside a file: its first word. One that is there and
// cannot be read fits nothing.
func checksum(root *os.Root, name string) string {
	file, err := root.Open(name + checksumFile)
	if errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	if err != nil {
		return "unreadable"
	}
	defer file.Close() //nolint:errcheck // read only
	text, err := io.ReadAll(io.LimitReader(file, maxChecksum))
	words := strings.Fields(string(text))
	if err != nil || len(words) == 0 {
		return "unreadable"
	}
	return strings.ToLower(words[0])
}

// Opened is a firmware file that may be given out; whoever opened it closes it.
type Opened struct {
	*os.File
	At     time.Time
	Digest string // SHA-256 in hex
}

// Open opens a file by its name in any case; false where there is none, or
// another than was hashed.
func (f *Firmware) Open(name string) (*Opened, bool) {
	f.mu.RLock()
	e, ok := f.index[strings.ToLower(name)]
	f.mu.RUnlock()
	if !ok || e.bad {
		return nil, false
	}
	file, err := os.OpenInRoot(f.dir, e.name)
	if err != nil {
		return nil, false
	}
	info, err := file.Stat()
	if err != nil || info.Size() != e.size || !info.ModTime().Equal(e.at) {
		_ = file.Close() // nothing was written
		return nil, false
	}
	return &Opened{File: file, At: e.at, Digest: e.digest}, true
}
