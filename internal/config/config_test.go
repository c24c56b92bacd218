package config

import (
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var equal = cmp.Options{
	cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }), cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }),
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "perch.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func load(t *testing.T, text string, environ ...string) Config {
	t.Helper()
	c, err := Load(write(t, text), environ)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDefaults(t *testing.T) {
	c, err := Load("", nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(Default(), c, equal); d != "" {
		t.Error(d)
	}
	if c.KeyPath() != "data/server.key" {
		t.Errorf("key path %q", c.KeyPath())
	}
	for _, text := range []string{"", "# nothing\n", "sip:\nlog: {level: }\n", "null\n"} {
		if d := cmp.Diff(Default(), load(t, text), equal); d != "" {
			t.Errorf("%q: %s", text, d)
		}
	}
}

// The file that is shipped says in words what Default says in Go.
func TestShippedFileIsTheDefault(t *testing.T) {
	c, err := Load("../../configs/perch.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(Default(), c, equal); d != "" {
		t.Errorf("(-default +file):\n%s", d)
	}
}

const everything = `
data_dir: /var/lib/perch
key_file: /etc/perch/key
redis: {url: "redis://:hunter2@db:6379/3"}
sip:
  listen: ["udp://[::]:5070", tcp://192.0.2.1]
  advertise: sip.example.test:5070
  expires: {min: 120, default: 600, max: 900}
  max_contacts: 3
  contacts_full: push_out
  service_route: "sip:edge.example.test;lr"
provisioning: {listen: ":8081", base_url: "https://phones.example.test/p"}
portal: {listen: "0.0.0.0:8443", tls: {cert: c.pem, key: k.pem}}
metrics: {listen: "[::1]:9091"}
media: {rtp_ports: 30000-30099, prompts: /srv/prompts}
limits: {trusted: [192.0.2.7, 2001:db8::/32, 10.1.2.3/8]}
emergency: {callback: 12h}
dns: {servers: [192.0.2.53, "[2001:db8::53]:5353"]}
audit: {days: 90}
apply: [a.yaml, b.yaml]
log: {level: debug, format: json}
`

func TestFileSetsEverything(t *testing.T) {
	want := Config{
		DataDir: "/var/lib/perch", KeyFile: "/etc/perch/key", Redis: Redis{"redis://:hunter2@db:6379/3"},
		SIP: SIP{
			Listen:    []Listener{{"udp", "::", 5070}, {"tcp", "192.0.2.1", 5060}},
			Advertise: "sip.example.test:5070", Expires: Expires{120, 600, 900},
			MaxContacts: 3, ContactsFull: PushOut, ServiceRoute: "sip:edge.example.test;lr",
		},
		TLS:          Certificate{Names: []string{}, ACME: ACME{Domains: []string{}, HTTPPort: 80}},
		WebSocket:    WebSocket{Origins: []string{}},
		Provisioning: Provisioning{Listen: ":8081", BaseURL: "https://phones.example.test/p", Rotate: true, Uploads: UploadFiles{PerDevice: 20, PerDeviceMB: 10, TotalMB: 1024}, History: FileHistory{Days: 30, PerDevice: 100}},
		Portal:       Portal{Listen: "0.0.0.0:8443", TLS: TLS{"c.pem", "k.pem"}},
		Metrics:      Metrics{"[::1]:9091"},
		Media:        Media{RTPPorts: PortRange{30000, 30099}, Prompts: "/srv/prompts"},
		Limits:       Limits{[]netip.Prefix{netip.MustParsePrefix("192.0.2.7/32"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("10.0.0.0/8")}},
		Audit:        Audit{Days: 90},
		Emergency:    Emergency{Duration(12 * time.Hour)},
		DNS:          DNS{[]NameServer{{netip.MustParseAddrPort("192.0.2.53:53")}, {netip.MustParseAddrPort("[2001:db8::53]:5353")}}},
		Apply:        []string{"a.yaml", "b.yaml"},
		Log:          Log{slog.LevelDebug, "json"},
	}
	c := load(t, everything)
	if d := cmp.Diff(want, c, equal); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if printed := fmt.Sprintf("%v %+v %#v", c, c, c); strings.Contains(printed, "hunter2") {
		t.Error("printing the configuration shows the password")
	}
	if got := c.SIP.Listen[0].String() + " " + c.SIP.Listen[0].Address(); got != "udp://[::]:5070 [::]:5070" {
		t.Error(got)
	}
}

func TestEnvironmentWins(t *testing.T) {
	c := load(t, everything,
		"PERCH_DATA_DIR=/data", "PERCH_REDIS_URL=memory:", "PERCH_SIP_LISTEN=udp://127.0.0.1:0, tcp://127.0.0.1:0",
		"PERCH_SIP_EXPIRES_MIN=60", "PERCH_PORTAL_INSECURE=true", "PERCH_MEDIA_RTP_PORTS=40000-40009",
		"PERCH_LIMITS_TRUSTED=::1", "PERCH_APPLY=x.yaml", "PERCH_LOG_LEVEL=WARN", "PERCH_LOG_FORMAT=", "perch_log_format=x", "PATH=/bin")
	if c.DataDir != "/data" || c.Redis.URL != "memory:" || c.SIP.Expires.Min != 60 || !c.Portal.Insecure || c.Media.RTPPorts != (PortRange{40000, 40009}) ||
		c.Log.Level != slog.LevelWarn || c.Log.Format != "json" || c.KeyFile != "/etc/perch/key" {
		t.Errorf("%+v", c)
	}
	if len(c.SIP.Listen) != 2 || c.SIP.Listen[1] != (Listener{"tcp", "127.0.0.1", 0}) || len(c.Limits.Trusted) != 1 || len(c.Apply) != 1 {
		t.Errorf("lists %v %v %v", c.SIP.Listen, c.Limits.Trusted, c.Apply)
	}
}

func TestUnknownEnvironment(t *testing.T) {
	got := UnknownEnvironment([]string{"PERCH_REDIS_URL=x", "PERCH_REDIS_URI=x", "PERCH_PORT=tcp://1", "HOME=/"})
	if d := cmp.Diff([]string{"PERCH_PORT", "PERCH_REDIS_URI"}, got); d != "" {
		t.Error(d)
	}
}

func TestFaults(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"unknown key", "sip:\n  lissten: []\n", ":2: sip.lissten: unknown key; known are listen, advertise, expires"},
		{"unknown top key", "redsi: {}\n", ":1: redsi: unknown key; known are data_dir, key_file, redis, sip"},
		{"key twice", "log: {level: info}\nlog: {level: warn}\n", ":2: log: is given twice"},
		{"not YAML", "sip: [\n", ":1: not valid YAML"},
		{"list for group", "sip: []\n", ":1: sip: must be a mapping; its keys are listen, advertise, expires"},
		{"text for group", "sip: x\n", ":1: sip: must be a mapping"},
		{"file is a list", "- a\n", ":1: must be a mapping; its keys are data_dir"},
		{"two documents", "log: {}\n---\nlog: {}\n", ":2: only one YAML document"},
		{"text for list", "apply: a.yaml\n", ":1: apply: must be a list"},
		{"mapping for text", "redis: {url: {memory: }}\n", ":1: redis.url: must be a single value (quote it"},
		{"list in list", "apply: [[a]]\n", ":1: apply[0]: must be a single value"},
		{"empty data_dir", "data_dir: ''\n", ":1: data_dir: must name a folder"},
		{"redis scheme", "redis: {url: http://x}\n", ":1: redis.url: must be empty, memory:, or begin"},
		{"redis without host", "redis: {url: 'redis://'}\n", ":1: redis.url: must be"},
		{"no listener", "sip: {listen: []}\n", ":1: sip.listen: must name at least one address"},
		{"listener without scheme", "sip: {listen: ['0.0.0.0:5060']}\n", ":1: sip.listen[0]: must be a URL"},
		{"listener scheme", "sip: {listen: ['sctp://0.0.0.0:5060']}\n", ":1: sip.listen[0]: must begin with udp://"},
		{"certificate alone", "tls: {cert: a}\n", ": tls.key: is missing"},
		{"key alone", "tls: {key: a}\n", ": tls.cert: is missing"},
		{"certificate twice", "tls: {cert: a, key: b, acme: {domains: [c.test]}}\n", ":1: tls.acme.domains: cannot be used with tls.cert"},
		{"certificate name", "tls: {names: ['a b']}\n", ":1: tls.names[0]: must be a host name or"},
		{"ACME address", "tls: {acme: {domains: [192.0.2.1]}}\n", ":1: tls.acme.domains[0]: must be a host name"},
		{"ACME directory", "tls: {acme: {directory: 'http://ca.test'}}\n", ":1: tls.acme.directory: must be an https:// URL"},
		{"ACME port", "tls: {acme: {http_port: 0}}\n", ":1: tls.acme.http_port: must be a port"},
		{"origin path", "websocket: {origins: ['https://a.test/']}\n", ":1: websocket.origins[0]: must be an origin"},
		{"origin scheme", "websocket: {origins: ['a.test']}\n", ":1: websocket.origins[0]: must be an origin"},
		{"listener port", "sip: {listen: ['udp://0.0.0.0:65536']}\n", ":1: sip.listen[0]: must end with a port"},
		{"listener name", "sip: {listen: ['udp://sip.example.test:5060']}\n", ":1: sip.listen[0]: must name an IP address"},
		{"listener twice", "sip: {listen: ['udp://[::]:5060', 'udp://[::]']}\n", ":1: sip.listen[1]: is listed twice"},
		{"advertise", "sip: {advertise: 'sip:me'}\n", ":1: sip.advertise: must be host or host:port"},
		{"expires text", "sip: {expires: {min: 1m}}\n", ":1: sip.expires.min: must be a whole number"},
		{"expires min", "sip: {expires: {min: 3601, default: 3601}}\n", ":1: sip.expires.min: must be from 1 to 3600"},
		{"expires default", "sip: {expires: {default: 30}}\n", ":1: sip.expires.default: must be at least sip.expires.min (60)"},
		{"expires max", "sip:\n  expires:\n    max: 3599\n", ":3: sip.expires.max: must be at least sip.expires.default (3600)"},
		{"no contacts", "sip: {max_contacts: 0}\n", ":1: sip.max_contacts: must be from 1 to 100"},
		{"contacts_full", "sip: {contacts_full: maybe}\n", ":1: sip.contacts_full: must be refuse or push_out"},
		{"service_route without lr", "sip: {service_route: 'sip:a.test'}\n", ":1: sip.service_route: must be a SIP URI with ;lr"},
		{"service_route in brackets", "sip: {service_route: '<sip:a.test;lr>'}\n", ":1: sip.service_route: must be a SIP URI"},
		{"base_url", "provisioning: {base_url: phones.example.test}\n", ":1: provisioning.base_url: must be a URL"},
		{"base_url with user", "provisioning: {base_url: 'http://a:b@c'}\n", ":1: provisioning.base_url: must be a URL"},
		{"portal open", "portal: {listen: '0.0.0.0:8000'}\n", ":1: portal.listen: is not a loopback address"},
		{"portal all addresses", "portal: {listen: ':8000'}\n", ":1: portal.listen: is not a loopback address"},
		{"portal cert alone", "portal: {tls: {cert: a}}\n", ": portal.tls.key: is missing"},
		{"portal key alone", "portal: {tls: {key: a}}\n", ": portal.tls.cert: is missing"},
		{"portal insecure", "portal: {insecure: yes}\n", ":1: portal.insecure: must be true or false"},
		{"listen port", "metrics: {listen: '127.0.0.1'}\n", ":1: metrics.listen: must be address:port"},
		{"same address", "metrics: {listen: '127.0.0.1:8000'}\n", ":1: metrics.listen: is the same address as portal.listen"},
		{"rtp_ports", "media: {rtp_ports: 20000}\n", ":1: media.rtp_ports: must be two ports"},
		{"rtp_ports order", "media: {rtp_ports: 30000-20000}\n", ":1: media.rtp_ports: must be two ports from 1024"},
		{"trusted", "limits: {trusted: [localhost]}\n", ":1: limits.trusted[0]: must be an IP address"},
		{"audit", "audit: {days: -1}\n", ":1: audit.days: must be 0 (never forget) to 36500"},
		{"apply", "apply: ['']\n", ":1: apply[0]: must name a file"},
		{"level", "log: {level: loud}\n", ":1: log.level: must be debug, info, warn or error"},
		{"format", "log: {format: xml}\n", ":1: log.format: must be text or json"},
		{"large", strings.Repeat("#", maxFile+1), ": cannot be read: it is larger than 1048576 bytes"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			path := write(t, tc.text)
			_, err := Load(path, nil)
			if err == nil || !strings.HasPrefix(err.Error(), path+tc.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("Load says %v, want one fault %s", err, tc.want)
			}
		})
	}
}

