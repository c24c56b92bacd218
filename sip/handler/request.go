package handler

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"perch/sip/location"
)

// Request is one request and what is known about it. It belongs to the
// goroutine of its handler.
type Request struct {
	SIP      *sip.Request
	Tx       sip.ServerTransaction
	Flow     location.Flow // the way it came, and the way back
	Identity Identity      // zero until authenticated
	Received time.Time

	admit func() // the connection has an owner: it may idle from now on
	tag   string

	unproven func(user string, code int)
	toTag    string
	sent     int // final response sent, 0 before
	server   string
	notes    []slog.Attr
}

// Arrival is what the listener knows about a request.
type Arrival struct {
	Flow  location.Flow
	Admit func() // called once its sender is authenticated; may be nil
	// Unproven is told how a request was refused whose sender was not
	// authenticated, and for which user it was; may be nil.
	Unproven func(user string, code int)
}

// NewRequest wraps a request of the stack. The tag of all its responses is
// chosen here (RFC 3261 section 8.2.6.2: one tag for all responses). server
// is the Server header of the responses; empty: none.
func NewRequest(req *sip.Request, tx sip.ServerTransaction, a Arrival, server string, now time.Time) *Request {
	r := &Request{SIP: req, Tx: tx, Flow: a.Flow, Received: now, admit: a.Admit, unproven: a.Unproven, server: server}
	if to := req.To(); to != nil {
		r.toTag = param(to.Params, "tag")
	}
	r.tag = r.toTag
	if r.tag == "" {
		r.tag = rand.Text()[:16]
	}
	return r
}

// Method is the request's method in upper case.
func (r *Request) Method() string { return string(r.SIP.Method) }

// Tag is our tag of the dialog that this request is in or may begin: the one
// in its To header, else the one all responses carry.
func (r *Request) Tag() string { return r.tag }

// ToTag is the tag the request came with; empty outside a dialog.
func (r *Request) ToTag() string { return r.toTag }

// FromTag is the peer's tag.
func (r *Request) FromTag() string {
	if from := r.SIP.From(); from != nil {
		return param(from.Params, "tag")
	}
	return ""
}

// CallID is the Call-ID, checked before the handler runs.
func (r *Request) CallID() string {
	if id := r.SIP.CallID(); id != nil {
		return id.Value()
	}
	return ""
}

// Header gives the first value of a header field by its long name, compact
// forms included, without blanks around it; empty when absent.
func (r *Request) Header(name string) string {
	if h := r.SIP.GetHeader(name); h != nil {
		return strings.TrimSpace(h.Value())
	}
	return ""
}

// Values gives all header fields of the name, each as it was sent.
func (r *Request) Values(name string) []string {
	hs := r.SIP.GetHeaders(name)
	out := make([]string, len(hs))
	for i, h := range hs {
		out[i] = h.Value()
	}
	return out
}

// Note adds fields to the transaction's log line. Never secrets, never dialled
// digits.
func (r *Request) Note(attrs ...slog.Attr) { r.notes = append(r.notes, attrs...) }

// Sent is the code of the final response that was sent; 0: none yet.
func (r *Request) Sent() int { return r.sent }

// name is whom the request is for: the number dialled, or the user of To.
func (r *Request) name() string {
	if r.SIP.IsInvite() {
		return r.SIP.Recipient.User
	}
	if to := r.SIP.To(); to != nil {
		return to.Address.User
	}
	return ""
}

func (r *Request) identify(id Identity) {
	r.Identity = id
	if r.admit != nil {
		r.admit()
	}
}

// Response builds a response (RFC 3261 section 8.2.6) with the one tag, the
// source address in its top Via (section 18.2.1) and the headers given. An
// empty reason is the code's own phrase.
func (r *Request) Response(code int, reason string, headers ...sip.Header) *sip.Response {
	if reason == "" {
		reason = phraseOf(code)
	}
	res := sip.NewResponseFromRequest(r.SIP, code, Clean(reason), nil)
	res.SipVersion = "SIP/2.0"
	if to := res.To(); to != nil && code > 100 && r.toTag == "" {
		to.Params.Add("tag", r.tag)
	}
	stampVia(res.Via(), r.SIP.Source())
	if r.server != "" && code > 100 {
		res.AppendHeader(Header("Server", r.server))
	}
	for _, h := range headers {
		res.AppendHeader(h)
	}
	return res
}

// stampVia adds "received" when the sent-by host is not where the request came
// from. The stack does it only beside rport (RFC 3581).
func stampVia(via *sip.ViaHeader, source string) {
	if via == nil || via.Params.Has("received") {
		return
	}
	host, _, err := net.SplitHostPort(source)
	if err != nil || strings.Trim(via.Host, "[]") == host {
		return
	}
	via.Params.Add("received", host)
}

// Respond builds and sends a response.
func (r *Request) Respond(code int, reason string, headers ...sip.Header) error {
	return r.Send(r.Response(code, reason, headers...))
}

// ErrUnsent says that a response could not be written: the peer is gone.
var ErrUnsent = errors.New("handler: response not sent")

// ErrAnswered says that the final response was sent before.
var ErrAnswered = errors.New("handler: the request was answered before")

// Send sends a response that Response built. After a final one it refuses
// another; a 2xx to an INVITE may be sent again by r.Tx.Respond until its ACK.
func (r *Request) Send(res *sip.Response) error {
	if r.sent != 0 {
		return ErrAnswered
	}
	for _, h := range res.Headers() {
		if broken(h.Name()) || broken(h.Value()) {
			return fmt.Errorf("handler: header %.40q would break the response", h.Name())
		}
	}
	if !res.IsProvisional() {
		r.sent = res.StatusCode
	}
	if err := r.Tx.Respond(res); err != nil {
		return fmt.Errorf("%w: %d: %w", ErrUnsent, res.StatusCode, err)
	}
	return nil
}

// refuse sends what a *Status says.
func (r *Request) refuse(s *Status) error {
	headers := s.Headers
	if s.RetryAfter > 0 {
		secs := int((s.RetryAfter + time.Second - 1) / time.Second)
		headers = append(headers[:len(headers):len(headers)], Header("Retry-After", strconv.Itoa(secs)))
	}
	return r.Respond(s.Code, s.phrase(), headers...)
}

// param reads a parameter by its name in any case.
func param(ps sip.HeaderParams, name string) string {
	for _, p := range ps {
		if strings.EqualFold(p.K, name) {
			return p.V
		}
	}
	return ""
}
