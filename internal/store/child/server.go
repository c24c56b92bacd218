package child

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// Options say where a Server keeps its files and where it reports.
type Options struct {
	Dir string // made with mode 0700 when absent; holds the socket and "redis/"
	Log *slog.Logger
	// outlive leaves the server running when its parent dies: a test of what
	// the next Start does about that.
	outlive bool
}

// Server is a running, supervised server.
type Server struct {
	log     *slog.Logger
	binary  string
	dir     string // absolute; working directory of the server
	socket  string
	tempDir string // holds the socket where Dir's path is too long for one
	lock    *dirLock
	outlive bool

	stop     context.CancelFunc
	done     chan struct{}
	closed   sync.Once
	mu       sync.Mutex
	pid      int
	restarts int
}

// ErrNoServer says that there is no server program on this machine.
var ErrNoServer = errors.New("no redis-server or valkey-server found on PATH: " +
	"install the package redis-server (apt-get install redis-server) or set redis.url")

// Find gives the path of the server program.
func Find() (string, error) {
	for _, name := range []string{"redis-server", "valkey-server"} {
		if p, err := exec.LookPath(name); err == nil {
			return filepath.Abs(p)
		}
	}
	return "", ErrNoServer
}

// Start runs the server and returns once it answers. It ends a server that an
// earlier, killed parent left behind, and refuses a directory that another
// living parent uses. ctx bounds the start only.
func Start(ctx context.Context, o Options) (*Server, error) {
	binary, err := Find()
	if err != nil {
		return nil, err
	}
	base, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("child server: %w", err)
	}
	s := &Server{log: o.Log, binary: binary, dir: filepath.Join(base, "redis"), outlive: o.outlive, done: make(chan struct{})}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, fmt.Errorf("child server: %w", err)
	}
	if s.lock, err = lockDir(ctx, s.dir, o.Log); err != nil {
		return nil, fmt.Errorf("child server: %w", err)
	}
	if err := s.placeSocket(base); err != nil {
		s.lock.release()
		return nil, fmt.Errorf("child server: %w", err)
	}
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// start begins supervision and waits for the first answer.
func (s *Server) start(ctx context.Context) error {
	run, stop := context.WithCancel(context.Background())
	s.stop = stop
	ready := make(chan error, 1)
	go s.supervise(run, ready)
	select {
	case err := <-ready:
		if err != nil {
			_ = s.Close()
		}
		return err
	case <-ctx.Done():
		_ = s.Close()
		return fmt.Errorf("child server: not ready: %w", context.Cause(ctx))
	}
}

// Socket is the path of the unix socket; it stays the same over restarts.
func (s *Server) Socket() string { return s.socket }

// PID is the process id of the server now running; 0 between two.
func (s *Server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pid
}

// Restarts counts how often the server had to be started again.
func (s *Server) Restarts() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.restarts
}

// Close stops the server and waits until it is gone: asked first, killed after
// ten seconds. It is safe twice.
func (s *Server) Close() error {
	s.closed.Do(func() {
		s.stop()
		<-s.done
		s.lock.release()
		if s.tempDir != "" {
			_ = os.RemoveAll(s.tempDir)
		}
	})
	return nil
}

// placeSocket chooses the socket's path. A path in sockaddr_un has 108 bytes
// with its terminating NUL (unix(7)), so that a deep directory gets a short
// temporary one beside it.
func (s *Server) placeSocket(base string) error {
	s.socket = filepath.Join(base, "redis.sock")
	if len(s.socket) < 100 {
		return nil
	}
	dir, err := os.MkdirTemp("", "perch-")
	if err != nil {
		return err
	}
	s.tempDir, s.socket = dir, filepath.Join(dir, "redis.sock")
	if len(s.socket) > 107 {
		_ = os.RemoveAll(dir)
		return fmt.Errorf("no directory short enough for a unix socket: neither %s nor TMPDIR", base)
	}
	return nil
}

func (s *Server) note(pid int, restarted bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pid = pid
	if restarted {
		s.restarts++
	}
}

const (
	firstBackoff = 20 * time.Millisecond
	maxBackoff   = 5 * time.Second
	stableAfter  = 3 * time.Second
)

// supervise keeps one server running until ctx ends. The first one's outcome
// goes to ready; a first one that never answered is not tried again.
func (s *Server) supervise(ctx context.Context, ready chan<- error) {
	defer close(s.done)
	backoff, answered := firstBackoff, false
	for {
		began := time.Now()
		err := s.runOnce(ctx, func() {
			if !answered {
				answered = true
				ready <- nil
			}
		})
		s.note(0, false)
		if ctx.Err() != nil {
			return
		}
		if !answered {
			ready <- fmt.Errorf("child server: %w", err)
			return
		}
		if time.Since(began) > stableAfter {
			backoff = firstBackoff
		}
		s.log.Error("own redis-server ended, starting it again", "err", err, "after", backoff)
		select {
		case <-ctx.Done():
			return
		case <-time.After(backoff):
		}
		backoff = min(2*backoff, maxBackoff)
		s.note(0, true)
	}
}
