package feature

import (
	"context"
	"errors"
	"time"

	"github.com/emiago/sipgo/sip"

	"perch/sip/dialog"
	"perch/sip/handler"
)

// Trusts tells whether a request needs no authentication: it belongs to a call
// of ours and came by the flow of that call, or it says that it belongs to a
// call which does not exist, and gets 481 whoever sent it.
func (s *Service) Trusts(r *handler.Request) bool {
	if r.ToTag() == "" {
		return false
	}
	c := s.find(r)
	return c == nil || handler.SameFlow(c.flow, r.Flow)
}

// Ack takes the ACK of a 200. The tags are the proof that it belongs to the
// call: an ACK cannot be challenged (RFC 3261 section 22.1). Others are
// ignored.
func (s *Service) Ack(_ context.Context, r *handler.Request) error {
	c, cseq := s.find(r), r.SIP.CSeq()
	if c == nil || cseq == nil {
		return nil
	}
	body, err := offerOf(r.SIP)
	if err != nil {
		body = nil // no description of a session: as good as none
	}
	c.acknowledge(cseq.SeqNo, body)
	return nil
}

// Bye answers a BYE: 481 when there is no such call. Where ours has crossed it,
// this is the end of the call all the same.
func (s *Service) Bye(_ context.Context, r *handler.Request) error {
	c, err := s.belongs(r)
	if err != nil {
		return err
	}
	if err := c.hungUp(r.SIP.CSeq().SeqNo); err != nil {
		return err
	}
	defer c.gone()
	defer c.stop()
	return r.Respond(sip.StatusOK, "")
}

// belongs finds the call of a request. One that came another way than the
// call's must have been authenticated as the caller.
func (s *Service) belongs(r *handler.Request) (*call, error) {
	c := s.find(r)
	if c == nil {
		return nil, handler.Refuse(sip.StatusCallTransactionDoesNotExists, "no_dialog")
	}
	if !handler.SameFlow(c.flow, r.Flow) && (r.Identity.Kind == "" || caller(r.Identity) != c.who) {
		return nil, handler.Refuse(sip.StatusForbidden, "foreign_dialog")
	}
	return c, nil
}

// hungUp takes a BYE's place in the dialog: 500 when a later request came
// before it (RFC 3261 section 12.2.2).
func (c *call) hungUp(cseq uint32) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.dlg.Receive(cseq); err != nil {
		return status(err)
	}
	c.over = true
	return nil
}

// reinvite changes a call that is up (RFC 3261 section 14.2): hold, another
// address, another codec. What it cannot change stays as it was.
func (s *Service) reinvite(r *handler.Request) error {
	c, err := s.belongs(r)
	if err != nil {
		return err
	}
	ack, err := c.renew(r)
	if err != nil {
		return err
	}
	defer c.unexpectAck(r)
	res, err := c.ok(r)
	if err != nil {
		return err
	}
	if err := r.Send(res); err != nil {
		return err
	}
	if !c.confirm(r, res, ack) {
		c.stop() // RFC 3261 section 14.2: without its ACK the call is ended
	}
	return nil
}

const (
	// again is when a phone may try a change that came out of order (RFC 3261
	// section 14.2).
	again = time.Second
	// changes bounds the INVITEs of one call whose ACK is outstanding. More than
	// one is common: an ACK and the next INVITE may overtake each other.
	changes = 3
)

// renew takes a re-INVITE's place in the dialog.
func (c *call) renew(r *handler.Request) (<-chan []byte, error) {
	if err := unsupported(r); err != nil {
		return nil, err
	}
	cseq := r.SIP.CSeq().SeqNo
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return nil, handler.Refuse(sip.StatusCallTransactionDoesNotExists, "no_dialog")
	}
	if cseq <= c.dlg.RemoteCSeq || len(c.acks) >= changes {
		return nil, &handler.Status{Code: sip.StatusInternalServerError, RetryAfter: again, Why: "out_of_order"}
	}
	if err := c.dlg.Receive(cseq); err != nil {
		return nil, status(err)
	}
	if contact := r.Header("Contact"); contact != "" {
		if err := c.dlg.Refresh(contact); err != nil {
			return nil, status(err)
		}
	}
	ack := make(chan []byte, 1)
	c.acks[cseq] = ack
	return ack, nil
}

// unexpectAck forgets an INVITE that is over.
func (c *call) unexpectAck(r *handler.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.acks, r.SIP.CSeq().SeqNo)
}

// status is the table from the errors of a dialog to responses.
func status(err error) error {
	switch {
	case errors.Is(err, dialog.ErrOutOfOrder):
		return &handler.Status{Code: sip.StatusInternalServerError, Why: "out_of_order", Err: err}
	case errors.Is(err, dialog.ErrMalformed):
		return &handler.Status{Code: sip.StatusBadRequest, Why: "malformed", Err: err}
	}
	return err
}
