package proxy

import (
	"net/netip"
	"slices"
	"strings"

	"perch/sip/location"
)

// path is what the Route header fields of a request say, after the
// pre-processing of RFC 3261 section 16.4.
type path struct {
	from, to *leg     // of the dialog: where the request comes from, and where it goes; nil: outside of one
	target   string   // Request-URI
	rest     []string // routes behind ours, each with its angle brackets
}

// inside tells a request that follows the routes of a dialog through here.
func (p path) inside() bool { return p.from != nil && p.to != nil }

// parsePath reads the Request-URI and the Route header fields. Where the
// request came through a strict router, its own URI of ours is in the request
// line and the target is the last route (section 16.4). own tells the names by
// which this server goes. False: a field cannot be read.
func (s sealer) parsePath(requestURI string, fields []string, callID string, own func(host string) bool) (path, bool) {
	var values []string
	if len(fields) > 0 {
		var err error
		if values, _, err = location.ParsePath(fields); err != nil {
			return path{}, false
		}
	}
	p := path{target: requestURI}
	if _, ours := s.opened(requestURI, callID); ours && len(values) > 0 {
		last := len(values) - 1
		p.target = uriOf(values[last])
		values = slices.Insert(values[:last:last], 0, "<"+requestURI+">")
	}
	// A phone with an outbound proxy may put that before the routes of the dialog.
	// It leads here, or the request would not be here.
	if i := slices.IndexFunc(values, func(v string) bool { _, ours := s.opened(uriOf(v), callID); return ours }); i > 0 {
		values = values[i:]
	}
	for len(values) > 0 {
		uri := uriOf(values[0])
		l, ours := s.opened(uri, callID)
		switch {
		case ours && p.from == nil:
			p.from = &l
		case ours && p.to == nil:
			p.to = &l
		case !ours && p.from == nil && ownRoute(uri, own):
		default:
			p.rest = values
			return p, true
		}
		values = values[1:]
	}
	return p, true
}

// uriOf takes the URI out of a value in angle brackets.
func uriOf(value string) string {
	_, rest, _ := strings.Cut(value, "<")
	uri, _, _ := strings.Cut(rest, ">")
	return uri
}

// ownRoute tells a route that only leads here: what a phone has as its outbound
// proxy.
func ownRoute(uri string, own func(string) bool) bool {
	u, err := location.ParseURI(uri)
	return err == nil && own(strings.Trim(u.Host, "[]"))
}

// isAddress tells an IP address. Whoever sent us a request with one wrote the
// address at which it reached us, perhaps before a NAT.
func isAddress(host string) bool {
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil
}

// next gives the Request-URI and the Route values of a request to a target
// behind routes: a strict router gets its own URI in the request line (RFC 3261
// section 16.6 step 6).
func next(target string, routes []string) (uri string, values []string) {
	if len(routes) == 0 {
		return target, nil
	}
	first := uriOf(routes[0])
	if u, err := location.ParseURI(first); err != nil || u.Has("lr") {
		return target, routes
	}
	return first, append(slices.Clone(routes[1:]), "<"+target+">")
}
