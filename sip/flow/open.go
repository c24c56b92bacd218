package flow

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"perch/sip/location"
)

// Pending is an INVITE that was sent and has no final response yet. Its
// responses are read from Responses until that is closed; what nobody reads in
// time is lost, provisional responses only. Safe for use by several goroutines.
type Pending struct {
	sender *Sender
	e      Endpoint
	flow   location.Flow
	req    *sip.Request
	tx     *sip.ClientTx

	out    chan *sip.Response
	asked  chan struct{} // closed by Cancel
	quit   chan struct{} // closed by Terminate
	once   [2]sync.Once
	reason string // of the CANCEL; written before asked is closed
	err    error  // written before out is closed
}

// provisional is how many provisional responses may wait to be read.
const provisional = 16

// Open sends an INVITE by a flow, below a Via of ours with the branch given;
// Via values that it has stay. late, which may be nil, is given every 2xx after
// the first: repetitions, and those of other branches further on (RFC 6026
// section 8.4). It is called on goroutines of the stack until 32 s after the
// first, and must not block. The errors are Send's; what happens later is told
// by Pending.Err.
func (s *Sender) Open(ctx context.Context, f location.Flow, req *sip.Request, branch string, late func(*sip.Response)) (*Pending, error) {
	e, err := s.prepare(f, req, branch)
	if err != nil {
		return nil, err
	}
	tx, err := e.UA.TransactionLayer().NewClientTransaction(ctx, req)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrGone, err)
	}
	if !owns(tx.Connection(), f) {
		tx.Terminate()
		return nil, ErrGone
	}
	if late != nil {
		tx.OnRetransmission(late)
	}
	if err := tx.Init(); err != nil {
		tx.Terminate()
		return nil, fmt.Errorf("flow: send %s: %w", req.Method, err)
	}
	p := &Pending{
		sender: s, e: e, flow: f, req: req, tx: tx,
		out: make(chan *sip.Response, provisional+1), asked: make(chan struct{}), quit: make(chan struct{}),
	}
	go p.read(doneOf(tx.Connection()))
	return p, nil
}

// Responses gives each response but repetitions; it is closed after the final
// one, or when there will be none.
func (p *Pending) Responses() <-chan *sip.Response { return p.out }

// Err tells why Responses was closed without a final response: ErrTimeout,
// ErrClosed, ErrEnded or the write that failed. Only after Responses is closed.
func (p *Pending) Err() error { return p.err }

// ErrEnded says that Terminate came before the final response.
var ErrEnded = errors.New("flow: given up")

// Cancel has the INVITE cancelled as soon as a provisional response has come
// (RFC 3261 section 9.1). reason is the value of a Reason header (RFC 3326);
// empty: none. The final response still comes, mostly a 487; where it does not
// within 32 s, Err is ErrTimeout. Only the first call counts.
func (p *Pending) Cancel(reason string) {
	p.once[0].Do(func() {
		p.reason = reason
		close(p.asked)
	})
}

// Terminate gives up: nothing more is read, and the transaction forgotten.
func (p *Pending) Terminate() { p.once[1].Do(func() { close(p.quit) }) }

// read is the transaction's one reader: the stack blocks while there is none.
func (p *Pending) read(gone <-chan struct{}) {
	defer close(p.out)
	var (
		heard, cancelled bool
		asked            = p.asked
		limit            <-chan time.Time
	)
	cancel := func() {
		cancelled, limit = true, time.After(Timeout)
		go p.cancel()
	}
	for {
		select {
		case res := <-p.tx.Responses():
			if !res.IsProvisional() {
				p.out <- res // the last place is its own
				return       // the transaction stays, to acknowledge repetitions
			}
			heard = true
			if len(p.out) < provisional {
				p.out <- res
			}
			if asked == nil && !cancelled {
				cancel()
			}
		case <-asked:
			if asked = nil; heard {
				cancel()
			}
		case <-p.tx.Done():
			p.err = p.tx.Err()
			if errors.Is(p.err, sip.ErrTransactionTimeout) {
				p.err = ErrTimeout
			}
			return
		case <-limit:
			p.fail(ErrTimeout)
			return
		case <-gone:
			p.fail(ErrClosed)
			return
		case <-p.quit:
			p.fail(ErrEnded)
			return
		}
	}
}

func (p *Pending) fail(err error) {
	p.err = err
	p.tx.Terminate()
}

// cancel sends the CANCEL, in a transaction of its own by the same way.
func (p *Pending) cancel() {
	req := p.cancelRequest()
	ctx, stop := context.WithTimeout(context.Background(), Timeout)
	defer stop()
	if _, err := p.sender.aim(p.flow, req); err != nil {
		return // the flow is gone, and the call with it
	}
	_, _ = p.sender.exchange(ctx, p.e, p.flow, req) // whatever the answer: the INVITE's own counts
}

// cancelRequest is the CANCEL of RFC 3261 section 9.1: Request-URI, Call-ID, To,
// From, the number of CSeq, Route and the top Via of the INVITE.
func (p *Pending) cancelRequest() *sip.Request {
	req := sip.NewRequest(sip.CANCEL, p.req.Recipient)
	req.AppendHeader(p.req.Via().Clone())
	sip.CopyHeaders("Route", p.req, req)
	hops := sip.MaxForwardsHeader(maxForwards)
	req.AppendHeader(&hops)
	req.AppendHeader(sip.HeaderClone(p.req.From()))
	req.AppendHeader(sip.HeaderClone(p.req.To()))
	req.AppendHeader(sip.HeaderClone(p.req.CallID()))
	req.AppendHeader(&sip.CSeqHeader{SeqNo: p.req.CSeq().SeqNo, MethodName: sip.CANCEL})
	if p.reason != "" {
		req.AppendHeader(sip.NewHeader("Reason", p.reason))
	}
	req.SetBody(nil)
	return req
}
