package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"perch/configs"
	"perch/hotdesk/directory"
	"perch/internal/config"
	"perch/internal/sim"
	"perch/internal/store"
)

// DemoOptions shape a demo.
type DemoOptions struct {
	DataDir string        // empty: a folder of its own, removed at the end
	Every   time.Duration // between two logins; zero: 3 s
	Speed   float64       // of the phones' own pauses; zero: a fifth of a real phone's
	Log     *slog.Logger  // of the server; nil: errors to out
}

// Demo runs a server with its own store, a demo tenant and twelve virtual
// phones at which somebody logs in every few seconds, and tells the steps of
// each login on out, one plain line per step, until ctx ends.
func Demo(ctx context.Context, o DemoOptions, build Build, out io.Writer) error {
	if o.DataDir == "" {
		dir, err := os.MkdirTemp("", "perch-demo-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir) //nolint:errcheck // a folder in the temporary directory
		o.DataDir = dir
	}
	if err := os.MkdirAll(o.DataDir, 0o700); err != nil {
		return err
	}
	if o.Every == 0 {
		o.Every = 3 * time.Second
	}
	if o.Speed == 0 {
		o.Speed = 0.2
	}
	say := &teller{out: out}
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(say, &slog.HandlerOptions{Level: slog.LevelError}))
	}
	cfg, err := demoConfig(o.DataDir, say)
	if err != nil {
		return err
	}
	a, err := Start(ctx, cfg, build, o.Log)
	if err != nil {
		return err
	}
	d := &demo{app: a, say: say, every: o.Every}
	err = d.run(ctx, o)
	return errors.Join(err, a.Stop())
}

// demoConfig is the default configuration with what this machine can do: a
// taken port gives way to a free one, a missing redis-server to the in-process
// engine, and both are said.
func demoConfig(dir string, say *teller) (config.Config, error) {
	c := config.Default()
	c.DataDir = dir
	if _, err := exec.LookPath("redis-server"); err != nil {
		if _, err := exec.LookPath("valkey-server"); err != nil {
			say.line("redis-server is not installed: the demo keeps everything in memory (apt install redis-server)")
			c.Redis.URL = store.Memory
		}
	}
	if udpTaken(c.SIP.Listen[0].Port) || tcpTaken(fmt.Sprintf("0.0.0.0:%d", c.SIP.Listen[0].Port)) {
		say.line(fmt.Sprintf("port %d is taken: SIP listens on a free one", c.SIP.Listen[0].Port))
		for i := range c.SIP.Listen {
			c.SIP.Listen[i].Port = 0
		}
	}
	for _, p := range []struct {
		name string
		addr *string
	}{{"provisioning", &c.Provisioning.Listen}, {"portal", &c.Portal.Listen}, {"metrics", &c.Metrics.Listen}} {
		if tcpTaken(*p.addr) {
			host, port, _ := net.SplitHostPort(*p.addr)
			say.line(fmt.Sprintf("port %s is taken: %s listens on a free one", port, p.name))
			*p.addr = net.JoinHostPort(host, "0")
		}
	}
	file := filepath.Join(dir, "demo.yaml")
	if err := os.WriteFile(file, configs.Demo(), 0o600); err != nil {
		return c, err
	}
	c.Apply = []string{file}
	return c, nil
}

func tcpTaken(addr string) bool {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return true
	}
	return l.Close() != nil
}

func udpTaken(port int) bool {
	c, err := net.ListenUDP("udp", &net.UDPAddr{Port: port})
	if err != nil {
		return true
	}
	return c.Close() != nil
}

// demo is the office of a running demo.
type demo struct {
	app    *App
	say    *teller
	every  time.Duration
	tasks  sync.WaitGroup
	people []person
	desks  []desktop
	names  map[string]string // number -> name
	labels map[string]string // MAC -> desk
}

func (d *demo) run(ctx context.Context, o DemoOptions) error {
	if err := d.read(); err != nil {
		return err
	}
	d.welcome()
	powered, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer d.tasks.Wait()
	defer cut()
	d.tasks.Go(func() { d.narrate(powered) })
	for i := range d.desks {
		p, err := d.phone(&d.desks[i], o.Speed)
		if err != nil {
			return err
		}
		d.desks[i].phone = p
		d.tasks.Go(func() {
			if err := p.Run(powered); err != nil {
				d.say.line("phone " + p.MAC() + ": " + err.Error())
			}
		})
	}
	defer d.unplug(powered)
	return d.office(ctx)
}

// unplug ends the phones with care, calls first: a phone that is cut off in a
// call leaves a server that waits for its answer.
func (d *demo) unplug(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	var phones sync.WaitGroup
	for _, desk := range d.desks {
		phones.Go(func() { _ = desk.phone.Shutdown(ctx) }) // who is not done by then is cut off
	}
	phones.Wait()
}

func (d *demo) phone(desk *desktop, speed float64) (*sim.Phone, error) {
	mac, err := directory.ParseMAC(desk.MAC)
	if err != nil {
		return nil, err
	}
	b := sim.Brand(desk.Brand)
	return sim.New(sim.Options{
		MAC: mac, Brand: b, BaseURL: fmt.Sprintf("http://127.0.0.1:%d/", d.app.addrs.Provisioning.Port()),
		Secret: directory.Secret(desk.Secret), Delays: sim.DefaultDelays(b, speed), Retry: time.Second,
	})
}

// writeConfig leaves a configuration by which the commands find this demo.
func (d *demo) writeConfig() error {
	text := fmt.Sprintf("data_dir: %q\n", d.app.cfg.DataDir)
	return os.WriteFile(filepath.Join(d.app.cfg.DataDir, "perch.yaml"), []byte(text), 0o600)
}
