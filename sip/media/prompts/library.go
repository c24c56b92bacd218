package prompts

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"perch/hotdesk/directory"
	"perch/sip/media"
)

// Library gives clips by tenant, language and name. Safe for use by several
// goroutines.
type Library struct {
	built *builtIn
	own   fs.FS // nil: no folder
	log   *slog.Logger

	mu   sync.Mutex
	read map[string]ownClip // by path; of files that exist or existed
}

// ownClip is one file of the operator's as it was read last.
type ownClip struct {
	size    int64
	changed time.Time
	clip    *media.Clip // nil: it cannot be played
}

// Open makes a Library of the built-in clips and of those in a folder; an empty
// name is no folder. <tenant>/<language>/<name>.wav goes before
// <language>/<name>.wav, and that before what is built in. Files are read when
// they are played for the first time, and again when they have changed.
func Open(folder string, log *slog.Logger) *Library {
	l := &Library{built: &builtIn{files: spoken, clips: map[string]*media.Clip{}}, log: log, read: map[string]ownClip{}}
	if folder != "" {
		l.own = os.DirFS(folder)
	}
	return l
}

// Clip gives one clip; ok is false when there is none.
func (l *Library) Clip(tenant directory.TenantCode, language, name string) (*media.Clip, bool) {
	if l.own != nil {
		for _, p := range []string{path(string(tenant), language, name), path(language, name)} {
			if c := l.owned(p); c != nil {
				return c, true
			}
		}
	}
	return l.built.clip(language, name)
}

// Sound puts clips together. ok is false when one is missing: half a sentence
// says the wrong thing.
func (l *Library) Sound(tenant directory.TenantCode, language string, names ...string) (media.Sound, bool) {
	sound := make(media.Sound, 0, len(names))
	for _, name := range names {
		c, ok := l.Clip(tenant, language, name)
		if !ok {
			return nil, false
		}
		sound = append(sound, c)
	}
	return sound, true
}

// owned gives a clip of the operator's, nil when there is none that can be
// played. What is wrong with a file is said once, until the file changes.
func (l *Library) owned(p string) *media.Clip {
	info, err := fs.Stat(l.own, p)
	l.mu.Lock()
	defer l.mu.Unlock()
	was, known := l.read[p]
	if err != nil {
		if known || !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrInvalid) {
			l.log.Warn("a prompt of media.prompts is gone; the next best is played", "file", p, "err", err)
			delete(l.read, p)
		}
		return nil
	}
	if known && was.size == info.Size() && was.changed.Equal(info.ModTime()) {
		return was.clip
	}
	now := ownClip{size: info.Size(), changed: info.ModTime()}
	if now.clip, err = readOwn(l.own, p, info); err != nil {
		l.log.Warn("a prompt of media.prompts cannot be played; the next best is", "file", p, "err", err)
	} else {
		l.log.Info("a prompt of media.prompts was read", "file", p, "lasts", now.clip.Duration())
	}
	l.read[p] = now
	return now.clip
}

// readOwn reads a regular file: a pipe would block the call.
func readOwn(own fs.FS, p string, info fs.FileInfo) (*media.Clip, error) {
	if !info.Mode().IsRegular() {
		return nil, fault(p, errors.New("not a file"))
	}
	c, err := readClip(own, p)
	if err != nil {
		return nil, fault(p, err)
	}
	return c, nil
}

// maxListed bounds what Check looks at.
const maxListed = 100_000

// Check reads every file of a folder as a Library would, and gives what is
// wrong: files that cannot be played and names that nothing plays.
func Check(folder string, languages []string) (faults []error) {
	own := os.DirFS(folder)
	known := map[string]bool{}
	for _, l := range languages {
		for _, name := range Names(l) {
			known[path(l, name)] = true
		}
	}
	seen := 0
	err := fs.WalkDir(own, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if seen++; seen > maxListed {
			return fmt.Errorf("more than %d files", maxListed)
		}
		if !d.IsDir() {
			if err := checkOne(own, p, known); err != nil {
				faults = append(faults, err)
			}
		}
		return nil
	})
	if err != nil {
		faults = append(faults, fault(folder, err))
	}
	return faults
}

func checkOne(own fs.FS, p string, known map[string]bool) error {
	info, err := fs.Stat(own, p)
	if err != nil {
		return fault(p, err)
	}
	if !known[p] && !known[afterTenant(p)] {
		return fault(p, errors.New("nothing plays a file of this name"))
	}
	_, err = readOwn(own, p, info)
	return err
}

// afterTenant is a path without its first folder.
func afterTenant(p string) string {
	_, rest, _ := strings.Cut(p, "/")
	return rest
}
