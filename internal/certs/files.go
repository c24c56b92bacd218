package certs

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"time"
)

// Files is a certificate and its key in PEM files. They are looked at again and
// again: whoever renews them tells nobody.
type Files struct {
	holder
	cert, key string
	log       *slog.Logger
	every     time.Duration
	seen      [2]stamp
	complaint string
	warned    time.Time
}

// stamp tells a file from what it was before.
type stamp struct {
	size int64
	at   time.Time
}

// lookEvery is how soon a new certificate is in use.
const lookEvery = 10 * time.Second

// OpenFiles reads the pair; a bad one is an error now and a warning later.
func OpenFiles(cert, key string, log *slog.Logger) (*Files, error) {
	f := &Files{cert: cert, key: key, log: log, every: lookEvery}
	f.seen = f.stamps()
	if err := f.load(); err != nil {
		return nil, err
	}
	return f, nil
}

// Run implements Source.
func (f *Files) Run(ctx context.Context) error {
	tick := time.NewTicker(f.every)
	defer tick.Stop()
	for {
		f.look(time.Now())
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// look reads the files again when either has changed. A pair that does not fit
// may be half written: the old one stays, and the next look tries again.
func (f *Files) look(now time.Time) {
	if now.Sub(f.warned) > 24*time.Hour {
		f.warned = now
		warnOfEnd(f.log, f.now.Load(), now)
	}
	seen := f.stamps()
	if seen == f.seen && f.complaint == "" {
		return
	}
	if err := f.load(); err != nil {
		if err.Error() != f.complaint {
			f.complaint = err.Error()
			f.log.Warn("the new certificate is no good; the old one stays", "cert", f.cert, "error", err)
		}
		return
	}
	f.seen, f.complaint = seen, ""
	f.log.Info("certificate read again", "cert", f.cert, "names", names(f.now.Load().Leaf), "ends", f.now.Load().Leaf.NotAfter.UTC().Format(time.RFC3339))
}

func (f *Files) load() error {
	pair, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return fmt.Errorf("certs: %s: %w", f.cert, err)
	}
	f.holder.now.Store(&pair)
	return nil
}

// stamps looks at both files; one that is away differs from one that is there.
func (f *Files) stamps() (out [2]stamp) {
	for i, name := range []string{f.cert, f.key} {
		if info, err := os.Stat(name); err == nil {
			out[i] = stamp{info.Size(), info.ModTime()}
		}
	}
	return out
}
