package flow

import (
	"errors"
	"fmt"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// ErrUnsafe says that a part of a request would break out of its line, or is
// none that can stand there. The text names the part, not its value.
var ErrUnsafe = errors.New("flow: unsafe message part")

// Field is one more header field of a Draft.
type Field struct{ Name, Value string }

// Draft is a request of ours before it is built: every part is the text that
// goes on the wire. The Via is Send's.
type Draft struct {
	Method      string
	URI         string   // Request-URI: for a contact, verbatim as it was registered
	Routes      []string // Route values, each with its angle brackets, top first; a contact's Path
	From, To    string   // values with angle brackets and tags
	CallID      string
	CSeq        uint32
	Contact     string // value; empty: none
	Headers     []Field
	ContentType string // empty: no body
	Body        []byte
}

// maxForwards is RFC 3261 section 8.1.1.6's.
const maxForwards = 70

// Build makes the request of the draft. It returns ErrUnsafe when a part would
// break the message; nothing is escaped or left out silently.
func (d Draft) Build() (*sip.Request, error) {
	uri, err := verbatim(d.URI)
	if err != nil {
		return nil, err
	}
	if !isToken(d.Method) || d.From == "" || d.To == "" || d.CallID == "" {
		return nil, fmt.Errorf("%w: method, From, To or Call-ID", ErrUnsafe)
	}
	req := sip.NewRequest(sip.RequestMethod(d.Method), uri)
	for _, r := range d.Routes {
		req.AppendHeader(sip.NewHeader("Route", r))
	}
	hops := sip.MaxForwardsHeader(maxForwards)
	req.AppendHeader(&hops)
	req.AppendHeader(sip.NewHeader("From", d.From))
	req.AppendHeader(sip.NewHeader("To", d.To))
	req.AppendHeader(sip.NewHeader("Call-ID", d.CallID))
	req.AppendHeader(&sip.CSeqHeader{SeqNo: d.CSeq, MethodName: sip.RequestMethod(d.Method)})
	if d.Contact != "" {
		req.AppendHeader(sip.NewHeader("Contact", d.Contact))
	}
	for _, f := range d.Headers {
		if !isToken(f.Name) {
			return nil, fmt.Errorf("%w: header name", ErrUnsafe)
		}
		req.AppendHeader(sip.NewHeader(f.Name, f.Value))
	}
	if d.ContentType != "" {
		req.AppendHeader(sip.NewHeader("Content-Type", d.ContentType))
	}
	req.SetBody(d.Body)
	return req, unbroken(req)
}

// verbatim makes the stack write a SIP URI exactly as it stands: parsed, it
// would lose quotes and reorder what some phones compare byte by byte.
func verbatim(uri string) (sip.Uri, error) {
	scheme, rest, ok := strings.Cut(uri, ":")
	if !ok || rest == "" || !strings.EqualFold(scheme, "sip") && !strings.EqualFold(scheme, "sips") {
		return sip.Uri{}, fmt.Errorf("%w: Request-URI", ErrUnsafe)
	}
	for _, c := range []byte(rest) {
		if c <= ' ' || c == 0x7f || c == '<' || c == '>' || c == '"' {
			return sip.Uri{}, fmt.Errorf("%w: Request-URI", ErrUnsafe)
		}
	}
	return sip.Uri{Scheme: scheme, Host: rest}, nil
}

// unbroken refuses a message in which any value would end its line. The stack
// writes every value as it is.
func unbroken(req *sip.Request) error {
	if strings.ContainsAny(req.Recipient.String(), "\r\n\x00 ") || !isToken(string(req.Method)) {
		return fmt.Errorf("%w: request line", ErrUnsafe)
	}
	for _, h := range req.Headers() {
		if strings.ContainsAny(h.Value(), "\r\n\x00") {
			return fmt.Errorf("%w: %.40q", ErrUnsafe, h.Name())
		}
	}
	return nil
}

// isToken is RFC 3261 section 25.1's token.
func isToken(s string) bool {
	for _, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case strings.IndexByte("-.!%*_+`'~", c) >= 0:
		default:
			return false
		}
	}
	return s != ""
}

// RequestURI makes a Request-URI that goes on the wire as it is given: for a
// contact, verbatim as it was registered. The error is ErrUnsafe.
func RequestURI(uri string) (sip.Uri, error) { return verbatim(uri) }