func TestFaultsAllAtOnce(t *testing.T) {
	path := write(t, "sip: {listen: ['dtls://[::]']}\nlog:\n  level: x\n  \"fo\\nrmat\": y\n")
	_, err := Load(path, []string{"PERCH_SIP_EXPIRES_MAX=1h", "PERCH_LIMITS_TRUSTED=a,b"})
	want := strings.Join([]string{
		path + ":1: sip.listen[0]: must begin with udp://, tcp://, tls://, ws:// or wss://",
		path + ":3: log.level: must be debug, info, warn or error",
		path + ":4: log.fo?rmat: unknown key; known are level, format",
		"environment: sip.expires.max: PERCH_SIP_EXPIRES_MAX must be a whole number",
		"environment: limits.trusted: PERCH_LIMITS_TRUSTED must be an IP address or a prefix such as 192.0.2.0/24",
		"environment: limits.trusted: PERCH_LIMITS_TRUSTED must be an IP address or a prefix such as 192.0.2.0/24",
	}, "\n")
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant\n%s", err, want)
	}
	_, err = Load("", []string{"PERCH_PORTAL_LISTEN=:80", "PERCH_LOG_FORMAT=x"})
	if err == nil || !strings.HasPrefix(err.Error(), "environment: portal.listen: is not a loopback") || !strings.HasSuffix(err.Error(), "environment: log.format: must be text or json") {
		t.Errorf("%v", err)
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none.yaml"), nil); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("a missing file: %v", err)
	}
}

