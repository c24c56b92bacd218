package files

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"perch/hotdesk/directory"
)

// Quotas bound what uploads may take.
type Quotas struct {
	Files int   // of one device; the newest stay
	Bytes int64 // of one device
	Total int64 // of all devices, in bytes; the oldest go first
}

// Uploads keeps what phones send, each below <tenant>/<MAC>/ with its time in
// front of its name. Nothing of it is ever given to a phone again. Safe for use
// by several goroutines.
type Uploads struct {
	dir    string
	quotas Quotas
	tell   func(files int, bytes int64)
	now    func() time.Time

	mu    sync.Mutex
	kept  []upload // the oldest first
	total int64
}

type upload struct {
	device string // folder: tenant/MAC
	name   string
	size   int64
}

// stampForm is the time in front of a name: it sorts, and stands in every file
// system.
const stampForm = "20060102T150405.000000000Z"

// OpenUploads makes the folder and finds what is in it. tell, which may be nil,
// is told how much there is after each change.
func OpenUploads(dir string, q Quotas, tell func(files int, bytes int64), now func() time.Time) (*Uploads, error) {
	if now == nil {
		now = time.Now
	}
	if tell == nil {
		tell = func(int, int64) {}
	}
	u := &Uploads{dir: dir, quotas: q, tell: tell, now: now}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("files: uploads: %w", err)
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if strings.HasPrefix(d.Name(), ".") { // half written when the server ended
			return os.Remove(path)
		}
		u.kept = append(u.kept, upload{filepath.ToSlash(filepath.Dir(rel)), d.Name(), info.Size()})
		u.total += info.Size()
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("files: uploads: %w", err)
	}
	slices.SortStableFunc(u.kept, func(a, b upload) int { return cmp.Compare(a.name, b.name) })
	u.mu.Lock()
	defer u.mu.Unlock()
	return u, u.fit("")
}

// ErrTooLarge tells that one upload is larger than a device may have in all.
var ErrTooLarge = errors.New("files: larger than the quota of a device")

// Keep writes one upload of a device and lets go of what is over the quotas. An
// error leaves what was there before.
func (u *Uploads) Keep(d directory.DeviceID, name string, body io.Reader) error {
	folder := string(d.Tenant) + "/" + d.MAC.String()
	path := filepath.Join(u.dir, string(d.Tenant), d.MAC.String())
	if err := os.MkdirAll(path, 0o700); err != nil {
		return fmt.Errorf("files: upload: %w", err)
	}
	tmp, err := os.CreateTemp(path, ".new-*") // mode 0600
	if err != nil {
		return fmt.Errorf("files: upload: %w", err)
	}
	defer os.Remove(tmp.Name()) //nolint:errcheck // gone when all went well
	size, err := io.Copy(tmp, io.LimitReader(body, u.quotas.Bytes+1))
	err = errors.Join(err, tmp.Close())
	if err == nil && size > u.quotas.Bytes {
		return ErrTooLarge
	}
	if err != nil {
		return fmt.Errorf("files: upload: %w", err)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	kept := upload{folder, u.now().UTC().Format(stampForm) + "-" + tame(name), size}
	if err := os.Rename(tmp.Name(), filepath.Join(path, kept.name)); err != nil {
		return fmt.Errorf("files: upload: %w", err)
	}
	u.kept = append(u.kept, kept)
	u.total += size
	return u.fit(folder)
}

// fit removes the oldest of a device until its quota holds, and the oldest of
// all until the total does.
func (u *Uploads) fit(folder string) error {
	var faults []error
	for u.over(folder) {
		i := slices.IndexFunc(u.kept, func(k upload) bool { return k.device == folder })
		faults = append(faults, u.remove(i))
	}
	for u.total > u.quotas.Total && len(u.kept) > 0 {
		faults = append(faults, u.remove(0))
	}
	u.tell(len(u.kept), u.total)
	return errors.Join(faults...)
}

// over tells whether a device has more than it may.
func (u *Uploads) over(folder string) bool {
	files, bytes := 0, int64(0)
	for _, k := range u.kept {
		if k.device == folder {
			files, bytes = files+1, bytes+k.size
		}
	}
	return files > 0 && (files > u.quotas.Files || bytes > u.quotas.Bytes)
}

func (u *Uploads) remove(i int) error {
	k := u.kept[i]
	u.kept = slices.Delete(u.kept, i, i+1)
	u.total -= k.size
	err := os.Remove(filepath.Join(u.dir, filepath.FromSlash(k.device), k.name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // somebody else tidied up
	}
	return err
}

// tame makes a name fit for any file system.
func tame(name string) string {
	const most = 80
	if len(name) > most {
		name = name[:most]
	}
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, name)
}
