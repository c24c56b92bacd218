//go:build unix

package child

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	ownerLock  = "owner.lock"  // held by the parent alone
	serverLock = "server.lock" // opened by the parent, inherited by the server
	pidFile    = "redis.pid"   // written by the server
)

// dirLock keeps a directory to one parent and one server. A lock of flock(2)
// belongs to the open file, so that the server which inherited it holds it as
// long as it lives, whatever became of the parent.
type dirLock struct{ owner, server *os.File }

// lockDir takes both locks; a server that outlived its parent is ended first.
func lockDir(ctx context.Context, dir string, log *slog.Logger) (*dirLock, error) {
	owner, held, err := tryLock(filepath.Join(dir, ownerLock))
	if err != nil {
		return nil, err
	}
	if held {
		return nil, fmt.Errorf("%s is in use by another perch", dir)
	}
	server, err := lockServer(ctx, dir, log)
	if err != nil {
		_ = owner.Close()
		return nil, err
	}
	return &dirLock{owner: owner, server: server}, nil
}

func (l *dirLock) release() {
	_ = l.server.Close()
	_ = l.owner.Close()
}

// tryLock opens and locks a file; held says that somebody else has it.
func tryLock(path string) (f *os.File, held bool, err error) {
	f, err = os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, false, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, false, nil
	}
	_ = f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, true, nil
	}
	return nil, false, fmt.Errorf("lock %s: %w", path, err)
}

// lockServer waits for the server's lock while it ends whoever holds it.
func lockServer(ctx context.Context, dir string, log *slog.Logger) (*os.File, error) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	began, kills := time.Now(), 0
	for {
		f, held, err := tryLock(filepath.Join(dir, serverLock))
		if err != nil || !held {
			return f, err
		}
		switch waited := time.Since(began); {
		case kills == 0:
			log.Warn("a redis-server of an earlier perch still runs here, stopping it", "dir", dir)
			signalOrphan(dir, syscall.SIGTERM)
			kills = 1
		case kills == 1 && waited > stopWithin/2:
			signalOrphan(dir, syscall.SIGKILL)
			kills = 2
		case waited > stopWithin:
			return nil, fmt.Errorf("%s is held by a redis-server that does not end", dir)
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// signalOrphan signals the process group of the server that wrote the pid
// file. The lock is held, so one of that group lives and its number cannot
// have been given to anybody else.
func signalOrphan(dir string, sig syscall.Signal) {
	b, err := os.ReadFile(filepath.Join(dir, pidFile))
	if err != nil {
		return
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || pid <= 1 {
		return
	}
	if err := syscall.Kill(-pid, sig); err != nil {
		_ = syscall.Kill(pid, sig)
	}
}