func TestPortalOffLoopback(t *testing.T) {
	for _, text := range []string{
		"portal: {listen: '0.0.0.0:80', insecure: true}", "portal: {listen: '0.0.0.0:80', tls: {cert: a, key: b}}",
		"portal: {listen: 'localhost:80'}", "portal: {listen: '127.9.9.9:80'}", "portal: {listen: '[::1]:80'}",
	} {
		load(t, text)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(everything)
	f.Add("sip: &a [*a]\n")
	f.Add("sip: {listen: [udp://[::]:5060, 'tcp://1']}\nmedia: {rtp_ports: 1-}\n")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(dir, "perch.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(path, nil)
		if err == nil && len(c.Validate()) > 0 {
			t.Errorf("loaded with faults: %v", c.Validate())
		}
	})
}

// TestSecureListeners: each transport has its usual port, and those with TLS
// want a certificate.
func TestSecureListeners(t *testing.T) {
	c, err := Load(write(t, "sip: {listen: ['udp://[::1]', 'tls://[::1]', 'ws://127.0.0.1', 'wss://127.0.0.1:8443']}\nwebsocket: {origins: ['https://a.test:8443', '*']}\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range c.SIP.Listen {
		got = append(got, fmt.Sprint(l, " ", l.Secure()))
	}
	want := []string{"udp://[::1]:5060 false", "tls://[::1]:5061 true", "ws://127.0.0.1:80 false", "wss://127.0.0.1:8443 true"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if !c.Secure() || Default().Secure() {
		t.Error("who needs a certificate?")
	}
}
