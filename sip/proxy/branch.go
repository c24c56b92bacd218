package proxy

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"perch/sip/flow"
	"perch/sip/location"
)

// attempt is one branch of a call: an INVITE to one phone or to the upstream,
// by one way after the other. Its goroutine tells the call what it hears.
type attempt struct {
	id      string
	to      target
	call    *call
	breadth int           // Max-Breadth of its requests
	stop    chan struct{} // closed: send a CANCEL
	once    sync.Once
	reason  string // of the CANCEL; written before stop is closed

	mu   sync.Mutex
	sent *sip.Request  // the copy that was answered, for an ACK and a BYE
	by   location.Flow // by which it went
	shed map[string]bool
}

// heard is what an attempt tells its call.
type heard struct {
	a    *attempt
	res  *sip.Response // nil: no response, code says what it comes to
	code int
}

// cancel has the branch cancelled; only the first reason counts.
func (a *attempt) cancel(reason string) {
	a.once.Do(func() {
		a.reason = reason
		close(a.stop)
	})
}

func (a *attempt) stopped() bool {
	select {
	case <-a.stop:
		return true
	default:
		return false
	}
}

// run goes through the ways until one gives a final response that stands.
func (a *attempt) run(ctx context.Context) {
	last := heard{a: a, code: 480}
	for _, s := range a.to.hops() {
		if a.stopped() || ctx.Err() != nil {
			last.code = 487
			break
		}
		h, again := a.try(ctx, s, nil)
		if last = h; !again {
			break
		}
	}
	a.call.tell(last)
}

// try sends an INVITE by one way. again: the next way may do better.
func (a *attempt) try(ctx context.Context, s step, credentials []flow.Field) (h heard, again bool) {
	f, req, err := a.call.request(ctx, a, s, credentials)
	if err != nil {
		a.judge(s, nil, err)
		return a.failed(err), true
	}
	sent, err := a.call.p.Sender.Open(ctx, f, req, branch(a.call.mark), a.late)
	if err != nil {
		return a.failed(err), true
	}
	a.mu.Lock()
	a.sent, a.by = req, f
	a.mu.Unlock()
	res, rang, err := a.wait(ctx, sent)
	a.judge(s, res, err)
	if err != nil {
		return a.failed(err), !rang && !a.stopped()
	}
	if (res.StatusCode == 401 || res.StatusCode == 407) && credentials == nil && a.to.way != nil && a.to.way.Answer != nil && !a.stopped() {
		if fields, ok := a.to.way.Answer(ctx, req, res); ok {
			return a.try(ctx, s, fields)
		}
	}
	return heard{a: a, res: res, code: res.StatusCode}, res.StatusCode == 503 && s.hop != nil || res.StatusCode == 430
}

// judge tells whoever gave the way how a hop did.
func (a *attempt) judge(s step, res *sip.Response, err error) {
	if s.hop != nil && a.to.way != nil && a.to.way.Heard != nil && !a.stopped() {
		a.to.way.Heard(*s.hop, res, err)
	}
}

// failed is what an error comes to (RFC 3261 section 16.9): 503 for a way that
// is shut, which goes out as 500; 480 for a phone whose flow is gone; 408 for
// silence.
func (a *attempt) failed(err error) heard {
	h := heard{a: a, code: 408}
	switch {
	case a.stopped():
		h.code = 487
	case errors.Is(err, flow.ErrTimeout):
	case errors.Is(err, flow.ErrNoWay):
		h.code = 503
	case errors.Is(err, flow.ErrUnsafe):
		h.code = 500
	case errors.Is(err, flow.ErrGone), errors.Is(err, flow.ErrElsewhere), errors.Is(err, flow.ErrClosed):
		h.code = 430
	}
	return h
}

// wait relays what comes until the final response. Timer C (RFC 3261 section
// 16.6 step 11) begins anew with each provisional response but 100.
func (a *attempt) wait(ctx context.Context, sent *flow.Pending) (res *sip.Response, rang bool, err error) {
	limit := time.NewTimer(a.call.p.TimerC)
	defer limit.Stop()
	stop, heardAny, expired := a.stop, false, false
	for {
		select {
		case res, ok := <-sent.Responses():
			switch {
			case !ok:
				return nil, rang, sent.Err()
			case !usable(res) && !res.IsProvisional():
				return nil, rang, flow.ErrUnsafe
			case expired && res.StatusCode >= 300: // what a CANCEL of ours led to
				return nil, true, flow.ErrTimeout
			case !res.IsProvisional():
				return res, rang, nil
			}
			heardAny = true
			if res.StatusCode > 100 && usable(res) {
				rang = true
				limit.Reset(a.call.p.TimerC)
				a.call.tell(heard{a: a, res: res, code: res.StatusCode})
			}
		case <-stop:
			stop = nil
			sent.Cancel(a.reason)
			limit.Reset(flow.Timeout) // before any response there is no CANCEL, and the INVITE has its own end
		case <-limit.C:
			if stop == nil || !heardAny {
				sent.Terminate()
				continue
			}
			stop, expired = nil, true
			sent.Cancel("")
			limit.Reset(flow.Timeout + time.Second)
		case <-ctx.Done():
			sent.Terminate()
			return nil, rang, flow.ErrEnded
		}
	}
}

// late takes the 2xx after the first: the winner's are relayed, since its phone
// has not seen the ACK yet or another one has answered behind a proxy further on
// (RFC 6026 section 7.2); one that was turned down is acknowledged again.
func (a *attempt) late(res *sip.Response) {
	if !usable(res) {
		return
	}
	a.mu.Lock()
	shed := a.shed[toTag(res)]
	a.mu.Unlock()
	if shed {
		a.acknowledge(res)
		return
	}
	a.call.relayLate(a, res)
}
