package main

import (
	"os"
	"time"

	"perch/internal/app"
)

type demoCmd struct {
	Every time.Duration `default:"3s" placeholder:"TIME" help:"Time between two logins."`
	Speed float64       `default:"0.2" placeholder:"FACTOR" help:"The phones' own pauses: 1 is as real phones, 0.2 a fifth of it."`
	Data  string        `placeholder:"DIR" help:"Keep everything there; without: a folder that is removed at the end."`
}

// Help says more than a line.
func (demoCmd) Help() string {
	return `A server with its own store, a demo tenant, and twelve virtual phones at which
somebody logs in every few seconds. Prints where everything is, what to try in another
shell, and every step of every login. Ports that are taken are replaced. Ctrl-C ends it;
nothing is left running.`
}

// Run demonstrates.
func (d demoCmd) Run(e *env) error {
	if d.Every < 100*time.Millisecond || d.Speed <= 0 {
		return usage{"--every is at least 100ms and --speed more than 0"}
	}
	if d.Data != "" {
		if err := os.MkdirAll(d.Data, 0o700); err != nil {
			return err
		}
	}
	return app.Demo(e.ctx, app.DemoOptions{DataDir: d.Data, Every: d.Every, Speed: d.Speed}, build(), e.out)
}
