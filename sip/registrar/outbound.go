package registrar

import (
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"

	"perch/sip/handler"
	"perch/sip/location"
)

// Option tags that a REGISTER may name.
const (
	tagPath     = "path"     // RFC 3327
	tagOutbound = "outbound" // RFC 5626
	tagGRUU     = "gruu"     // RFC 5627
)

// Flow-Timer (RFC 5626 section 4.4), in seconds: how often at least a phone must
// be heard. Translators forget UDP within half a minute, streams much later.
const (
	flowTimerUDP    = 30
	flowTimerStream = 120
)

// maxTags bounds the option tags that are read.
const maxTags = 64

// tags lists the option tags of a header field, in lower case.
func tags(r *handler.Request, name string) []string {
	var out []string
	for _, v := range r.Values(name) {
		for tag := range strings.SplitSeq(v, ",") {
			if tag = strings.ToLower(strings.TrimSpace(tag)); tag != "" && len(out) < maxTags {
				out = append(out, tag)
			}
		}
	}
	return out
}

// supports tells whether the phone understands an extension: one that it
// requires it does.
func supports(r *handler.Request, tag string) bool {
	for _, name := range []string{"supported", "require"} {
		for _, t := range tags(r, name) {
			if t == tag {
				return true
			}
		}
	}
	return false
}

// unsupported is RFC 3261 section 10.3 step 2: of what Require may name, three
// are known here.
func unsupported(r *handler.Request) *handler.Status {
	var unknown []string
	for _, t := range tags(r, "require") {
		if t != tagPath && t != tagOutbound && t != tagGRUU {
			unknown = append(unknown, t)
		}
	}
	if unknown == nil {
		return nil
	}
	s := handler.Refuse(sip.StatusBadExtension, "unsupported")
	s.Headers = []sip.Header{handler.Header("Unsupported", strings.Join(unknown, ", "))}
	return s
}

// way reads how the request came: its Path, and whether it is for one flow of an
// instance (RFC 5626 section 6). One that asks for that through a proxy which does
// not keep flows is refused, so that the phone asks without.
func way(r *handler.Request, u *location.Update) error {
	path, ob, err := location.ParsePath(r.Values("path"))
	if err != nil {
		return &handler.Status{Code: sip.StatusBadRequest, Reason: "Bad Path", Why: "malformed"}
	}
	vias := r.SIP.GetHeaders("via")
	u.Path, u.Proxied = path, len(vias) > 1 || len(path) > 0
	if via := r.SIP.Via(); via != nil {
		u.SentBy = sentBy(via)
	}
	if !supports(r, tagOutbound) {
		return nil
	}
	for _, w := range u.Contacts {
		if w.Instance != "" && w.RegID != 0 {
			u.Outbound = true
		}
	}
	if u.Outbound && len(vias) > 1 && !ob {
		return &handler.Status{Code: 439, Reason: "First Hop Lacks Outbound Support", Why: "no_outbound"}
	}
	return nil
}

// sentBy writes the address that the sender of a Via believes to have.
func sentBy(via *sip.ViaHeader) string {
	if via.Port == 0 {
		return via.Host
	}
	return via.Host + ":" + strconv.Itoa(via.Port)
}

// extensions are the headers of a 200 that tell what was done beyond RFC 3261.
func (g *Registrar) extensions(r *handler.Request, u location.Update) []sip.Header {
	out := []sip.Header{handler.Header("Supported", tagPath+", "+tagOutbound+", "+tagGRUU)}
	if supports(r, tagPath) { // RFC 3327 section 5.3
		for _, p := range u.Path {
			out = append(out, handler.Header("Path", p))
		}
	}
	for _, route := range g.serviceRoute { // RFC 3608 section 6.3
		out = append(out, handler.Header("Service-Route", route))
	}
	if u.Outbound {
		out = append(out, handler.Header("Require", tagOutbound)) // RFC 5626 section 6
	}
	if u.Outbound && !u.Proxied { // the first hop is this server, and its timer counts
		timer := flowTimerStream
		if u.Flow.Transport == "udp" {
			timer = flowTimerUDP
		}
		out = append(out, handler.Header("Flow-Timer", strconv.Itoa(timer)))
	}
	return out
}
