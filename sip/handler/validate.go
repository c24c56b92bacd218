package handler

import (
	"strings"

	"github.com/emiago/sipgo/sip"
)

// Bounds of one message beyond the size that the listener enforces.
const (
	maxHeaders = 128  // header fields
	maxValue   = 8192 // bytes of one header field's value
	maxCallID  = 256
	maxTag     = 256
	maxURI     = 1024
)

// Validate checks what every request must have before anything looks at it
// (RFC 3261 section 8.2, 16.3 and 8.1.1; the torture tests of RFC 4475). The
// stack lets all of this through. It returns nil or the refusal.
func Validate(req *sip.Request) *Status {
	if req.SipVersion != "SIP/2.0" {
		return Refuse(sip.StatusVersionNotSupported, "version") // RFC 3261 section 21.5.7
	}
	if s := validateURI(req); s != nil {
		return s
	}
	if s := validateFields(req); s != nil {
		return s
	}
	if s := validateMandatory(req); s != nil {
		return s
	}
	if s := validateMaxForwards(req); s != nil {
		return s
	}
	return validateRequire(req)
}

// Supported are the extensions that a request may require (RFC 3261 section
// 8.2.2.3): the Supported header of every answer to OPTIONS.
const Supported = "path, outbound, gruu"

// validateRequire refuses a request that requires what is not there. An ACK or
// a CANCEL cannot be refused for it; REGISTER, SUBSCRIBE and INVITE each know
// extensions of their own, and look for themselves; what is forwarded requires
// it of whom it goes to (RFC 3261 section 20.32).
func validateRequire(req *sip.Request) *Status {
	switch req.Method {
	case sip.ACK, sip.CANCEL, sip.REGISTER, sip.SUBSCRIBE, sip.INVITE,
		sip.BYE, sip.PRACK, sip.UPDATE, sip.REFER, sip.INFO, sip.NOTIFY, sip.MESSAGE:
		return nil
	}
	var missing []string
	for _, h := range req.GetHeaders("require") {
		for tag := range strings.SplitSeq(h.Value(), ",") {
			if tag = strings.TrimSpace(tag); tag != "" && !isSupported(tag) {
				missing = append(missing, tag)
			}
		}
	}
	if missing == nil {
		return nil
	}
	s := Refuse(420, "extension")
	s.Headers = []sip.Header{Header("Unsupported", Clipped(strings.Join(missing, ", "), 200))}
	return s
}

func isSupported(tag string) bool {
	for s := range strings.SplitSeq(Supported, ", ") {
		if strings.EqualFold(s, tag) {
			return true
		}
	}
	return false
}

func bad(reason string) *Status {
	return &Status{Code: sip.StatusBadRequest, Reason: reason, Why: "malformed"}
}

func validateURI(req *sip.Request) *Status {
	switch u := &req.Recipient; {
	case u.Scheme != "sip" && u.Scheme != "sips":
		return Refuse(416, "scheme") // RFC 3261 section 8.2.2.1
	case len(u.User)+len(u.Host) > maxURI:
		return &Status{Code: 414, Why: "malformed"}
	case !validHost(u.Host), u.Port < 0, u.Port > 65535, strings.ContainsFunc(u.User, isControl):
		return bad("Bad Request-URI")
	}
	for _, p := range req.Recipient.UriParams {
		if len(p.K)+len(p.V) > maxURI || strings.ContainsFunc(p.K+p.V, isControl) {
			return bad("Bad Request-URI")
		}
	}
	return nil
}

// single are the fields that a message has at most once (RFC 3261 section
// 7.3.1: no comma-separated list in their grammar). The stack would silently
// take the last in one place and the first in another.
var single = map[string]int{
	"From": 0, "To": 1, "Call-ID": 2, "CSeq": 3, "Max-Forwards": 4, "Content-Length": 5,
	"Content-Type": 6, "Expires": 7, "Event": 8,
}

func validateFields(req *sip.Request) *Status {
	var seen [9]bool
	hs := req.Headers()
	if len(hs) > maxHeaders {
		return bad("Too Many Header Fields")
	}
	for _, h := range hs {
		if i, ok := single[canonical(h.Name())]; ok {
			if seen[i] {
				return bad("Repeated Header Field")
			}
			seen[i] = true
		}
		if v, ok := rawValue(h); ok && (len(v) > maxValue || strings.ContainsFunc(v, isControl)) {
			return bad("Bad Header Field")
		}
	}
	return nil
}

// canonical gives the spelling of the fields in single; others as they are.
func canonical(name string) string {
	if _, ok := single[name]; ok {
		return name
	}
	for n := range single {
		if strings.EqualFold(n, name) {
			return n
		}
	}
	return name
}

// rawValue gives the value of a field that the stack has not parsed. Parsed
// fields were checked as text before (HeaderParsers).
func rawValue(h sip.Header) (string, bool) {
	switch h.(type) {
	case *sip.FromHeader, *sip.ToHeader, *sip.ViaHeader, *sip.CSeqHeader, *sip.MaxForwardsHeader,
		*sip.ContentLengthHeader, *sip.CallIDHeader, *sip.ContentTypeHeader:
		return "", false
	}
	return h.Value(), true
}

func validateMandatory(req *sip.Request) *Status {
	from, to, id, cseq, via := req.From(), req.To(), req.CallID(), req.CSeq(), req.Via()
	switch {
	case from == nil:
		return bad("Missing or Bad From")
	case to == nil:
		return bad("Missing or Bad To")
	case id == nil || len(*id) > maxCallID || strings.ContainsAny(string(*id), " \t\",;"):
		return bad("Missing or Bad Call-ID")
	case cseq == nil:
		return bad("Missing or Bad CSeq")
	case strings.TrimSpace(string(cseq.MethodName)) != string(req.Method):
		return bad("CSeq Method Differs") // RFC 3261 section 8.1.1.5
	case via == nil || !validHost(via.Host) || via.Port < 0 || via.Port > 65535:
		return bad("Missing or Bad Via")
	case len(param(from.Params, "tag")) > maxTag || len(param(to.Params, "tag")) > maxTag:
		return bad("Tag Too Long")
	}
	if req.GetHeader("content-length") != nil && req.ContentLength() == nil {
		return bad("Bad Content-Length")
	}
	for _, u := range []*sip.Uri{&from.Address, &to.Address} {
		if len(u.User)+len(u.Host)+len(u.Raw()) > maxURI || u.Host == "" && u.Raw() == "" {
			return bad("Bad Address")
		}
	}
	return nil
}

// validateMaxForwards: the field is mandatory since RFC 3261, but RFC 2543
// clients leave it out, and nothing depends on it here; a proxy sets 70
// (section 16.6 step 3). A value that is no number was left unparsed.
func validateMaxForwards(req *sip.Request) *Status {
	if req.GetHeader("max-forwards") == nil {
		return nil
	}
	mf := req.MaxForwards()
	if mf == nil || mf.Val() > 255 {
		return bad("Bad Max-Forwards")
	}
	return nil
}

// validHost tells a host name, IPv4 or IPv6 address as a URI or Via has it.
func validHost(h string) bool {
	if h == "" || len(h) > 255 {
		return false
	}
	for _, c := range []byte(h) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case c == '-', c == '.', c == '_', c == ':', c == '[', c == ']', c == '%':
		default:
			return false
		}
	}
	return true
}
