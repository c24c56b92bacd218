package proxy

import (
	"strings"

	"github.com/emiago/sipgo/sip"

	"perch/sip/flow"
	"perch/sip/handler"
)

// copying says how a request goes on to one place.
type copying struct {
	uri         string
	routes      []string // Route values
	recordRoute []string // ours, top first
	from        string   // URI of From; empty: as it came
	display     string
	asserted    string // P-Asserted-Identity; empty: none
	called      string // P-Called-Party-ID; empty: none
	fields      []flow.Field
	breadth     string // Max-Breadth; empty: none
	private     bool   // what tells of the person goes
	trusted     bool   // what it claims stays: it came from the upstream
	body        func(contentType string, body []byte) (string, []byte)
}

// copied makes the request that goes on (RFC 3261 section 16.6): every header
// field that may be changed is a value of its own, since branches are sent at
// once. The Via of the sender is put on top later. The error is flow.ErrUnsafe.
func copied(r *handler.Request, c copying) (*sip.Request, error) {
	uri, err := flow.RequestURI(c.uri)
	if err != nil {
		return nil, err
	}
	req := sip.NewRequest(r.SIP.Method, uri)
	for _, v := range c.recordRoute {
		req.AppendHeader(sip.NewHeader("Record-Route", v))
	}
	for _, v := range c.routes {
		req.AppendHeader(sip.NewHeader("Route", v))
	}
	stamped := false
	for _, h := range r.SIP.Headers() {
		name := strings.ToLower(h.Name())
		switch {
		case name == "via" && !stamped:
			stamped = true
			h = r.Response(100, "").Via() // with received and rport, by which its answer finds back
		case name == "from" && c.from != "":
			h = renamed(r, c)
		case name == "to" && r.ToTag() == "":
			h = untagged(r)
		case name == "max-forwards", name == "route", name == "content-length", name == "max-breadth", c.drops(name):
			continue
		default:
			h = sip.HeaderClone(h)
		}
		req.AppendHeader(h)
	}
	hops := sip.MaxForwardsHeader(remaining(r) - 1)
	req.AppendHeader(&hops)
	for _, f := range c.added() {
		req.AppendHeader(handler.Header(f.Name, f.Value))
	}
	c.fill(req, r)
	return req, nil
}

// fill gives it its body.
func (c copying) fill(req *sip.Request, r *handler.Request) {
	body := r.SIP.Body()
	if c.body == nil {
		req.SetBody(body)
		return
	}
	contentType, body := c.body(r.Header("Content-Type"), body)
	removeAll(req, "content-type")
	if len(body) > 0 {
		req.AppendHeader(handler.Header("Content-Type", contentType))
	}
	req.SetBody(body)
}

// added are the fields that are set anew.
func (c copying) added() []flow.Field {
	var out []flow.Field
	if c.asserted != "" {
		out = append(out, flow.Field{Name: "P-Asserted-Identity", Value: c.asserted})
	}
	if c.called != "" {
		out = append(out, flow.Field{Name: "P-Called-Party-ID", Value: c.called})
	}
	if c.breadth != "" {
		out = append(out, flow.Field{Name: "Max-Breadth", Value: c.breadth})
	}
	return append(out, c.fields...)
}

// drops tells the fields that do not go on.
func (c copying) drops(name string) bool {
	switch {
	case name == "authorization", name == "proxy-authorization":
		return true // they are for us: nobody else's challenge is ever passed on
	case claims(name):
		return !c.trusted || name == "p-asserted-identity" && c.asserted != ""
	case c.private && personal(name):
		return true
	}
	for _, f := range c.fields {
		if strings.EqualFold(f.Name, name) {
			return true
		}
	}
	return false
}

// renamed is the From under another address, with the caller's tag.
func renamed(r *handler.Request, c copying) sip.Header {
	value := "<" + c.from + ">"
	if c.display != "" {
		value = quoted(c.display) + " " + value
	}
	if tag := r.FromTag(); tag != "" {
		value += ";tag=" + tag
	}
	from := &sip.FromHeader{}
	*from = *r.SIP.From()
	parsed, err := sip.DefaultHeadersParser()["from"]([]byte("from"), value)
	if h, ok := parsed.(*sip.FromHeader); ok && err == nil {
		return h
	}
	return from
}

// untagged is the To as it came: the chain wrote our own tag into an INVITE.
func untagged(r *handler.Request) sip.Header {
	to := *r.SIP.To()
	to.Params = nil
	for _, p := range r.SIP.To().Params {
		if !strings.EqualFold(p.K, "tag") {
			to.Params = append(to.Params, p)
		}
	}
	return &to
}

// defaultHops is the Max-Forwards of a request that has none (RFC 3261 section
// 16.6 step 3).
const defaultHops = 70

// remaining is how many more hops a request may take.
func remaining(r *handler.Request) int {
	if mf := r.SIP.MaxForwards(); mf != nil {
		return int(mf.Val())
	}
	return defaultHops + 1
}

// removeAll takes every field of a name off, however it is written.
func removeAll(req *sip.Request, lower string) {
	for _, h := range req.GetHeaders(lower) {
		req.RemoveHeader(h.Name())
	}
}
