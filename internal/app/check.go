package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"perch/hotdesk/directory"
	"perch/internal/config"
	"perch/internal/credential"
	"perch/internal/store"
)

// Finding is one thing that Check looked at.
type Finding struct {
	What  string // what was looked at: "redis", "sip udp://0.0.0.0:5060"
	Fault string // what is wrong; empty: nothing
	Mend  string // what to do about it
	Warn  bool   // it works, but not as an operator would want
}

// Check looks at all that a configuration needs from the machine - folders, key,
// Redis, ports, certificates, directory files - and changes nothing. It is for
// before the start: ports that a running Perch holds are taken.
func Check(ctx context.Context, cfg config.Config) []Finding {
	out := []Finding{checkDataDir(cfg), checkKey(cfg), checkRedis(ctx, cfg)}
	for _, l := range cfg.SIP.Listen {
		out = append(out, checkPort("sip "+l.String(), l.Transport, l.Address()))
	}
	out = append(out,
		checkPort("provisioning", "tcp", cfg.Provisioning.Listen),
		checkPort("portal", "tcp", cfg.Portal.Listen),
		checkPort("metrics", "tcp", cfg.Metrics.Listen))
	if cfg.Portal.TLS.Cert != "" {
		out = append(out, checkCertificate("portal.tls", cfg.Portal.TLS, time.Now()))
	}
	out = append(out, checkPhones(cfg)...)
	if cfg.TLS.Cert != "" {
		out = append(out, checkCertificate("tls", config.TLS{Cert: cfg.TLS.Cert, Key: cfg.TLS.Key}, time.Now()))
	}
	out = append(out, checkPrompts(cfg)...)
	for _, name := range cfg.Apply {
		out = append(out, checkDirectory(cfg, name)...)
	}
	return out
}

func checkDataDir(cfg config.Config) Finding {
	f := Finding{What: "data_dir " + cfg.DataDir}
	dir := cfg.DataDir
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) { // it is made at the first start, if its parent allows
		dir = filepath.Dir(filepath.Clean(dir))
		info, err = os.Stat(dir)
	}
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is not a folder", dir)
	}
	if err == nil {
		var probe *os.File
		if probe, err = os.CreateTemp(dir, ".perch-check-*"); err == nil {
			err = errors.Join(probe.Close(), os.Remove(probe.Name()))
		}
	}
	if err != nil {
		f.Fault, f.Mend = err.Error(), "let data_dir name a folder that the user of perch may write to"
	}
	return f
}

func checkKey(cfg config.Config) Finding {
	f := Finding{What: "key_file " + cfg.KeyPath()}
	if _, err := os.Stat(cfg.KeyPath()); err != nil {
		return f // made at the first start; that it can be is data_dir's question
	}
	if _, err := credential.Load(cfg.KeyPath()); err != nil {
		f.Fault, f.Mend = err.Error(), "restore the key from your backup; a new one makes every stored secret useless"
	}
	return f
}

func checkRedis(ctx context.Context, cfg config.Config) Finding {
	address := cfg.Redis.URL.Reveal()
	switch address {
	case store.Memory:
		return Finding{What: "redis memory:", Warn: true, Fault: "nothing is kept when perch ends", Mend: "leave redis.url empty, or name a Redis, for anything but a trial"}
	case "":
		f := Finding{What: "redis (own redis-server)"}
		if _, err := exec.LookPath("redis-server"); err == nil {
			return f
		}
		if _, err := exec.LookPath("valkey-server"); err == nil {
			return f
		}
		f.Fault, f.Mend = "neither redis-server nor valkey-server is on PATH", "apt install redis-server, or set redis.url"
		return f
	}
	f := Finding{What: "redis"}
	if err := reachable(ctx, address); err != nil {
		f.Fault, f.Mend = err.Error(), "is the server running, is the address right?"
		return f
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	s, err := store.Open(ctx, store.Options{URL: address, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		f.Fault, f.Mend = err.Error(), "does it want a user name and password, is it still loading?"
		return f
	}
	if err := s.Close(); err != nil {
		f.Fault, f.Warn, f.Mend = err.Error(), true, "see the log of the Redis server"
	}
	return f
}

// reachable says in the network's own words why there is nothing to talk to.
// Addresses of several servers are left to the client.
func reachable(ctx context.Context, redisURL string) error {
	u, err := url.Parse(redisURL)
	if err != nil || u.Host == "" || strings.Contains(u.Host, ",") {
		return nil
	}
	host, port := u.Hostname(), u.Port()
	if port == "" {
		port = "6379"
	}
	d := net.Dialer{Timeout: 2 * time.Second}
	c, err := d.DialContext(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return err
	}
	return c.Close()
}

func checkPort(what, transport, addr string) Finding {
	f := Finding{What: what + " " + addr}
	var err error
	if transport == "udp" {
		var c net.PacketConn
		if c, err = net.ListenPacket("udp", addr); err == nil {
			err = c.Close()
		}
	} else {
		var l net.Listener
		if l, err = net.Listen("tcp", addr); err == nil {
			err = l.Close()
		}
	}
	if err != nil {
		f.Fault, f.Mend = err.Error(), "is perch, or another server, running there already? Ports below 1024 want CAP_NET_BIND_SERVICE"
	}
	return f
}

// soon is how long before its end a certificate is worth a warning.
const soon = 14 * 24 * time.Hour

func checkCertificate(keys string, files config.TLS, now time.Time) Finding {
	f := Finding{What: "certificate " + files.Cert}
	pair, err := tls.LoadX509KeyPair(files.Cert, files.Key)
	if err != nil {
		f.Fault, f.Mend = err.Error(), keys+".cert and "+keys+".key must be a matching pair in PEM"
		return f
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	switch {
	case err != nil:
		f.Fault, f.Mend = err.Error(), "replace the certificate"
	case now.After(leaf.NotAfter):
		f.Fault, f.Mend = "it ended at "+leaf.NotAfter.Format(time.RFC3339), "renew the certificate"
	case now.Add(soon).After(leaf.NotAfter):
		f.Fault, f.Warn, f.Mend = "it ends at "+leaf.NotAfter.Format(time.RFC3339), true, "renew the certificate"
	}
	return f
}

// checkDirectory reads a directory file as apply would, with a key of its own:
// nothing that it makes is kept.
func checkDirectory(cfg config.Config, name string) []Finding {
	what := "apply " + name
	file, err := os.Open(name)
	if err != nil {
		return []Finding{{What: what, Fault: err.Error(), Mend: "let apply name files that perch may read"}}
	}
	defer file.Close()
	key, err := checkingKey(cfg)
	if err != nil {
		return []Finding{{What: what, Fault: err.Error(), Mend: "see key_file above"}}
	}
	parsed, faults := directory.ParseFile(name, file, directory.ParseOptions{Keeper: key})
	out := []Finding{{What: what}}
	for _, x := range faults {
		out = append(out, Finding{What: what, Fault: x.String(), Mend: "correct the file"})
	}
	if parsed != nil {
		for _, x := range parsed.Warnings {
			out = append(out, Finding{What: what, Fault: x.String(), Warn: true})
		}
	}
	return out
}

// checkingKey is the server key where there is one, so that sealed values of an
// export can be read; else any key does.
func checkingKey(cfg config.Config) (*credential.Key, error) {
	if _, err := os.Stat(cfg.KeyPath()); errors.Is(err, fs.ErrNotExist) {
		return credential.FromBytes(make([]byte, credential.KeySize))
	}
	return credential.Load(cfg.KeyPath())
}
