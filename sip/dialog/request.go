package dialog

import "strings"

// Request is what the dialog decides about a request of ours inside it: all
// header values as they go on the wire.
type Request struct {
	RequestURI string
	Routes     []string // Route values, each with angle brackets, top first
	From       string
	To         string
	CallID     string
	CSeq       uint32
}

// Next counts our sequence number up and gives the parts of the next request
// (RFC 3261 section 12.2.1.1). Store the dialog before sending, so that a
// restart does not use a number twice.
func (d *Dialog) Next() Request {
	d.LocalCSeq++
	return d.Current()
}

// Current gives the parts of a request with the number used last: the ACK of a
// 2xx to our INVITE, or a request sent again with credentials after Next.
func (d *Dialog) Current() Request {
	r := Request{
		RequestURI: requestURI(d.RemoteTarget),
		From:       party(d.LocalURI, d.ID.Local),
		To:         party(d.RemoteURI, d.ID.Remote),
		CallID:     d.ID.CallID,
		CSeq:       d.LocalCSeq,
	}
	routes := d.Routes
	if len(routes) > 0 && !isLoose(routes[0]) {
		// A strict router wants its own URI in the request line and the
		// target at the end of the route.
		r.RequestURI = requestURI(routes[0])
		routes = append(append([]string(nil), routes[1:]...), d.RemoteTarget)
	}
	for _, uri := range routes {
		r.Routes = append(r.Routes, "<"+uri+">")
	}
	return r
}

// party writes a From or To value.
func party(uri, tag string) string {
	if tag == "" {
		return "<" + uri + ">"
	}
	return "<" + uri + ">;tag=" + tag
}

// requestURI removes what a request line must not carry: headers and the
// method parameter (RFC 3261 section 19.1.1, table 1).
func requestURI(uri string) string {
	uri, _, _ = strings.Cut(uri, "?")
	head, params, ok := strings.Cut(uri, ";")
	if !ok {
		return uri
	}
	out := head
	for p := range strings.SplitSeq(params, ";") {
		if name, _, _ := strings.Cut(p, "="); !strings.EqualFold(name, "method") {
			out += ";" + p
		}
	}
	return out
}

// isLoose tells whether a route is a loose router's: it has the lr parameter,
// with whatever value (RFC 3261 section 16.12; some write lr=on).
func isLoose(uri string) bool {
	uri, _, _ = strings.Cut(uri, "?")
	_, params, _ := strings.Cut(uri, ";")
	for p := range strings.SplitSeq(params, ";") {
		if name, _, _ := strings.Cut(p, "="); strings.EqualFold(strings.TrimSpace(name), "lr") {
			return true
		}
	}
	return false
}
