package app

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"perch/internal/config"
	"perch/internal/store"
)

// quiet is a configuration in which Check finds nothing wrong.
func quiet(t *testing.T) config.Config {
	t.Helper()
	c := config.Default()
	c.DataDir = filepath.Join(t.TempDir(), "data")
	for i := range c.SIP.Listen {
		c.SIP.Listen[i].Host, c.SIP.Listen[i].Port = "127.0.0.1", 0
	}
	c.Provisioning.Listen, c.Portal.Listen, c.Metrics.Listen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	return c
}

func TestCheck(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	file := func(text string) string {
		name := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	cases := []struct {
		name  string
		edit  func(*config.Config)
		what  string // the finding with a fault; empty: none
		fault string
		warn  bool
	}{
		{name: "nothing is wrong"},
		{name: "a taken port", edit: func(c *config.Config) { c.Portal.Listen = taken.Addr().String() }, what: "portal", fault: "in use"},
		{name: "data_dir is a file", edit: func(c *config.Config) { c.DataDir = file("") }, what: "data_dir", fault: "not a folder"},
		{name: "a key of the wrong size", edit: func(c *config.Config) { c.KeyFile = file("short") }, what: "key_file", fault: "not a server key"},
		{name: "nothing is kept", edit: func(c *config.Config) { c.Redis.URL = store.Memory }, what: "redis", fault: "nothing is kept", warn: true},
		{name: "no Redis there", edit: func(c *config.Config) { c.Redis.URL = "redis://127.0.0.1:1" }, what: "redis", fault: "refused"},
		{name: "a directory file with a typo", edit: func(c *config.Config) { c.Apply = []string{file("tenant: []\n")} }, what: "apply", fault: "tenant"},
		{name: "a prompt that cannot be played", edit: func(c *config.Config) {
			c.Media.Prompts = t.TempDir()
			if err := os.WriteFile(filepath.Join(c.Media.Prompts, "goodbye.wav"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, what: "media.prompts", fault: "nothing plays", warn: true},
		{name: "a certificate that is none", edit: func(c *config.Config) { c.Portal.TLS = config.TLS{Cert: file(""), Key: file("")} }, what: "certificate", fault: "PEM"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			cfg := quiet(t)
			if c.edit != nil {
				c.edit(&cfg)
			}
			found := false
			for _, f := range Check(t.Context(), cfg) {
				if f.Fault == "" {
					continue
				}
				if c.what == "" || !strings.HasPrefix(f.What, c.what) || !strings.Contains(f.Fault, c.fault) || f.Warn != c.warn {
					t.Errorf("finding %+v", f)
				}
				found = true
			}
			if found != (c.what != "") {
				t.Errorf("found %v", found)
			}
			if _, err := os.Stat(filepath.Join(cfg.DataDir, "server.key")); err == nil {
				t.Error("Check made a server key")
			}
		})
	}
}
