package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"perch/internal/sim"
	"perch/portal/api"
	"perch/portal/client"
)

// server is the server under test, in a process of its own.
type server struct {
	up
	pid     int
	dir     string
	cmd     *exec.Cmd
	options serverOptions
	stdin   io.WriteCloser
	answers *bufio.Reader
}

// serverOptions shape a server under test.
type serverOptions struct {
	people, desks int
	cpu           string                  // as taskset -c takes it; empty: wherever
	redis         string                  // redis.url
	log           string                  // level; empty: error
	office        func(path string) error // writes the directory file; nil: people at desks of two brands
}

// start starts a server with an office in a new folder.
func start(ctx context.Context, o serverOptions) (*server, error) {
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return nil, err
	}
	s := &server{dir: dir}
	if err := s.run(ctx, o); err != nil {
		return nil, errors.Join(fmt.Errorf("server under test: %w", err), s.stop())
	}
	return s, nil
}

func (s *server) run(ctx context.Context, o serverOptions) error {
	s.options = o
	if o.office == nil {
		o.office = func(path string) error { return writeOffice(path, o.people, o.desks) }
	}
	if err := o.office(filepath.Join(s.dir, "office.yaml")); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if o.log == "" {
		o.log = "error"
	}
	args := pinned(o.cpu, self, "serve", "-dir", s.dir, "-redis", o.redis, "-log", o.log)
	s.cmd = exec.CommandContext(context.WithoutCancel(ctx), args[0], args[1:]...)
	s.cmd.Stderr = os.Stderr
	if s.stdin, err = s.cmd.StdinPipe(); err != nil {
		return err
	}
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	s.answers = bufio.NewReader(stdout)
	if err := s.cmd.Start(); err != nil {
		return err
	}
	s.pid = s.cmd.Process.Pid
	return s.answer(&s.up)
}

// again ends the server and starts it with the same data.
func (s *server) again(ctx context.Context) error {
	if err := s.end(); err != nil {
		return err
	}
	return s.run(ctx, s.options)
}

// pinned puts a command on its processor.
func pinned(cpu string, command ...string) []string {
	if cpu == "" {
		return command
	}
	return append([]string{"taskset", "-c", cpu}, command...)
}

func (s *server) answer(into any) error {
	line, err := s.answers.ReadBytes('\n')
	if err != nil {
		return err
	}
	return json.Unmarshal(line, into)
}

// order makes the server do something.
func (s *server) order(what string, into any) error {
	if _, err := io.WriteString(s.stdin, what+"\n"); err != nil {
		return err
	}
	if into == nil {
		return nil
	}
	return s.answer(into)
}

// stop ends the server and removes what it left.
func (s *server) stop() error {
	return errors.Join(s.end(), os.RemoveAll(s.dir))
}

// end ends the process.
func (s *server) end() error {
	if s.cmd == nil || s.cmd.Process == nil {
		return nil
	}
	_ = s.stdin.Close() // its order to end
	timer := time.AfterFunc(20*time.Second, func() { _ = s.cmd.Process.Kill() })
	defer timer.Stop()
	return s.cmd.Wait()
}

// client opens the server's REST API.
func (s *server) client() (*client.Client, error) {
	token, err := api.ReadToken(s.DataDir)
	if err != nil {
		return nil, err
	}
	return client.New("http://"+s.Portal, token, nil), nil
}

// phone is the virtual phone of a desk, with no pauses of its own.
func (s *server) phone(d desk, o sim.Options) (*sim.Phone, error) {
	o.MAC, o.Brand, o.Secret, o.BaseURL = d.mac, d.brand, d.secret(), "http://"+s.Files+"/"
	if o.Retry == 0 {
		o.Retry = time.Second
	}
	return sim.New(o)
}
