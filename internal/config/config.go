// Package config holds the settings of perch serve: what they are, their
// defaults, how a file and the environment change them, and what is wrong with
// them. It opens nothing and reads no file but its own. A Config that Load
// gave is valid, except for what only the machine knows: whether an address is
// free, a file exists, a Redis answers.
package config

import (
	"log/slog"
	"net/netip"
	"path/filepath"
	"slices"
	"time"

	"perch/hotdesk/directory"
)

// Config is all of a server's settings. Relative paths are relative to the
// working directory.
type Config struct {
	// Where Perch keeps its own files: the server key, the API token and, with
	// its own Redis, the data.
	DataDir string `yaml:"data_dir"`
	// The server key, from which every SIP password is derived and with which
	// every stored secret is sealed. Empty: `server.key` in `data_dir`, made at
	// the first start. The same on every node; back it up apart from Redis.
	KeyFile string `yaml:"key_file"`

	Redis        Redis        `yaml:"redis"`
	SIP          SIP          `yaml:"sip"`
	TLS          Certificate  `yaml:"tls"`
	WebSocket    WebSocket    `yaml:"websocket"`
	Provisioning Provisioning `yaml:"provisioning"`
	Portal       Portal       `yaml:"portal"`
	Metrics      Metrics      `yaml:"metrics"`
	Media        Media        `yaml:"media"`
	Limits       Limits       `yaml:"limits"`
	Audit        Audit        `yaml:"audit"`
	DNS          DNS          `yaml:"dns"`
	Emergency    Emergency    `yaml:"emergency"`

	// Directory files that are applied at start when they have changed since.
	Apply []string `yaml:"apply"`

	Log Log `yaml:"log"`
}

// Redis is where everything is stored.
type Redis struct {
	// Empty: a `redis-server` of Perch's own, run as a child with its files in
	// `data_dir`; `memory:` inside the process, nothing is kept; else `redis://`,
	// `rediss://`, `redis+sentinel://` or `redis+cluster://` to yours (7.0 or
	// newer, with append-only file).
	URL directory.Secret `yaml:"url"`
}

// SIP is the registrar's side of the phones.
type SIP struct {
	// Where phones reach the registrar: `udp://`, `tcp://`, `tls://`, and for
	// browsers `ws://` and `wss://` (path `/sip`). A wildcard opens one socket per
	// local address, so that a phone is answered from the address it wrote to.
	Listen []Listener `yaml:"listen"`
	// `host` or `host:port` that phones are told. Empty: the address at which
	// the phone's own request arrived.
	Advertise string `yaml:"advertise"`

	Expires Expires `yaml:"expires"`

	// How many contacts one credential may have at an address of record: with a
	// static password in all, with a device its flows (RFC 5626).
	MaxContacts int `yaml:"max_contacts"`
	// What one contact more does: `refuse` (403) or `push_out`, which removes the
	// one that was registered or refreshed longest ago.
	ContactsFull string `yaml:"contacts_full"`
	// A SIP URI with `;lr` that phones are told to route their requests by (RFC
	// 3608), such as that of a proxy before Perch. Empty: none.
	ServiceRoute string `yaml:"service_route"`
}

// Values of sip.contacts_full.
const (
	Refuse  = "refuse"
	PushOut = "push_out"
)

// Expires bounds registrations (RFC 3261 section 10.3 step 7), in seconds.
type Expires struct {
	// Seconds below which a registration is refused with 423; at most 3600.
	Min int `yaml:"min"`
	// Seconds for a phone that asks for nothing.
	Default int `yaml:"default"`
	// Seconds that a longer wish is cut to.
	Max int `yaml:"max"`
}

// Certificate is what `tls://` and `wss://` listeners show: that of the files,
// else one by ACME, else one that Perch issues itself.
type Certificate struct {
	// File with the certificate and its chain, PEM. It is read again when it
	// changes. Empty, without `tls.acme.domains`: Perch has a certification
	// authority of its own; load `data_dir/tls/ca.crt` into phones and browsers.
	Cert string `yaml:"cert"`
	// File with its private key, PEM.
	Key string `yaml:"key"`
	// Further names and addresses in a certificate of Perch's own, such as the
	// SIP domains; the host of `sip.advertise`, the machine's name and its
	// addresses are there anyhow.
	Names []string `yaml:"names"`

	ACME ACME `yaml:"acme"`
}

