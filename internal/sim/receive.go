package sim

import (
	"net/netip"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// receive takes one message off the wire. It never blocks: what takes time is
// left to goroutines of the phone. A phone without power hears nothing.
func (p *Phone) receive(raw []byte, from netip.AddrPort, l link) {
	p.mu.Lock()
	deaf := p.deaf
	p.mu.Unlock()
	if deaf || len(raw) < 16 {
		return
	}
	msg, err := p.parser.ParseSIP(raw)
	if err != nil {
		return
	}
	in := inbound{raw: raw, from: from, link: l}
	switch m := msg.(type) {
	case *sip.Response:
		p.onResponse(m)
	case *sip.Request:
		p.onRequest(m, in)
	}
}

// onRequest answers a request, or repeats the answer it got before.
func (p *Phone) onRequest(req *sip.Request, in inbound) {
	if req.Via() == nil || req.From() == nil || req.To() == nil || req.CallID() == nil || req.CSeq() == nil {
		return // nothing to build an answer from
	}
	if req.IsAck() {
		return
	}
	branch, _ := param(req.Via().Params, "branch")
	key := branch + "\n" + req.Via().SentBy() + "\n" + string(req.Method) + "\n" + req.CallID().Value() + "\n" + req.CSeq().Value()
	if answer, ok := p.remembered(key); ok {
		if answer != nil {
			_ = in.link.send(answer, in.from)
		}
		return
	}
	answer, after := p.serve(req, in)
	if answer == nil {
		p.remember(key, nil)
		return
	}
	p.remember(key, answer)
	_ = in.link.send(answer, in.from)
	if after != nil {
		after()
	}
}

// serve decides about a new request: the answer, and what follows from it once
// the answer is on its way. after must not block. A nil answer is silence.
func (p *Phone) serve(req *sip.Request, in inbound) (answer []byte, after func()) {
	if string(req.CSeq().MethodName) != string(req.Method) {
		return p.respond(in, 400, "Bad Request", token(6)), nil
	}
	switch req.Method {
	case sip.NOTIFY:
		return p.onNotify(req, in)
	case sip.OPTIONS:
		return p.respond(in, 200, "OK", token(6), "Allow: "+allowed, "Accept: application/sdp"), nil
	case sip.BYE:
		return p.onBye(req, in)
	case sip.INVITE:
		// Nobody answers a virtual phone yet.
		return p.respond(in, 486, "Busy Here", token(6)), nil
	case sip.CANCEL:
		return p.respond(in, 481, "Call/Transaction Does Not Exist", token(6)), nil
	}
	return p.respond(in, 405, "Method Not Allowed", token(6), "Allow: "+allowed), nil
}

// allowed is the Allow value of these phones.
const allowed = "INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY"

// dialogID is what names one of the phone's own dialogs in a request: Call-ID
// and the tag the phone gave itself.
func dialogID(req *sip.Request) (callID, localTag string) {
	localTag, _ = param(req.To().Params, "tag")
	return req.CallID().Value(), localTag
}

// fromTag gives the peer's tag.
func fromTag(req *sip.Request) string {
	t, _ := param(req.From().Params, "tag")
	return t
}

// knownUser tells whether a Request-URI reaches an identity of the phone: the
// user part of the contact it registered.
func (p *Phone) knownUser(req *sip.Request) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.line != nil && strings.EqualFold(req.Recipient.User, escapeUser(p.line.acct.user))
}
