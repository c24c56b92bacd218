package sim

import (
	"strings"

	"github.com/emiago/sipgo/sip"
)

// errand is what a check-sync made the phone want to do.
type errand int

const (
	nothing errand = iota
	push           // XML that came by NOTIFY
	reload
	reboot
)

// posed is a challenge that waits for its answer.
type posed struct {
	challenge
	fromTag string
	cseq    uint32
}

// maxPosed bounds the challenges a phone keeps.
const maxPosed = 32

// onNotify sorts a NOTIFY: in one of the phone's dialogs, or out of any.
func (p *Phone) onNotify(req *sip.Request, in inbound) ([]byte, func()) {
	if _, tag := dialogID(req); tag != "" {
		return p.onDialogNotify(req, in)
	}
	event := strings.ToLower(strings.TrimSpace(headerText(req, "Event", "o")))
	report := func(status int) func() {
		return func() { p.emit(Notified, clean(event), status) }
	}
	f := p.opt.Faults
	switch {
	case f.IgnoreNotify || !p.trusts(in):
		return nil, nil
	case f.NotifyStatus != 0:
		return p.respond(in, f.NotifyStatus, "Out of Order", token(6)), report(f.NotifyStatus)
	case !p.knownUser(req):
		return p.respond(in, 404, "Not Found", token(6)), report(404)
	}
	what := p.meaning(event)
	if p.takesPush(event, req) {
		what = push
	}
	if what == nothing {
		return p.respond(in, 489, "Bad Event", token(6), "Allow-Events: check-sync"), report(489)
	}
	if c, ok := p.unproven(req, in); ok {
		www := `WWW-Authenticate: Digest realm=` + quote(c.realm) + `, nonce=` + quote(c.nonce) + `, algorithm=MD5, qop="auth"`
		p.update(func(s *State) { s.Challenges++ })
		return p.respond(in, 401, "Unauthorized", token(6), www), func() { p.emit(Challenged, clean(event), 401) }
	}
	return p.respond(in, 200, "OK", token(6)), func() {
		if what == push {
			p.emit(Notified, clean(event), 200)
			p.keepPush(req.Body())
			return
		}
		p.update(func(s *State) { s.Syncs++ })
		p.emit(Notified, clean(event), 200)
		p.want(what)
	}
}

// meaning reads the Event value by the brand's rules. Events of other packages
// mean nothing.
func (p *Phone) meaning(event string) errand {
	name, params, _ := strings.Cut(event, ";")
	asked := false
	for f := range strings.SplitSeq(params, ";") {
		asked = asked || strings.ReplaceAll(f, " ", "") == "reboot=true"
	}
	p.mu.Lock()
	rule := p.rule
	p.mu.Unlock()
	return p.habits.obeys(strings.TrimSpace(name), asked, rule)
}

// trusts tells whether the phone listens to the sender at all: with Yealink's
// sip.trust_ctrl on, only to its registrar.
func (p *Phone) trusts(in inbound) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.trusting || (p.line != nil && p.line.dst.Addr() == in.from.Addr())
}

// unproven tells whether the sender still has to prove that it knows the SIP
// password of this phone, and gives the challenge to send. The proof must come
// with the same Call-ID and From tag and the next CSeq (RFC 3261 section 22.2).
func (p *Phone) unproven(req *sip.Request, in inbound) (challenge, bool) {
	p.mu.Lock()
	realm, l := p.realm, p.line
	callID := req.CallID().Value()
	was, seen := p.posed[callID]
	delete(p.posed, callID)
	p.mu.Unlock()
	if realm == "" {
		return challenge{}, false
	}
	if auth := headerText(req, "Authorization"); auth != "" && seen && l != nil {
		wrong := ""
		switch {
		case was.fromTag != fromTag(req):
			wrong = "NOTIFY answered a challenge under another From tag"
		case req.CSeq().SeqNo != was.cseq+1:
			wrong = "NOTIFY answered a challenge without the next CSeq"
		case !was.answers(auth, l.acct.auth, l.acct.password, "NOTIFY", requestURI(in.raw)):
			wrong = "NOTIFY answered a challenge wrongly"
		default:
			return challenge{}, false
		}
		p.emit(Misbehaved, wrong, 401)
	}
	c := challenge{realm: realm, nonce: token(16), algorithm: "MD5", qop: true}
	p.mu.Lock()
	defer p.mu.Unlock()
	for k := range p.posed {
		if len(p.posed) < maxPosed {
			break
		}
		delete(p.posed, k)
	}
	p.posed[callID] = posed{c, fromTag(req), req.CSeq().SeqNo}
	return c, true
}

// requestURI gives the Request-URI as it was written.
func requestURI(raw []byte) string {
	line, _, _ := strings.Cut(string(raw), "\r\n")
	parts := strings.Fields(line)
	if len(parts) != 3 {
		return ""
	}
	return parts[1]
}

// want leaves an errand to the phone's main goroutine; a reboot outranks a
// reload that has not begun.
func (p *Phone) want(e errand) {
	p.mu.Lock()
	p.errand = max(p.errand, e)
	p.mu.Unlock()
	select {
	case p.errands <- struct{}{}:
	default:
	}
}

// nextErrand takes what is wanted.
func (p *Phone) nextErrand() errand {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.errand
	p.errand = nothing
	return e
}
