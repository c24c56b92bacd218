package sim

import (
	"context"
	"time"

	"github.com/emiago/sipgo/sip"
)

// invite is the INVITE client transaction of RFC 3261 section 17.1.1 over the
// call's link, with CANCEL (section 9.1): when ctx ends or the option says so
// it is sent as soon as a provisional response allows it.
func (c *call) invite(ctx, root context.Context, req *request) (*sip.Response, error) {
	p, k := c.p, txKey{newBranch(), "INVITE"}
	tx := p.openTx(k, c.link, c.dst)
	msg := req.encode(c.link.proto(), c.link.local(), k.branch, p.sipAgent())
	if err := c.link.send(msg, c.dst); err != nil {
		p.closeTx(k)
		return nil, err
	}
	interval := p.opt.T1
	timerA := newTimer(interval, c.link.proto() == "udp")
	defer timerA.Stop()
	timerB := time.NewTimer(64 * p.opt.T1)
	defer timerB.Stop()
	cancelAt := newTimer(c.opt.CancelAfter, c.opt.CancelAfter > 0)
	defer cancelAt.Stop()
	quit, stop := ctx.Done(), c.stop
	provisional, wanted, cancelled := false, false, false
	for {
		if wanted && provisional && !cancelled {
			cancelled = true
			p.spawn(func() { c.cancel(root, req, k.branch) })
			timerB.Reset(64 * p.opt.T1) // section 9.1: not for ever
		}
		select {
		case res := <-tx.ch:
			timerA.Stop()
			if res.IsProvisional() {
				if !provisional && !wanted {
					timerB.Stop()
				}
				provisional = true
				continue
			}
			if res.IsSuccess() {
				p.closeTx(k)
				c.opt.HangUpAtOnce = c.opt.HangUpAtOnce || wanted // the answer crossed our CANCEL
			} else {
				c.ackRefusal(k, tx, req, res)
			}
			return res, nil
		case <-timerA.C:
			interval *= 2
			timerA.Reset(interval)
			_ = c.link.send(msg, c.dst)
		case <-cancelAt.C:
			wanted = true
		case <-stop:
			stop, wanted = nil, true
		case <-quit:
			quit, wanted = nil, true
		case <-timerB.C:
			p.closeTx(k)
			return nil, errTimeout
		case <-c.link.down():
			p.closeTx(k)
			return nil, errTimeout
		case <-root.Done():
			p.closeTx(k)
			return nil, context.Cause(root)
		}
	}
}

// ackRefusal acknowledges a final response other than 2xx within the
// transaction, which stays for copies until timer D.
func (c *call) ackRefusal(k txKey, tx *clientTx, req *request, res *sip.Response) {
	ack := &request{method: "ACK", uri: req.uri, from: req.from, to: req.to, callID: req.callID, cseq: req.cseq, routes: req.routes}
	if to := res.To(); to != nil {
		if tag, ok := param(to.Params, "tag"); ok {
			ack.to += ";tag=" + tag
		}
	}
	msg := ack.encode(c.link.proto(), c.link.local(), k.branch, c.p.sipAgent())
	c.p.mu.Lock()
	tx.ack = msg
	c.p.mu.Unlock()
	_ = c.link.send(msg, c.dst)
	if c.link.proto() != "udp" {
		c.p.closeTx(k)
		return
	}
	time.AfterFunc(64*c.p.opt.T1, func() { c.p.closeTx(k) })
}

// cancel sends the CANCEL of an INVITE: its branch, its CSeq number.
func (c *call) cancel(ctx context.Context, req *request, branch string) {
	cancel := &request{method: "CANCEL", uri: req.uri, from: req.from, to: req.to, callID: req.callID, cseq: req.cseq, routes: req.routes}
	_, _ = c.p.roundTrip(ctx, cancel, branch, c.link, c.dst)
}
