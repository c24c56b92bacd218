package lossy

import (
	"context"
	"strings"
	"time"
)

const sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"

// Outcome is what came of a call.
type Outcome string

// The outcomes.
const (
	Talked    Outcome = "talked"
	Refused   Outcome = "refused"
	Cancelled Outcome = "cancelled"
	Failed    Outcome = "failed"
	Engaged   Outcome = "engaged" // this phone is in another call: nothing was sent
)

// Plan is what a caller means to do. Cancel, when set, is after how long it
// gives up unless it was answered; Talk is how long it talks.
type Plan struct{ Cancel, Talk time.Duration }

// Call calls an extension and returns when the call is over.
func (p *Phone) Call(ctx context.Context, number string, plan Plan) (Outcome, error) {
	if !p.seize() {
		return Engaged, nil
	}
	defer p.release()
	uri := "sip:" + number + "@" + p.domain
	a := ask{
		method: "INVITE", uri: uri, from: "<" + p.aor() + ">;tag=" + token(), to: "<" + uri + ">", callID: token(), body: sdp, cseq: p.next(),
	}
	giveUp := make(chan struct{})
	if plan.Cancel > 0 {
		timer := time.AfterFunc(plan.Cancel, func() { close(giveUp) })
		defer timer.Stop()
	}
	cancelling := false
	heard := func(a ask) { // RFC 3261 section 9.1: not before a provisional response
		if plan.Cancel == 0 || cancelling {
			return
		}
		cancelling = true
		p.tasks.Go(func() {
			select {
			case <-giveUp:
				c := ask{method: "CANCEL", uri: a.uri, from: a.from, to: a.to, callID: a.callID, cseq: a.cseq, branch: a.branch}
				_, _ = p.once(ctx, c, nil) // whatever it says, the INVITE's own answer counts
			case <-p.done:
			}
		})
	}
	res, sent, err := p.request(ctx, a, p.next, heard)
	switch {
	case err != nil:
		return Failed, err
	case res.code() == 487:
		return Cancelled, nil
	case res.code() >= 300:
		return Refused, nil
	}
	t := &talk{
		callID: a.callID, local: a.from, remote: res.get("to"), target: uriOf(res.get("contact")), routes: reversed(res.recorded()),
		cseq: sent.cseq, over: make(chan struct{}),
	}
	p.begin(t)
	if p.sleep(plan.Talk, t.over) {
		err = p.bye(ctx, t)
	}
	p.forget(t)
	return Talked, err
}

// HangUp ends whatever call the phone is in.
func (p *Phone) HangUp(ctx context.Context) error {
	p.mu.Lock()
	var all []*talk
	for _, t := range p.talks {
		all = append(all, t)
	}
	p.mu.Unlock()
	for _, t := range all {
		if err := p.bye(ctx, t); err != nil {
			return err
		}
		p.forget(t)
	}
	return nil
}

func (p *Phone) bye(ctx context.Context, t *talk) error {
	p.mu.Lock()
	t.cseq++
	a := ask{method: "BYE", uri: t.target, from: t.local, to: t.remote, callID: t.callID, cseq: t.cseq, routes: t.routes}
	p.mu.Unlock()
	t.end()
	_, _, err := p.request(ctx, a, p.next, nil)
	return err
}

func (p *Phone) begin(t *talk) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.talks[t.callID] = t
}

func (p *Phone) forget(t *talk) {
	t.end()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.talks, t.callID)
}

func (p *Phone) talk(callID string) *talk {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.talks[callID]
}

// invited answers a call: after a moment, unless the phone is in another.
func (p *Phone) invited(m message) {
	id, tag := m.get("call-id"), token()
	in := &incoming{acked: make(chan struct{}), cancelled: make(chan struct{})}
	p.mu.Lock()
	p.waiting[id+" "+m.branch()] = in
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.waiting, id+" "+m.branch())
		p.mu.Unlock()
	}()
	if !p.seize() {
		p.insist(p.respond(m, 486, "Busy Here", tag, ""), in.acked)
		return
	}
	defer p.release()
	p.tell("ringing")
	p.respond(m, 180, "Ringing", tag, "")
	rings := p.rings
	if rings == 0 {
		rings = between(200*time.Millisecond, 1500*time.Millisecond)
	}
	if !p.sleep(rings, in.cancelled) {
		p.insist(p.respond(m, 487, "Request Terminated", tag, ""), in.acked)
		return
	}
	t := &talk{
		callID: id, local: m.get("to") + ";tag=" + tag, remote: m.get("from"), target: uriOf(m.get("contact")), routes: m.recorded(),
		over: make(chan struct{}),
	}
	p.begin(t)
	defer p.forget(t)
	p.tell("answered")
	if !p.insist(p.respond(m, 200, "OK", tag, sdp), in.acked) { // RFC 3261 section 13.3.1.4
		_ = p.bye(context.Background(), t)
		return
	}
	select {
	case <-t.over:
	case <-p.done:
	}
}

// acknowledged takes an ACK: of a 2xx by the call, of another by its branch too.
func (p *Phone) acknowledged(m message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, in := range p.waiting {
		if strings.HasPrefix(key, m.get("call-id")+" ") {
			in.ack.Do(func() { close(in.acked) })
		}
	}
}

func (p *Phone) cancelled(m message) {
	p.mu.Lock()
	in := p.waiting[m.get("call-id")+" "+m.branch()]
	p.mu.Unlock()
	if in == nil {
		p.respond(m, 481, "Call/Transaction Does Not Exist", token(), "")
		return
	}
	p.respond(m, 200, "OK", token(), "")
	in.cancel.Do(func() { close(in.cancelled) })
}

func (p *Phone) hungUp(m message) {
	t := p.talk(m.get("call-id"))
	if t == nil {
		p.respond(m, 481, "Call/Transaction Does Not Exist", "", "")
		return
	}
	p.tell("bye")
	p.respond(m, 200, "OK", "", "")
	t.end()
}
