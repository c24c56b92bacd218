package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"

	"perch/configs"
	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/hotdesk/trace"
	"perch/internal/config"
	"perch/internal/event"
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

// teller writes whole lines, from any goroutine.
type teller struct {
	mu  sync.Mutex
	out io.Writer
}

func (t *teller) line(s string) { fmt.Fprintln(t, s) } //nolint:errcheck // the terminal is gone: nobody to tell

// Write implements io.Writer.
func (t *teller) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.out.Write(p)
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

type person struct {
	Number, Name, PIN string
}

type desktop struct {
	MAC, Brand, Model, Desk, Secret string
	phone                           *sim.Phone
}

// read takes the people, PINs and secrets from the demo's directory file: the
// store has them only as hashes.
func (d *demo) read() error {
	var file struct {
		Tenants []struct {
			Extensions []person
			Devices    []desktop
		}
	}
	if err := yaml.Unmarshal(configs.Demo(), &file); err != nil {
		return fmt.Errorf("demo directory: %w", err)
	}
	d.names, d.labels = map[string]string{}, map[string]string{}
	for _, t := range file.Tenants {
		d.people, d.desks = append(d.people, t.Extensions...), append(d.desks, t.Devices...)
	}
	for _, p := range d.people {
		d.names[p.Number] = p.Name
	}
	for i := range d.desks {
		mac, err := directory.ParseMAC(d.desks[i].MAC)
		if err != nil {
			return fmt.Errorf("demo directory: %w", err)
		}
		d.desks[i].MAC = mac.String()
		d.labels[mac.String()] = d.desks[i].Desk
	}
	return nil
}

