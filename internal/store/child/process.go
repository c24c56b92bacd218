package child

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// stopWithin is how long a server may take to end after SIGTERM.
const stopWithin = 10 * time.Second

// arguments of the server. Paths are relative to its working directory where
// they can be. Nothing is ever evicted, and snapshots are off: the append-only
// file, synced before each answer, is the one record.
func (s *Server) arguments() []string {
	return []string{
		"--port", "0", "--unixsocket", s.socket, "--unixsocketperm", "700",
		"--dir", ".", "--pidfile", pidFile, "--daemonize", "no", "--logfile", "", "--loglevel", "notice",
		"--appendonly", "yes", "--appendfsync", "always", "--no-appendfsync-on-rewrite", "no", "--save", "",
		"--maxmemory", "0", "--databases", "1", "--timeout", "0",
	}
}

// runOnce runs one server process to its end, calling answers once when it
// does. It holds its thread: the kernel sends the parent-death signal when the
// thread that forked is gone, not the process (prctl(2), PR_SET_PDEATHSIG).
func (s *Server) runOnce(ctx context.Context, answers func()) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	out := &logWriter{log: s.log}
	cmd := exec.Command(s.binary, s.arguments()...)
	cmd.Dir = s.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"} // not ours: PERCH_REDIS_URL may hold a password
	cmd.Stdout, cmd.Stderr = out, out
	cmd.ExtraFiles = []*os.File{s.lock.server} // an open lock is held by whoever has inherited it
	cmd.SysProcAttr = processAttributes(!s.outlive)
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		return err
	}
	s.note(cmd.Process.Pid, false)
	gone := make(chan struct{})
	watch := make(chan struct{})
	go func() {
		defer close(watch)
		if waitAnswer(ctx, s.socket, gone) {
			answers()
		}
		select {
		case <-ctx.Done():
			s.end(cmd.Process, gone)
		case <-gone:
		}
	}()
	err := cmd.Wait()
	close(gone)
	<-watch
	if err == nil {
		err = errors.New("it exited by itself")
	}
	if last := out.last(); last != "" {
		return fmt.Errorf("%w; last words: %s", err, last)
	}
	return err
}

// end stops the process: the server writes what is left on SIGTERM and exits.
func (s *Server) end(p *os.Process, gone <-chan struct{}) {
	_ = p.Signal(syscall.SIGTERM)
	select {
	case <-gone:
	case <-time.After(stopWithin):
		s.log.Error("own redis-server does not stop, killing it", "pid", p.Pid)
		_ = p.Kill()
	}
}

// cleanLine bounds a line of the server and takes its control characters out.
func cleanLine(b []byte) string {
	const longest = 500
	if len(b) > longest {
		b = b[:longest]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.TrimSpace(string(b)))
}
