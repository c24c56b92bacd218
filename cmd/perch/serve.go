package main

import (
	"fmt"
	"io"
	"log/slog"

	"perch/internal/app"
	"perch/internal/config"
)

type serveCmd struct{}

// Help says more than a line.
func (serveCmd) Help() string {
	return `Runs until Ctrl-C or SIGTERM. Without --config everything is kept in ./data: the
store (a redis-server of its own), the server key, and the token by which the other
commands find this server - keep a backup of the key. Each key of the file can be set
by environment: PERCH_ and its path in capitals, as PERCH_REDIS_URL. perch check says
beforehand what is wrong with it. The log goes to standard error.`
}

// Run serves.
func (serveCmd) Run(e *env) error {
	cfg, err := config.Load(e.config, e.environ)
	if err != nil {
		return err
	}
	log := logger(cfg.Log, e.err)
	for _, name := range config.UnknownEnvironment(e.environ) {
		log.Warn("the environment names no setting", "variable", name)
	}
	return app.Serve(e.ctx, cfg, build(), log)
}

func logger(c config.Log, w io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: c.Level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

type checkCmd struct{}

// Help says more than a line.
func (checkCmd) Help() string {
	return `Reads the configuration and looks at folders, key, Redis, ports, certificates and
directory files; changes nothing. Exit 1 when the server would not start. Ports that a
running perch holds are taken: run it before the start.`
}

// Run checks and tells.
func (checkCmd) Run(e *env) error {
	cfg, err := config.Load(e.config, e.environ)
	if err != nil {
		return err
	}
	faults := 0
	for _, f := range app.Check(e.ctx, cfg) {
		switch {
		case f.Fault == "":
			fmt.Fprintf(e.out, "ok    %s\n", safe(f.What))
			continue
		case f.Warn:
			fmt.Fprintf(e.out, "warn  %s: %s\n", safe(f.What), safe(f.Fault))
		default:
			faults++
			fmt.Fprintf(e.out, "FAULT %s: %s\n", safe(f.What), safe(f.Fault))
		}
		if f.Mend != "" {
			fmt.Fprintf(e.out, "      %s\n", safe(f.Mend))
		}
	}
	for _, name := range config.UnknownEnvironment(e.environ) {
		fmt.Fprintf(e.out, "warn  environment: %s names no setting\n", safe(name))
	}
	if faults > 0 {
		return fmt.Errorf("%s found", several(faults, "fault"))
	}
	return nil
}