func (d *demo) run(ctx context.Context, o DemoOptions) error {
	if err := d.read(); err != nil {
		return err
	}
	d.welcome()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer d.tasks.Wait()
	defer cancel()
	d.tasks.Go(func() { d.narrate(ctx) })
	for i := range d.desks {
		p, err := d.phone(&d.desks[i], o.Speed)
		if err != nil {
			return err
		}
		d.desks[i].phone = p
		d.tasks.Go(func() {
			if err := p.Run(ctx); err != nil {
				d.say.line("phone " + p.MAC() + ": " + err.Error())
			}
		})
	}
	return d.office(ctx)
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

// office is the day: every few seconds somebody sits down somewhere, or leaves.
func (d *demo) office(ctx context.Context) error {
	if d.desks[0].phone.Await(ctx, func(s sim.State) bool { return s.Registered }) != nil {
		return nil // the demo was ended
	}
	tick := time.NewTicker(d.every)
	defer tick.Stop()
	for n := 0; ; n++ {
		phone, code := d.plan(n)
		if s := phone.State(); s.Registered && !s.InCall && s.Phase == sim.PhaseRunning {
			d.tasks.Go(func() { d.dial(ctx, phone, code) })
		}
		select {
		case <-ctx.Done():
			return nil
		case err := <-d.app.life.fault:
			return err
		case <-tick.C:
		}
	}
}

// forVisitors is how many people and desks, the last ones, the demo leaves to
// whoever tries its commands.
const forVisitors = 2

// plan says who does what: first everybody sits down at a desk each, then
// people wander, and now and then somebody leaves.
func (d *demo) plan(n int) (phone *sim.Phone, code string) {
	people, desks := d.people[:len(d.people)-forVisitors], d.desks[:len(d.desks)-forVisitors]
	who, desk := people[n%len(people)], desks[n%len(desks)]
	if n >= len(desks) {
		who, desk = people[rand.N(len(people))], desks[rand.N(len(desks))]
		if rand.N(4) == 0 {
			return desk.phone, "*12"
		}
	}
	return desk.phone, "*11*" + who.Number + "*" + who.PIN
}

func (d *demo) dial(ctx context.Context, p *sim.Phone, code string) {
	if _, err := p.Dial(ctx, code, sim.CallOptions{}); err != nil && ctx.Err() == nil {
		d.say.line("phone " + p.MAC() + " could not dial: " + err.Error())
	}
}

// narrate tells every step of every trace as it comes.
func (d *demo) narrate(ctx context.Context) {
	told := map[string]map[trace.StepName]bool{}
	_ = d.app.follow(ctx, "live", func(e event.Event) { //nolint:errcheck // always nil
		switch {
		case e.Type == event.LoginRefused:
			d.say.line(fmt.Sprintf("         %-14s  refused: %s", d.labels[e.MAC], e.Reason))
		case e.MAC != "":
			d.tell(ctx, e, told)
		}
	})
}

// tell prints the steps of a device's newest trace that have not been told.
func (d *demo) tell(ctx context.Context, e event.Event, told map[string]map[trace.StepName]bool) {
	t, err := d.app.store.Trace(ctx, e.Device())
	if err != nil {
		return // no trace yet, or the demo is ending
	}
	if told[t.ID] == nil {
		told[t.ID] = map[trace.StepName]bool{}
		d.say.line(fmt.Sprintf("\n%s: %s", d.labels[t.MAC], d.headline(t)))
	}
	for _, s := range t.Steps {
		if told[t.ID][s.Name] {
			continue
		}
		told[t.ID][s.Name] = true
		d.say.line(step(s))
	}
	if len(told) > 4*len(d.desks) {
		clear(told) // at worst a story is told twice
	}
}

func (d *demo) headline(t trace.Trace) string {
	who := fmt.Sprintf("%s (%s)", d.names[t.Number], t.Number)
	switch {
	case t.Kind == trace.Reload:
		return "takes its configuration again"
	case t.Number == "":
		return "nobody's again"
	case t.Door == string(hotdesk.FeatureCode):
		return who + " logs in by feature code"
	}
	return who + " logs in (" + t.Door + ")"
}

// step is one plain line; a finished login ends with the word lit.
func step(s trace.Step) string {
	line := fmt.Sprintf("%6d ms  %-12s", s.Millis, s.Name)
	switch {
	case s.Error != "":
		return line + "  never came: " + s.Error
	case s.Skipped:
		return line + "  skipped: " + s.Detail
	default:
		return line + "  " + s.Detail
	}
}

func (d *demo) welcome() {
	a := d.app.addrs
	where := "--config " + filepath.Join(d.app.cfg.DataDir, "perch.yaml")
	if err := d.writeConfig(); err != nil {
		where = "(" + err.Error() + ")"
	}
	d.say.line(fmt.Sprintf(`Perch demo: %d desks, %d people, store: %s

  SIP             %s
  configuration   http://127.0.0.1:%d/      (user: the phone's MAC, password: the device's secret)
  REST            http://%s/api/v1
  metrics         http://%s/metrics  /readyz

Try, in another shell (nobody else uses that person and that desk):
  bin/perch mapping %[8]s
  bin/perch login --tenant demo --ext %[9]s --mac %[10]s --wait %[8]s
  bin/perch trace --mac %[10]s %[8]s

A softphone: register as 1012 at demo.test through this machine, with the sip_password of 1012 in configs/demo.yaml.
A real phone: docs/phones/yealink.md and docs/phones/snom.md. Calls between phones come with a later version.
Ctrl-C ends the demo.`,
		len(d.desks), len(d.people), d.app.store.Durability(), outward(a.SIP), a.Provisioning.Port(), a.Portal, a.Metrics,
		where, d.people[len(d.people)-forVisitors].Number, d.desks[len(d.desks)-forVisitors].MAC))
}

// writeConfig leaves a configuration by which the commands find this demo.
func (d *demo) writeConfig() error {
	text := fmt.Sprintf("data_dir: %q\n", d.app.cfg.DataDir)
	return os.WriteFile(filepath.Join(d.app.cfg.DataDir, "perch.yaml"), []byte(text), 0o600)
}

// outward is the address that a phone on the desk would use, where there is one.
func outward(addrs []string) string {
	for _, a := range addrs {
		if strings.HasPrefix(a, "udp://") && !strings.HasPrefix(a, "udp://127.") && !strings.HasPrefix(a, "udp://[") {
			return a
		}
	}
	return addrs[0]
}
