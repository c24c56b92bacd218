package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strings"

	"perch/internal/app"
	"perch/internal/config"
)

// up is what the server under test says when it answers.
type up struct {
	UDP, TCP, Files, Portal string // host:port
	DataDir                 string
}

// reading is what the server under test sees of itself, after a collection.
type reading struct {
	Goroutines, Files int
	HeapMiB           float64
}

// serve runs the real server and obeys its standard input: "read" collects
// garbage and prints a reading, "profile FILE" begins a CPU profile, "stop"
// ends it, the end of the input ends the server.
func serve(ctx context.Context, args []string, out io.Writer) error {
	f := flags("serve")
	dir := f.String("dir", "", "folder for data; office.yaml in it is applied")
	redis := f.String("redis", "", "redis.url")
	level := f.String("log", "error", "log level")
	if err := f.Parse(args); err != nil {
		return err
	}
	cfg, err := serverConfig(*dir, *redis)
	if err != nil {
		return err
	}
	if err := cfg.Log.Level.UnmarshalText([]byte(*level)); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: cfg.Log.Level}))
	a, err := app.Start(ctx, cfg, app.Build{Version: "bench"}, log)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(out).Encode(where(a, cfg.DataDir)); err != nil {
		return errors.Join(err, a.Stop())
	}
	return errors.Join(obey(os.Stdin, out), a.Stop())
}

func serverConfig(dir, redis string) (config.Config, error) {
	c := config.Default()
	if dir == "" {
		return c, errors.New("serve needs -dir")
	}
	c.DataDir = filepath.Join(dir, "data")
	c.Apply = []string{filepath.Join(dir, "office.yaml")}
	c.SIP.Listen = []config.Listener{{Transport: "udp", Host: "127.0.0.1"}, {Transport: "tcp", Host: "127.0.0.1"}}
	c.Provisioning.Listen, c.Portal.Listen, c.Metrics.Listen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	return c, c.Redis.URL.UnmarshalText([]byte(redis))
}

func where(a *app.App, dataDir string) up {
	u := up{Files: a.Addresses().Provisioning.String(), Portal: a.Addresses().Portal.String(), DataDir: dataDir}
	for _, at := range a.Addresses().SIP {
		if host, ok := strings.CutPrefix(at, "udp://"); ok {
			u.UDP = host
		}
		if host, ok := strings.CutPrefix(at, "tcp://"); ok {
			u.TCP = host
		}
	}
	return u
}

// obey carries out one order per line.
func obey(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		order, arg, _ := strings.Cut(lines.Text(), " ")
		var err error
		switch order {
		case "read":
			err = json.NewEncoder(out).Encode(readSelf())
		case "profile":
			err = startProfile(arg)
		case "stop":
			pprof.StopCPUProfile()
			_, err = fmt.Fprintln(out, "{}")
		}
		if err != nil {
			return err
		}
	}
	return lines.Err()
}

func readSelf() reading {
	debug.FreeOSMemory() // a whole collection, and what it freed is given back
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	files, _ := os.ReadDir("/proc/self/fd") // none where there is no /proc
	return reading{Goroutines: runtime.NumGoroutine(), Files: len(files), HeapMiB: float64(m.HeapAlloc) / (1 << 20)}
}

// startProfile writes until "stop" or the end of the process.
func startProfile(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return pprof.StartCPUProfile(f)
}
