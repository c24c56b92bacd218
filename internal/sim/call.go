package sim

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
)

// CallOptions shape one outgoing call. The zero value is an ordinary call that
// lasts until the other side hangs up.
type CallOptions struct {
	NoSDP         bool          // INVITE without an offer; the ACK carries the answer
	UnknownCodecs bool          // offer only codecs nobody has
	PCMAFirst     bool          // prefer A-law
	NoRTP         bool          // send no silence, only listen
	Raw           bool          // skip the dial plan
	HangUpAfter   time.Duration // hang up this long after the answer; 0: never
	CancelAfter   time.Duration // send CANCEL this long after the INVITE, unless answered; 0: never
	HangUpAtOnce  bool          // BYE straight after the ACK
}

// EndedBy tells which side ended a call.
type EndedBy string

// Who ended a call; empty when it was never answered.
const (
	EndedByPhone  EndedBy = "phone"
	EndedByServer EndedBy = "server"
)

// CallResult is what came of a call. Audio is the payload of every RTP packet
// in the order of arrival, in the codec that was negotiated, up to a mebibyte.
type CallResult struct {
	Status   int // final SIP status
	Reason   string
	Codec    string // PCMU or PCMA
	Packets  int    // RTP packets received
	Audio    []byte
	EndedBy  EndedBy
	Answered time.Duration // INVITE to final response
	Lasted   time.Duration // answer to BYE
}

// ErrBlocked is returned when the phone's dial plan forbids the number.
var ErrBlocked = errors.New("sim: the dial plan blocks this number")

// call is one dialog begun by an INVITE.
type call struct {
	p     *Phone
	l     *line
	opt   CallOptions
	key   dialogKey
	req   *request // the INVITE; its to, uri and routes become the dialog's
	cseq  uint32
	auth  *authState
	media *media
	bye   chan struct{} // the server hung up
	over  sync.Once
	stop  chan struct{} // the phone is to hang up
	halt  sync.Once
	link  link
	dst   netip.AddrPort
	ack   []byte
}

func (c *call) hangUp()    { c.halt.Do(func() { close(c.stop) }) }
func (c *call) serverBye() { c.over.Do(func() { close(c.bye) }) }

// Dial calls what a person types, and blocks until the call is over. When ctx
// ends the phone cancels or hangs up first. The error is nil whenever a final
// response came, whatever it says.
func (p *Phone) Dial(ctx context.Context, digits string, o CallOptions) (CallResult, error) {
	p.mu.Lock()
	l, plan, root := p.line, p.dial, p.root
	ready := l != nil && l.link != nil && !p.closed && !p.deaf
	p.mu.Unlock()
	if !ready {
		return CallResult{}, ErrNotRunning
	}
	if !o.Raw {
		var ok bool
		if digits, ok = plan.apply(digits); !ok {
			return CallResult{}, ErrBlocked
		}
	}
	m, err := openMedia(p.udp.addr.Addr(), !o.NoRTP)
	if err != nil {
		return CallResult{}, err
	}
	c := &call{p: p, l: l, opt: o, media: m, auth: l.auth(), bye: make(chan struct{}), stop: make(chan struct{})}
	c.invitation(digits)
	var res CallResult
	// The dialog outlives ctx: a cancelled call still says CANCEL or BYE.
	ended, ok := p.begin(c, func() { res, err = c.run(ctx, root) })
	if !ok {
		m.close()
		return CallResult{}, ErrNotRunning
	}
	<-ended
	p.emit(CallEnded, string(res.EndedBy), res.Status)
	return res, err
}

// begin counts the call and runs it as a goroutine of the phone; the channel
// closes when the phone is idle again.
func (p *Phone) begin(c *call, f func()) (ended chan struct{}, ok bool) {
	ended = make(chan struct{})
	p.mu.Lock()
	p.calls++
	p.talks[c.key] = c
	p.wake()
	p.mu.Unlock()
	end := func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.calls--
		p.st.Calls++
		delete(p.talks, c.key)
		p.wake()
		close(ended)
	}
	if p.spawn(func() { f(); end() }) {
		return ended, true
	}
	end()
	return ended, false
}

// invitation builds the INVITE.
func (c *call) invitation(digits string) {
	l := c.l
	c.key = dialogKey{token(12), token(6)}
	c.p.mu.Lock()
	c.link, c.dst = l.link, l.dst
	c.p.mu.Unlock()
	uri := "sip:" + escapeUser(digits) + "@" + l.acct.domain()
	c.req = &request{
		method: "INVITE", uri: uri,
		from: l.party() + ";tag=" + c.key.tag, to: "<" + uri + ">", callID: c.key.callID,
		contact: "<" + l.contactURI(c.link) + ">",
		headers: []string{"Allow: " + allowed},
	}
	if !c.opt.NoSDP {
		c.req.kind, c.req.body = "application/sdp", c.media.offer(c.opt)
	}
}

