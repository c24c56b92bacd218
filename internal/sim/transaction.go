package sim

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/emiago/sipgo/sip"
)

// errTimeout is timer B or F of RFC 3261 section 17.1.
var errTimeout = errors.New("sim: no final response")

// clientTx is one request under way. Responses arrive on ch, which has room
// for a burst; a full channel drops provisional answers, never blocks a reader.
type clientTx struct {
	ch     chan *sip.Response
	method string
	ack    []byte // ACK for a final answer other than 2xx, sent again with each copy
	link   link
	dst    netip.AddrPort
}

// txKey names a client transaction by branch and method (RFC 3261 section 17.1.3).
type txKey struct{ branch, method string }

func newBranch() string { return "z9hG4bK" + token(10) }

func (p *Phone) openTx(k txKey, l link, dst netip.AddrPort) *clientTx {
	tx := &clientTx{ch: make(chan *sip.Response, 16), method: k.method, link: l, dst: dst}
	p.mu.Lock()
	p.clients[k] = tx
	p.mu.Unlock()
	return tx
}

func (p *Phone) closeTx(k txKey) {
	p.mu.Lock()
	delete(p.clients, k)
	p.mu.Unlock()
}

// roundTrip sends a request other than INVITE and ACK and waits for its final
// response: the non-INVITE client transaction of RFC 3261 section 17.1.2, with
// timers E and F.
func (p *Phone) roundTrip(ctx context.Context, req *request, branch string, l link, dst netip.AddrPort) (*sip.Response, error) {
	k := txKey{branch, req.method}
	tx := p.openTx(k, l, dst)
	defer p.closeTx(k)
	msg := req.encode(l.proto(), l.local(), k.branch, p.sipAgent())
	if err := l.send(msg, dst); err != nil {
		return nil, err
	}
	t1, t2 := p.opt.T1, 8*p.opt.T1
	interval := t1
	timerE := newTimer(interval, l.proto() == "udp")
	defer timerE.Stop()
	timerF := time.NewTimer(64 * t1)
	defer timerF.Stop()
	for {
		select {
		case res := <-tx.ch:
			if !res.IsProvisional() {
				return res, nil
			}
			interval = t2
		case <-timerE.C:
			interval = min(2*interval, t2)
			timerE.Reset(interval)
			if err := l.send(msg, dst); err != nil {
				return nil, err
			}
		case <-timerF.C:
			return nil, errTimeout
		case <-l.down():
			return nil, errTimeout
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// newTimer gives a timer that never fires when it is not wanted.
func newTimer(d time.Duration, wanted bool) *time.Timer {
	t := time.NewTimer(d)
	if !wanted {
		t.Stop()
	}
	return t
}

// onResponse hands a response to its transaction. One that has none left is
// the copy of a 2xx to INVITE, which the call answers with its ACK again.
func (p *Phone) onResponse(res *sip.Response) {
	via, cseq := res.Via(), res.CSeq()
	if via == nil || cseq == nil {
		return
	}
	branch, _ := param(via.Params, "branch")
	p.mu.Lock()
	tx := p.clients[txKey{branch, string(cseq.MethodName)}]
	var ack []byte
	if tx != nil {
		ack = tx.ack
	}
	p.mu.Unlock()
	if tx == nil {
		p.ackAgain(res)
		return
	}
	if ack != nil {
		_ = tx.link.send(ack, tx.dst) // section 17.1.1.2: again for each copy
		return
	}
	select {
	case tx.ch <- res:
	default:
	}
}

// serverTx is a request that was answered; a copy gets the same answer
// (RFC 3261 section 17.2.2) until timer J.
type serverTx struct {
	answer  []byte
	expires time.Time
}

// maxServerTx bounds the answers a phone remembers.
const maxServerTx = 256

// remembered gives the answer to a copy of a request.
func (p *Phone) remembered(key string) ([]byte, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	tx, ok := p.servers[key]
	return tx.answer, ok
}

// remember keeps an answer, and forgets those past timer J.
func (p *Phone) remember(key string, answer []byte) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	for k, tx := range p.servers {
		if now.After(tx.expires) || len(p.servers) >= maxServerTx {
			delete(p.servers, k)
		}
	}
	p.servers[key] = serverTx{answer, now.Add(64 * p.opt.T1)}
}
