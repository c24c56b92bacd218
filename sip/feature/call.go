package feature

import (
	"context"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"perch/metrics"
	"perch/sip/dialog"
	"perch/sip/flow"
	"perch/sip/handler"
	"perch/sip/location"
)

// call is one answered call. The handler of its INVITE runs it; handlers of
// later requests act on it through the methods that lock.
type call struct {
	s     *Service
	id    dialog.ID
	who   string
	flow  location.Flow
	voice *voice

	talk context.Context // ends when the call shall end, whoever wants it
	stop context.CancelFunc
	here context.Context // ends when the phone's BYE has had its answer
	gone context.CancelFunc

	mu   sync.Mutex
	dlg  dialog.Dialog
	over bool                   // a BYE was sent or has come
	acks map[uint32]chan []byte // of 2xx that wait for one, by CSeq
}

func newCall(s *Service, r *handler.Request, dlg dialog.Dialog, v *voice) *call {
	c := &call{
		s: s, id: dlg.ID, who: caller(r.Identity), flow: r.Flow, voice: v,
		dlg: dlg, acks: map[uint32]chan []byte{},
	}
	c.talk, c.stop = context.WithCancel(s.talking)
	c.here, c.gone = context.WithCancel(s.leaving)
	return c
}

func (c *call) close() {
	c.stop()
	c.gone()
	c.voice.close()
}

// ok builds the 200 of an INVITE with our session description.
func (c *call) ok(r *handler.Request) (*sip.Response, error) {
	contact := c.s.Sender.Contact(c.flow, user)
	if contact == "" {
		return nil, flow.ErrGone // the listener has closed
	}
	offer, err := offerOf(r.SIP)
	if err != nil {
		return nil, err
	}
	body, err := c.voice.answer(offer)
	if err != nil {
		return nil, err
	}
	res := r.Response(sip.StatusOK, "",
		handler.Header("Contact", "<"+contact+">"),
		handler.Header("Allow", allowed), handler.Header("Content-Type", sdpType))
	res.SetBody(body)
	return res, nil
}

// run does what was dialled while the 200 is being acknowledged, or asks for
// what was not dialled, says how it went, and hangs up.
//
// The context of the INVITE's handler matters until the ACK: it ends with the
// transaction, 32 seconds after the 200, and a conversation may last longer.
func (c *call) run(ctx context.Context, r *handler.Request, res *sip.Response, ack <-chan []byte, d Dialled) (a answer) {
	release := c.bounded(c.s.Patience.Whole)
	defer release()
	var first chan answer
	var acting sync.WaitGroup
	id, at := r.Identity, r.Received
	if d.whole() || !id.HasDevice() || !c.s.speaks(id) {
		first = make(chan answer, 1)
		acting.Go(func() { first <- c.s.act(id, at, d) })
	}
	defer acting.Wait()
	lost := context.AfterFunc(ctx, c.stop)
	confirmed := c.confirm(r, res, ack)
	if lost() && confirmed {
		c.voice.speak()
		a = c.converse(id).run(d, first)
	} else if first != nil {
		a = <-first
	} else {
		a = answer{why: metrics.FeatureAbandoned}
	}
	c.bye()
	return a
}

// confirm sends the 200 again until its ACK has come, over every transport
// (RFC 3261 section 13.3.1.4). It is false when none came in time or the call
// ended, or when the ACK lacks the answer to our offer: then there is nothing
// to do but to hang up.
func (c *call) confirm(r *handler.Request, res *sip.Response, ack <-chan []byte) bool {
	limit := time.NewTimer(64 * c.s.T1)
	defer limit.Stop()
	defer c.unexpectAck(r)
	wait := c.s.T1
	again := time.NewTimer(wait)
	defer again.Stop()
	for {
		select {
		case body := <-ack:
			return c.agreed(r, body)
		case req := <-r.Tx.Acks(): // with the INVITE's own branch, as before RFC 3261
			return c.agreed(r, req.Body())
		case <-again.C:
			_ = r.Tx.Respond(res) // lost like any datagram, or the limit tells
			wait = min(2*wait, c.s.T2)
			again.Reset(wait)
		case <-limit.C:
			return false
		case <-c.talk.Done():
			return false
		}
	}
}

// agreed takes the answer out of an ACK where we made the offer.
func (c *call) agreed(r *handler.Request, body []byte) bool {
	return len(r.SIP.Body()) > 0 || c.voice.answered(body) == nil
}

// expectAck says where the ACK of this INVITE will arrive.
func (c *call) expectAck(r *handler.Request) <-chan []byte {
	ack := make(chan []byte, 1)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.acks[r.SIP.CSeq().SeqNo] = ack
	return ack
}

// acknowledge passes an ACK on to whoever waits for it; further ones are
// retransmissions.
func (c *call) acknowledge(cseq uint32, body []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ack, ok := c.acks[cseq]; ok {
		delete(c.acks, cseq)
		ack <- body
	}
}

// bye ends the call: it sends our BYE in the dialog and waits for its final
// response, whatever that says, or for the answer to the phone's BYE when the
// phone was first.
func (c *call) bye() {
	c.mu.Lock()
	if c.over {
		c.mu.Unlock()
		<-c.here.Done()
		return
	}
	c.over = true
	next := c.dlg.Next()
	c.mu.Unlock()
	req, err := flow.Draft{
		Method: "BYE", URI: next.RequestURI, Routes: next.Routes, From: next.From, To: next.To,
		CallID: next.CallID, CSeq: next.CSeq,
	}.Build()
	if err == nil {
		_, err = c.s.Sender.Send(c.here, c.flow, req)
	}
	if err != nil && c.here.Err() == nil {
		// The phone has gone, or its answer; its own timers end the call there.
		c.s.Log.DebugContext(c.here, "BYE of a feature code call was not answered", "device", c.who, "err", err)
	}
}
