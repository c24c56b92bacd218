package main

import (
	"bytes"
	"context"
	_ "embed" // the configuration
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

//go:embed kamailio.cfg
var kamailioConfig string

// kamailio is a running one.
type kamailio struct {
	at  string
	dir string
	cmd *exec.Cmd
	log bytes.Buffer
}

// startKamailio starts Debian's Kamailio on a processor and waits until it
// answers. Its fastest allocator is chosen: the default one would flatter us.
func startKamailio(ctx context.Context, cpu string) (*kamailio, error) {
	return startKamailioWith(ctx, cpu, kamailioConfig, nil)
}

// startKamailioWith starts it with a configuration; prepare may fill its folder.
func startKamailioWith(ctx context.Context, cpu, text string, prepare func(dir string) error) (*kamailio, error) {
	if _, err := exec.LookPath("kamailio"); err != nil {
		return nil, fmt.Errorf("%w (apt-get install kamailio)", err)
	}
	dir, err := os.MkdirTemp("", "bench-kamailio-")
	if err != nil {
		return nil, err
	}
	k := &kamailio{dir: dir}
	if k.at, err = freePort(); err == nil {
		text = strings.NewReplacer("PASSWORD", sipPassword, "DIRECTORY", dir, "ADDRESS", k.at).Replace(text)
		err = os.WriteFile(filepath.Join(dir, "k.cfg"), []byte(text), 0o600)
	}
	if err == nil && prepare != nil {
		err = prepare(dir)
	}
	if err != nil {
		return nil, errors.Join(err, k.stop())
	}
	args := pinned(cpu, "kamailio", "-f", filepath.Join(dir, "k.cfg"), "-DD", "-E", "-x", "tlsf", "-X", "tlsf", "-m", "1024", "-M", "32",
		"-l", "udp:"+k.at, "-l", "tcp:"+k.at, "-P", filepath.Join(dir, "k.pid"), "-w", dir, "-Y", dir)
	k.cmd = exec.CommandContext(context.WithoutCancel(ctx), args[0], args[1:]...)
	k.cmd.Stdout, k.cmd.Stderr = &k.log, &k.log
	if err := k.cmd.Start(); err != nil {
		return nil, errors.Join(err, k.stop())
	}
	if err := k.await(); err != nil {
		return nil, errors.Join(err, k.stop(), errors.New(k.log.String()))
	}
	return k, nil
}

// await asks until something answers.
func (k *kamailio) await() error {
	c, err := net.Dial("udp", k.at)
	if err != nil {
		return err
	}
	defer c.Close()
	buf := make([]byte, datagram)
	request := newUser("0", c.LocalAddr().String(), "udp")
	for range 60 {
		_, _ = c.Write(request.appendRegister(nil, 0)) // refused while nobody listens
		_ = c.SetReadDeadline(time.Now().Add(250 * time.Millisecond))
		begun := time.Now()
		if _, err := c.Read(buf); err == nil {
			return nil
		}
		if rest := 100*time.Millisecond - time.Since(begun); rest > 0 {
			<-time.After(rest)
		}
	}
	return errors.New("kamailio does not answer")
}

func (k *kamailio) stop() error {
	if k.cmd != nil && k.cmd.Process != nil {
		_ = k.cmd.Process.Signal(syscall.SIGTERM)
		timer := time.AfterFunc(10*time.Second, func() { _ = k.cmd.Process.Kill() })
		_ = k.cmd.Wait() // a signal is how it ends
		timer.Stop()
	}
	return os.RemoveAll(k.dir)
}

// freePort is a port of the loopback that UDP and TCP have free.
func freePort() (string, error) {
	for range 20 {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return "", err
		}
		at := l.Addr().String()
		u, err := net.ListenPacket("udp4", at)
		_ = l.Close()
		if err == nil {
			_ = u.Close()
			return at, nil
		}
	}
	return "", errors.New("no port is free for both UDP and TCP")
}
