package provisioning

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// checkBase reads base_url and ends it in a slash.
func checkBase(base string) (string, error) {
	if base == "" {
		return "", nil
	}
	u, err := url.Parse(base)
	switch {
	case err != nil:
		return "", err
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return "", errors.New("needs http:// or https:// and a host")
	case u.User != nil, u.RawQuery != "", u.Fragment != "":
		return "", errors.New("must hold neither credentials nor query")
	}
	return strings.TrimSuffix(u.String(), "/") + "/", nil
}

// baseFor is the folder that the phone reached this server under.
func (h *Handler) baseFor(r *http.Request) string {
	if h.base != "" {
		return h.base
	}
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	host, port := hostOf(r)
	if port == "" {
		return scheme + bracketed(host) + "/"
	}
	return scheme + net.JoinHostPort(host, port) + "/"
}

// Root is the folder, ending in a slash, under which the phone that sent the
// request reaches this server.
func (h *Handler) Root(r *http.Request) string { return h.baseFor(r) }

// arrivedAt is the name or address that the phone's request was sent to.
func arrivedAt(r *http.Request) string {
	host, _ := hostOf(r)
	return host
}

// hostOf reads the Host header; one that is not plainly a name or an address
// gives way to the address that the request came to.
func hostOf(r *http.Request) (host, port string) {
	host, port = r.Host, ""
	if h, p, err := net.SplitHostPort(r.Host); err == nil {
		host, port = h, p
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if n, err := strconv.Atoi(port); plainHost(host) && (port == "" || err == nil && n > 0 && n < 65536) {
		return host, port
	}
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		if h, p, err := net.SplitHostPort(local.String()); err == nil {
			return h, p
		}
	}
	return "localhost", ""
}

// plainHost is a host name of RFC 1123 or an address without zone.
func plainHost(s string) bool {
	if a, err := netip.ParseAddr(s); err == nil {
		return a.Zone() == ""
	}
	if s == "" || len(s) > 253 {
		return false
	}
	for _, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '.':
		default:
			return false
		}
	}
	return true
}

func bracketed(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// source is the address of the phone, without its port.
func source(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