// ACME is the way to a public authority's certificate (RFC 8555).
type ACME struct {
	// Names to certify; with any, certificates come by ACME and are kept in
	// `data_dir/tls/acme`. The use of it accepts the authority's terms.
	Domains []string `yaml:"domains"`
	// Where the authority may write to.
	Email string `yaml:"email"`
	// URL of the authority's directory. Empty: Let's Encrypt.
	Directory string `yaml:"directory"`
	// PEM file of the CA that the authority's own web server has its certificate
	// from. Empty: the system's.
	Roots string `yaml:"roots"`
	// TCP port where the authority's http-01 challenge is answered; it asks at 80.
	HTTPPort int `yaml:"http_port"`
}

// WebSocket bounds who may use `ws://` and `wss://` listeners.
type WebSocket struct {
	// Pages whose scripts may register, as `https://phone.example.test`, beside
	// those of the listener's own host and port; `*` is any. Programs that are no
	// browser send no origin and are not asked.
	Origins []string `yaml:"origins"`
}

// Provisioning is the web server the phones fetch their configuration from.
type Provisioning struct {
	// Where phones fetch their configuration.
	Listen string `yaml:"listen"`
	// What is written into that configuration as the place to come back to, as
	// `https://phones.example.test`. Empty: made from the address they came to.
	BaseURL string `yaml:"base_url"`
	// A second such place, for phones outside of the house: with it the phones'
	// own screens have two login buttons, internal (`base_url`, which it needs)
	// and external. Empty: one button.
	ExternalURL string `yaml:"external_url"`
	// Registrar that phones outside are told, host[:port]. Empty: the host of
	// `external_url`.
	ExternalRegistrar string `yaml:"external_registrar"`

	// HTTPS on this listener, and the phones' own certificates.
	TLS PhoneTLS `yaml:"tls"`

	// true: path tokens and passwords that Perch made change with each login and
	// logout, the former good until the phone has shown the next. false: only
	// once, after the first fetch.
	Rotate bool `yaml:"rotate"`

	// Folder with firmware files, given to any phone that asks for one by its
	// name; `<file>.sha256` beside a file, as sha256sum writes it, holds it back
	// unless it fits. Empty: there is none.
	Firmware string `yaml:"firmware"`

	Uploads UploadFiles `yaml:"uploads"`

	History FileHistory `yaml:"history"`
}

// FileHistory is how long it is known what a phone was served.
type FileHistory struct {
	// Days after which a served file is forgotten; its secrets are masked from the
	// start. 0: nothing is kept.
	Days int `yaml:"days"`
	// Files of one device; the newest stay.
	PerDevice int `yaml:"per_device"`
}

// UploadFiles is what becomes of logs and settings that phones send.
type UploadFiles struct {
	// Folder where they are kept, below tenant and MAC, for phones that prove who
	// they are. Empty: they are taken and thrown away.
	Dir string `yaml:"dir"`
	// Files of one device; the newest stay.
	PerDevice int `yaml:"per_device"`
	// Megabytes of one device.
	PerDeviceMB int `yaml:"per_device_mb"`
	// Megabytes in all; the oldest go first.
	TotalMB int `yaml:"total_mb"`
}

// PhoneTLS is the certificate of the phones' web server, and whom it trusts.
type PhoneTLS struct {
	// Where HTTPS is spoken beside plain HTTP at `provisioning.listen`, as
	// `0.0.0.0:8443`. Empty: `provisioning.listen` itself speaks HTTPS, and HTTP is
	// spoken nowhere.
	Listen string `yaml:"listen"`
	// File with the certificate and its chain, PEM; it is read again when it
	// changes. Empty: plain HTTP.
	Cert string `yaml:"cert"`
	// File with its private key, PEM.
	Key string `yaml:"key"`
	// Folder with the certificates (PEM, one or more in each file) of the
	// authorities that phone makers issue device certificates from; it is read
	// again when it changes. A phone that shows a certificate of one of them with
	// its MAC in it needs no other credentials. Empty: nobody is asked for one.
	ClientCAs string `yaml:"client_cas"`
}

