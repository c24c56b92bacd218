package config

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"perch/hotdesk/directory"
)

// Validate finds everything wrong with a Config at once; each fault has the
// key's path and no file. Load has done it.
func (c Config) Validate() Faults {
	var v validator
	v.check(c.DataDir != "", "data_dir", "must name a folder")
	v.redis(c.Redis)
	v.sip(c.SIP)
	v.certificate(c.TLS)
	v.origins(c.WebSocket.Origins)
	v.provisioning(c.Provisioning)
	v.portal(c.Portal)
	v.listen("metrics.listen", c.Metrics.Listen)
	v.distinct(c)
	v.ports(c.Media.RTPPorts)
	v.check(c.Audit.Days >= 0 && c.Audit.Days <= 36500, "audit.days", "must be 0 (never forget) to 36500")
	for i, file := range c.Apply {
		v.check(file != "", fmt.Sprintf("apply[%d]", i), "must name a file")
	}
	v.check(c.Log.Format == "text" || c.Log.Format == "json", "log.format", "must be text or json")
	return v.faults
}

type validator struct{ faults Faults }

func (v *validator) check(ok bool, key, format string, args ...any) {
	if !ok {
		v.faults = append(v.faults, directory.Fault{Key: key, Message: fmt.Sprintf(format, args...)})
	}
}

