package proxy

import (
	"strings"

	"github.com/emiago/sipgo/sip"

	"perch/sip/handler"
)

// relayed makes of a response to a copy the one for whom the request came from
// (RFC 3261 section 16.7): its Via values, From, To without tag, Call-ID and CSeq
// are those of the request, whatever the phone made of them; what it claims
// about itself goes, and asserted stands in its place. trusted: it came from the
// upstream.
func relayed(r *handler.Request, res *sip.Response, asserted string, trusted bool) *sip.Response {
	base := r.Response(100, "")
	out := sip.NewResponse(res.StatusCode, handler.Clean(res.Reason))
	out.SipVersion = "SIP/2.0"
	for _, h := range base.GetHeaders("via") {
		out.AppendHeader(h)
	}
	from := *base.From()
	out.AppendHeader(&from)
	out.AppendHeader(answerTo(r, res))
	out.AppendHeader(sip.HeaderClone(base.CallID()))
	out.AppendHeader(sip.HeaderClone(base.CSeq()))
	private := privacyOf(values(res, "privacy")).hides()
	for _, h := range res.Headers() {
		name := strings.ToLower(h.Name())
		switch name {
		case "via", "from", "to", "call-id", "cseq", "content-length", "timestamp":
			continue
		}
		if claims(name) && (!trusted || private) {
			continue
		}
		out.AppendHeader(sip.HeaderClone(h))
	}
	if asserted != "" && !private && res.StatusCode > 100 && res.StatusCode < 300 {
		out.AppendHeader(handler.Header("P-Asserted-Identity", asserted))
	}
	out.SetBody(res.Body())
	out.SetTransport(base.Transport())
	out.SetDestination(base.Destination())
	return out
}

// answerTo is the request's To with the tag of the response.
func answerTo(r *handler.Request, res *sip.Response) sip.Header {
	to, ok := untagged(r).(*sip.ToHeader)
	if !ok {
		return untagged(r)
	}
	if r.ToTag() != "" {
		to.Params = append(to.Params, sip.HeaderKV{K: "tag", V: r.ToTag()})
	} else if tag := toTag(res); tag != "" {
		to.Params = append(to.Params, sip.HeaderKV{K: "tag", V: tag})
	}
	return to
}

func toTag(res *sip.Response) string {
	if to := res.To(); to != nil {
		for _, p := range to.Params {
			if strings.EqualFold(p.K, "tag") {
				return p.V
			}
		}
	}
	return ""
}

func values(res *sip.Response, name string) []string {
	var out []string
	for _, h := range res.GetHeaders(name) {
		out = append(out, h.Value())
	}
	return out
}

// usable tells a response that can be relayed: without a CSeq, From or To it
// would have been dropped by the transaction already.
func usable(res *sip.Response) bool {
	return res.StatusCode >= 100 && res.StatusCode < 700 && len(res.Headers()) <= maxFields && !unsafe(res)
}

// maxFields bounds the header fields of a response.
const maxFields = 128

func unsafe(res *sip.Response) bool {
	for _, h := range res.Headers() {
		if strings.ContainsAny(h.Value(), "\r\n\x00") {
			return true
		}
	}
	return false
}

// contactOf is the URI of the Contact of a response; empty: none.
func contactOf(res *sip.Response) string {
	h := res.GetHeader("contact")
	if h == nil {
		return ""
	}
	if v := h.Value(); strings.Contains(v, "<") {
		return uriOf(v)
	}
	uri, _, _ := strings.Cut(h.Value(), ";")
	return strings.TrimSpace(uri)
}