// run is the whole call.
func (c *call) run(ctx, root context.Context) (r CallResult, err error) {
	begun := time.Now()
	res, err := c.l.authenticated(root, c.auth, c.req, &c.cseq, func(_ context.Context, req *request) (*sip.Response, error) {
		return c.invite(ctx, root, req)
	})
	if err == nil {
		r.Status, r.Reason, r.Answered = res.StatusCode, res.Reason, time.Since(begun)
		if res.IsSuccess() {
			up := time.Now()
			r.EndedBy = c.talk(ctx, root, res)
			r.Lasted = time.Since(up)
		}
	}
	r.Codec, r.Packets, r.Audio = c.media.close()
	return r, err
}

// talk acknowledges the answer and stays until one side hangs up.
func (c *call) talk(ctx, root context.Context, res *sip.Response) EndedBy {
	c.confirm(res)
	var after <-chan time.Time
	if c.opt.HangUpAfter > 0 && !c.opt.HangUpAtOnce {
		t := time.NewTimer(c.opt.HangUpAfter)
		defer t.Stop()
		after = t.C
	}
	if !c.opt.HangUpAtOnce {
		select {
		case <-c.bye:
			return EndedByServer
		case <-after:
		case <-c.stop:
		case <-ctx.Done():
		case <-root.Done():
		}
	}
	bye := &request{method: "BYE", uri: c.req.uri, from: c.req.from, to: c.req.to, callID: c.req.callID, routes: c.req.routes, inDialog: true}
	_, _ = c.l.authenticated(root, c.auth, bye, &c.cseq, c.l.send)
	return EndedByPhone
}

// confirm makes the dialog of a 2xx and sends its ACK (RFC 3261 section
// 13.2.2.4), which is kept for copies of the 2xx.
func (c *call) confirm(res *sip.Response) {
	if to := res.To(); to != nil {
		if tag, ok := param(to.Params, "tag"); ok {
			c.req.to += ";tag=" + tag
		}
	}
	if ct := res.Contact(); ct != nil {
		c.req.uri = ct.Address.String()
	}
	rr := headerTexts(res, "Record-Route")
	for i := len(rr) - 1; i >= 0; i-- {
		c.req.routes = append(c.req.routes, rr[i])
	}
	ack := &request{
		method: "ACK", uri: c.req.uri, from: c.req.from, to: c.req.to, callID: c.req.callID,
		cseq: c.req.cseq, routes: c.req.routes, auth: c.req.auth, inDialog: true,
	}
	if answer := c.media.accept(res.Body(), c.opt.NoSDP); answer != nil {
		ack.kind, ack.body = "application/sdp", answer
	}
	lk, dst, err := c.l.route(ack)
	if err != nil {
		return
	}
	msg := ack.encode(lk.proto(), lk.local(), newBranch(), c.p.sipAgent())
	c.p.mu.Lock()
	c.ack, c.link, c.dst = msg, lk, dst
	c.p.mu.Unlock()
	_ = lk.send(msg, dst)
}

// ackAgain answers a copy of a 2xx to INVITE.
func (p *Phone) ackAgain(res *sip.Response) {
	cseq, from, id := res.CSeq(), res.From(), res.CallID()
	if cseq.MethodName != sip.INVITE || !res.IsSuccess() || from == nil || id == nil {
		return
	}
	tag, _ := param(from.Params, "tag")
	p.mu.Lock()
	c := p.talks[dialogKey{id.Value(), tag}]
	var ack []byte
	var lk link
	var dst netip.AddrPort
	if c != nil {
		ack, lk, dst = c.ack, c.link, c.dst
	}
	p.mu.Unlock()
	if ack != nil {
		_ = lk.send(ack, dst)
	}
}

// onBye ends the call the server hangs up.
func (p *Phone) onBye(req *sip.Request, in inbound) ([]byte, func()) {
	callID, tag := dialogID(req)
	p.mu.Lock()
	c := p.talks[dialogKey{callID, tag}]
	p.mu.Unlock()
	if c == nil {
		return p.respond(in, 481, "Call/Transaction Does Not Exist", token(6)), nil
	}
	return p.respond(in, 200, "OK", ""), c.serverBye
}