// redis looks at the form only; the message never repeats the URL, which may
// hold a password.
func (v *validator) redis(r Redis) {
	text := r.URL.Reveal()
	if text == "" || text == "memory:" {
		return
	}
	scheme, rest, found := strings.Cut(text, "://")
	known := []string{"redis", "rediss", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster"}
	v.check(found && rest != "" && slices.Contains(known, scheme), "redis.url",
		"must be empty, memory:, or begin with redis://, rediss://, redis+sentinel:// or redis+cluster://")
}

func (v *validator) sip(s SIP) {
	v.check(len(s.Listen) > 0, "sip.listen", "must name at least one address: without it no phone can register")
	for i, l := range s.Listen {
		v.check(l.Port == 0 || !slices.Contains(s.Listen[:i], l), fmt.Sprintf("sip.listen[%d]", i), "is listed twice: keep one of the two")
	}
	if s.Advertise != "" {
		v.check(isHostPort(s.Advertise), "sip.advertise", "must be host or host:port, as phones reach it")
	}
	e := s.Expires
	v.check(e.Min >= 1 && e.Min <= 3600, "sip.expires.min", "must be from 1 to 3600 seconds: RFC 3261 forbids to refuse an hour")
	v.check(e.Default >= e.Min, "sip.expires.default", "must be at least sip.expires.min (%d)", e.Min)
	v.check(e.Max >= e.Default, "sip.expires.max", "must be at least sip.expires.default (%d)", e.Default)
	v.check(s.MaxContacts >= 1 && s.MaxContacts <= 100, "sip.max_contacts", "must be from 1 to 100")
	v.check(s.ContactsFull == Refuse || s.ContactsFull == PushOut, "sip.contacts_full", "must be refuse or push_out")
	v.check(s.ServiceRoute == "" || isRoute(s.ServiceRoute), "sip.service_route", "must be a SIP URI with ;lr, such as sip:proxy.example.test;lr")
	v.check(e.Max <= 7*24*3600, "sip.expires.max", "must be at most 604800, a week")
}

func (v *validator) certificate(t Certificate) {
	hasCert, hasKey := t.Cert != "", t.Key != ""
	v.check(!hasCert || hasKey, "tls.key", "is missing: a certificate needs its key")
	v.check(!hasKey || hasCert, "tls.cert", "is missing: a key needs its certificate")
	v.check(!hasCert || len(t.ACME.Domains) == 0, "tls.acme.domains", "cannot be used with tls.cert: keep one of the two")
	for i, n := range t.Names {
		v.check(net.ParseIP(n) != nil || isName(n), fmt.Sprintf("tls.names[%d]", i), "must be a host name or an IP address")
	}
	for i, n := range t.ACME.Domains {
		v.check(net.ParseIP(n) == nil && isName(n), fmt.Sprintf("tls.acme.domains[%d]", i), "must be a host name")
	}
	u, err := url.Parse(t.ACME.Directory)
	v.check(t.ACME.Directory == "" || err == nil && u.Scheme == "https" && isHostPort(u.Host), "tls.acme.directory", "must be an https:// URL")
	v.check(t.ACME.HTTPPort >= 1 && t.ACME.HTTPPort <= 65535, "tls.acme.http_port", "must be a port from 1 to 65535")
}

// origins are as browsers send them (RFC 6454 section 6.2).
func (v *validator) origins(list []string) {
	for i, o := range list {
		u, err := url.Parse(o)
		v.check(o == "*" || err == nil && (u.Scheme == "http" || u.Scheme == "https") && isHostPort(u.Host) && u.User == nil && u.Path == "" && u.RawQuery == "" && u.Fragment == "",
			fmt.Sprintf("websocket.origins[%d]", i), "must be an origin such as https://phone.example.test, without a path, or *")
	}
}

func (v *validator) provisioning(p Provisioning) {
	v.listen("provisioning.listen", p.Listen)
	hasCert, hasKey := p.TLS.Cert != "", p.TLS.Key != ""
	v.check(!hasCert || hasKey, "provisioning.tls.key", "is missing: a certificate needs its key")
	v.check(!hasKey || hasCert, "provisioning.tls.cert", "is missing: a key needs its certificate")
	if p.TLS.Listen != "" {
		v.listen("provisioning.tls.listen", p.TLS.Listen)
		v.check(hasCert, "provisioning.tls.listen", "needs provisioning.tls.cert and provisioning.tls.key")
	}
	v.check(p.TLS.ClientCAs == "" || hasCert, "provisioning.tls.client_cas", "needs provisioning.tls.cert and provisioning.tls.key: phones show certificates to HTTPS servers only")
	u := p.Uploads
	v.check(u.PerDevice >= 1 && u.PerDevice <= 1000, "provisioning.uploads.per_device", "must be from 1 to 1000")
	v.check(u.PerDeviceMB >= 1 && u.PerDeviceMB <= 1000, "provisioning.uploads.per_device_mb", "must be from 1 to 1000")
	v.check(u.TotalMB >= u.PerDeviceMB && u.TotalMB <= 1_000_000, "provisioning.uploads.total_mb", "must be at least provisioning.uploads.per_device_mb, and at most 1000000")
	v.check(p.History.Days >= 0 && p.History.Days <= 3650, "provisioning.history.days", "must be from 0 to 3650")
	v.check(p.History.PerDevice >= 1 && p.History.PerDevice <= 1000, "provisioning.history.per_device", "must be from 1 to 1000")
	v.base("provisioning.base_url", p.BaseURL, "https://phones.example.test")
	v.base("provisioning.external_url", p.ExternalURL, "https://phones.example.test")
	v.check(p.ExternalURL == "" || p.BaseURL != "", "provisioning.external_url", "needs provisioning.base_url: the address of the phones inside")
	v.check(p.ExternalRegistrar == "" || p.ExternalURL != "", "provisioning.external_registrar", "needs provisioning.external_url")
	v.check(p.ExternalRegistrar == "" || isHostPort(p.ExternalRegistrar), "provisioning.external_registrar", "must be a host, or host:port")
}

// base holds that a setting is the beginning of URLs, or empty.
func (v *validator) base(key, text, example string) {
	if text == "" {
		return
	}
	u, err := url.Parse(text)
	v.check(err == nil && (u.Scheme == "http" || u.Scheme == "https") && isHostPort(u.Host) && u.User == nil && u.RawQuery == "" && u.Fragment == "",
		key, "must be a URL such as %s, without user, query and fragment", example)
}

// portal holds that no password of a person crosses a network in clear unless
// somebody said so.
func (v *validator) portal(p Portal) {
	v.listen("portal.listen", p.Listen)
	v.base("portal.base_url", p.BaseURL, "https://perch.example.test")
	hasCert, hasKey := p.TLS.Cert != "", p.TLS.Key != ""
	v.check(!hasCert || hasKey, "portal.tls.key", "is missing: a certificate needs its key")
	v.check(!hasKey || hasCert, "portal.tls.cert", "is missing: a key needs its certificate")
	v.check(p.Loopback() || hasCert || p.Insecure, "portal.listen",
		"is not a loopback address: set portal.tls.cert and portal.tls.key, or portal.insecure: true where something else protects the passwords")
}

func (v *validator) listen(key, hostPort string) {
	host, port, err := net.SplitHostPort(hostPort)
	_, errPort := strconv.ParseUint(port, 10, 16)
	v.check(err == nil && errPort == nil && (host == "" || net.ParseIP(host) != nil || isName(host)), key,
		"must be address:port such as 127.0.0.1:8000 or [::]:8000")
}

// distinct holds that each web server has its own socket: what the phones can
// reach must not lead to the portal.
func (v *validator) distinct(c Config) {
	keys := []string{"provisioning.listen", "portal.listen", "metrics.listen"}
	values := []string{c.Provisioning.Listen, c.Portal.Listen, c.Metrics.Listen}
	if c.Provisioning.TLS.Listen != "" {
		keys, values = append(keys, "provisioning.tls.listen"), append(values, c.Provisioning.TLS.Listen)
	}
	for i, value := range values {
		_, port, err := net.SplitHostPort(value)
		first := slices.Index(values, value)
		v.check(err != nil || port == "0" || first == i, keys[i], "is the same address as %s: phones, people and metrics have one each", keys[first])
	}
}

func (v *validator) ports(p PortRange) {
	v.check(p.Low >= 1024 && p.High > p.Low, "media.rtp_ports", "must be two ports from 1024 to 65535, the lower first")
}

// isHostPort takes host, host:port, and IPv6 addresses in brackets.
func isHostPort(s string) bool {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		inner, open := strings.CutPrefix(s, "[")
		inner, closed := strings.CutSuffix(inner, "]")
		return open && closed && net.ParseIP(inner) != nil || !open && isName(s)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0 && (net.ParseIP(host) != nil || isName(host))
}

// isName tells a host name (RFC 1123 section 2.1) or IPv4 address.
func isName(s string) bool {
	if len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return false
		}
		if strings.Trim(strings.ToLower(label), "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	return true
}

// isRoute tells a SIP URI with lr that can stand in angle brackets on a header
// line (RFC 3261 section 19.1.1).
func isRoute(uri string) bool {
	rest, isSIP := strings.CutPrefix(uri, "sip:")
	if !isSIP {
		rest, isSIP = strings.CutPrefix(uri, "sips:")
	}
	host, params, _ := strings.Cut(rest, ";")
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		host = host[i+1:]
	}
	odd := strings.ContainsFunc(uri, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("<>\",", r) })
	return isSIP && !odd && len(uri) <= 255 && isHostPort(host) && slices.Contains(strings.Split(params, ";"), "lr")
}
