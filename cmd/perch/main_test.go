package main

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"perch/portal/api"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"perch": main})
}

// TestScripts runs each subcommand as a user does. The scripts' text is their
// documentation; the server in them is the real one.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup:               setup,
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"up":    up,
			"until": until,
		},
	})
}

// patience bounds every wait.
const patience = 60 * time.Second

// setup gives each script a configuration with ports of its own, perch.yaml,
// whose provisioning URL is in $PROVISIONING.
func setup(e *testscript.Env) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	e.Setenv("PROVISIONING", fmt.Sprintf("http://127.0.0.1:%d/", port))
	e.Setenv("TZ", "UTC")
	text := fmt.Sprintf(`data_dir: %q
redis: {url: "memory:"}
sip: {listen: ["udp://127.0.0.1:0", "tcp://127.0.0.1:0"]}
provisioning: {listen: "127.0.0.1:%d"}
portal: {listen: "127.0.0.1:0"}
metrics: {listen: "127.0.0.1:0"}
log: {level: warn}
`, filepath.Join(e.WorkDir, "data"), port)
	if err := os.WriteFile(filepath.Join(e.WorkDir, "perch.yaml"), []byte(text), 0o600); err != nil {
		return err
	}
	office, err := os.ReadFile("testdata/office.yaml")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(e.WorkDir, "office.yaml"), office, 0o600)
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// up waits for the server that the script has started.
func up(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: up")
	}
	again(ts, "the server does not come up", func() bool {
		text, err := api.Announced(ts.MkAbs("data"))
		if err != nil {
			return false
		}
		u, err := url.Parse(text)
		if err != nil {
			return false
		}
		c, err := net.DialTimeout("tcp", u.Host, time.Second)
		return err == nil && c.Close() == nil
	})
}

// until repeats a command until its output matches: until REGEXP PROGRAM ARG...
func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until REGEXP PROGRAM ARG...")
	}
	want, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	out := ""
	again(ts, "no match for "+args[0], func() bool {
		out = quietly(ts, args[1:])
		return want.MatchString(out)
	})
	ts.Logf("[%s]\n%s", strings.Join(args[1:], " "), out)
}

// quietly runs a program as the script would, without a line in its log for
// each time.
func quietly(ts *testscript.TestScript, args []string) string {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		path, err := exec.LookPath(filepath.Join(dir, args[0]))
		if err != nil {
			continue
		}
		c := exec.Command(path, args[1:]...)
		c.Dir = ts.MkAbs(".")
		for _, name := range []string{"PATH", "TZ"} {
			c.Env = append(c.Env, name+"="+ts.Getenv(name))
		}
		out, _ := c.Output() // what counts is what it says
		return string(out)
	}
	ts.Fatalf("no program %s", args[0])
	return ""
}

func again(ts *testscript.TestScript, otherwise string, done func() bool) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			ts.Fatalf("%s", otherwise)
		case <-tick.C:
		}
	}
}