// Portal is the web server for people.
type Portal struct {
	// Web pages for people and the REST API under `/api/v1`. Off loopback only
	// with `portal.tls` or `portal.insecure`.
	Listen string `yaml:"listen"`
	// true: passwords may cross the network in clear, because something else
	// protects them, such as a proxy that ends TLS.
	Insecure bool `yaml:"insecure"`
	// Where people reach it, as `https://perch.example.test`: what the picture of
	// a login by code leads to. Empty: phones show such codes as text only.
	BaseURL string `yaml:"base_url"`

	TLS TLS `yaml:"tls"`
}

// TLS names the files of a certificate.
type TLS struct {
	// File with the certificate and its chain, PEM.
	Cert string `yaml:"cert"`
	// File with its private key, PEM.
	Key string `yaml:"key"`
}

// Metrics is the web server for whoever watches.
type Metrics struct {
	// `/metrics` for Prometheus, `/healthz` and `/readyz` for whoever watches.
	Listen string `yaml:"listen"`
}

// Media is what feature codes play through.
type Media struct {
	// UDP ports for the calls to feature codes, lowest-highest; two for each.
	RTPPorts PortRange `yaml:"rtp_ports"`
	// Folder with prompts of your own: `<tenant>/<language>/<name>.wav` goes before
	// `<language>/<name>.wav`, and that before what is built in. WAV with 8 kHz
	// mono, 16 bits, A-law or mu-law; read again when a file changes. Empty: none.
	Prompts string `yaml:"prompts"`
}

// Limits are the defences of the network side.
type Limits struct {
	// Addresses without ban, enumeration limit, digest-failure lockout and budget
	// per address. The lockout of PINs and the bounds of messages and connections
	// hold for these too.
	Trusted []netip.Prefix `yaml:"trusted"`
}

// Emergency is what is remembered of emergency calls.
type Emergency struct {
	// How long a call to a desk's emergency caller id rings the desk that made the
	// last emergency call under it, such as `24h`; afterwards the front desk.
	Callback Duration `yaml:"callback"`
}

// DNS is where names of upstreams are looked up.
type DNS struct {
	// Name servers as `ip` or `ip:port`, asked in this order. Empty: those of
	// `/etc/resolv.conf`, and the names of `/etc/hosts`.
	Servers []NameServer `yaml:"servers"`
}

// Audit is the permanent record of who did what at which desk.
type Audit struct {
	// Days after which a record is forgotten; 0: never.
	Days int `yaml:"days"`
}

// Log is what the server says of itself, on standard error.
type Log struct {
	// `debug`, `info`, `warn` or `error`.
	Level slog.Level `yaml:"level"`
	// `text` or `json`.
	Format string `yaml:"format"`
}

// Default is the Config of a server started without file and environment.
func Default() Config {
	return Config{
		DataDir: "./data",
		SIP: SIP{
			Listen:  []Listener{{"udp", "0.0.0.0", 5060}, {"tcp", "0.0.0.0", 5060}},
			Expires: Expires{Min: 60, Default: 3600, Max: 7200}, MaxContacts: 10, ContactsFull: Refuse,
		},
		TLS:          Certificate{Names: []string{}, ACME: ACME{Domains: []string{}, HTTPPort: 80}},
		WebSocket:    WebSocket{Origins: []string{}},
		Provisioning: Provisioning{Listen: "0.0.0.0:8080", Rotate: true, Uploads: UploadFiles{PerDevice: 20, PerDeviceMB: 10, TotalMB: 1024}, History: FileHistory{Days: 30, PerDevice: 100}},
		Portal:       Portal{Listen: "127.0.0.1:8000"},
		Metrics:      Metrics{Listen: "127.0.0.1:9090"},
		Apply:        []string{},
		Media:        Media{RTPPorts: PortRange{20000, 20999}},
		Limits:       Limits{Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}},
		DNS:          DNS{Servers: []NameServer{}},
		Audit:        Audit{Days: 400},
		Emergency:    Emergency{Callback: Duration(24 * time.Hour)},
		Log:          Log{Level: slog.LevelInfo, Format: "text"},
	}
}

// Secure tells whether any SIP listener needs a certificate.
func (c Config) Secure() bool { return slices.ContainsFunc(c.SIP.Listen, Listener.Secure) }

// TLSDir is where Perch keeps certificates of its own.
func (c Config) TLSDir() string { return filepath.Join(c.DataDir, "tls") }

// KeyPath is where the server key is.
func (c Config) KeyPath() string {
	if c.KeyFile != "" {
		return c.KeyFile
	}
	return filepath.Join(c.DataDir, "server.key")
}
