package proxy

import (
	"context"
	"slices"

	"github.com/emiago/sipgo/sip"

	"perch/sip/dialog"
	"perch/sip/flow"
	"perch/sip/location"
)

// turnDown ends a call that somebody answered who was not to: after another
// phone, or after the caller has given up. RFC 3261 section 16.7 would relay the
// 2xx for the caller to end it; phones are known to ignore a second one, and who
// got a 487 knows of no call any more. So it is acknowledged and ended here.
func (a *attempt) turnDown(res *sip.Response) {
	a.mu.Lock()
	if a.shed == nil {
		a.shed = map[string]bool{}
	}
	again := a.shed[toTag(res)]
	a.shed[toTag(res)] = true
	a.mu.Unlock()
	a.acknowledge(res)
	if again {
		return
	}
	a.call.p.work(func() {
		d, f, err := a.dialog(res)
		if err != nil {
			return
		}
		bye, err := draft("BYE", d.Next(), d.LocalCSeq)
		if err != nil {
			return
		}
		ctx, cancel := context.WithTimeout(a.call.p.ending, flow.Timeout)
		defer cancel()
		_, _ = a.call.p.Sender.Forward(ctx, f, bye, flow.NewBranch("")) // its answer changes nothing
	})
}

// acknowledge sends the ACK of a 2xx that nobody else acknowledges.
func (a *attempt) acknowledge(res *sip.Response) {
	d, f, err := a.dialog(res)
	if err != nil {
		return
	}
	ack, err := draft("ACK", d.Current(), a.sent.CSeq().SeqNo)
	if err != nil {
		return
	}
	_ = a.call.p.Sender.Pass(f, ack, flow.NewBranch("")) // the phone repeats its 2xx otherwise
}

// dialog is the dialog of a 2xx as the caller would have it, from here on: the
// routes up to our own are left out.
func (a *attempt) dialog(res *sip.Response) (dialog.Dialog, location.Flow, error) {
	a.mu.Lock()
	req, f := a.sent, a.by
	a.mu.Unlock()
	m := dialog.Message{RequestURI: req.Recipient.String(), CallID: req.CallID().Value(), From: req.From().Value(), To: req.To().Value(), CSeq: req.CSeq().SeqNo}
	got := m
	got.To = res.To().Value()
	if h := res.GetHeader("contact"); h != nil {
		got.Contact = h.Value()
	}
	got.RecordRoute = a.call.beyond(values(res, "record-route"))
	d, err := dialog.NewUAC(m, got)
	return d, f, err
}

// beyond gives the Record-Route values of proxies further on than we are, which
// stand above ours.
func (c *call) beyond(fields []string) []string {
	all, _, err := location.ParsePath(fields)
	if err != nil {
		return nil
	}
	i := slices.IndexFunc(all, func(v string) bool {
		_, ours := c.p.sealer.opened(uriOf(v), c.r.CallID())
		return ours
	})
	if i < 0 {
		return nil
	}
	return all[:i]
}

// draft writes a request of ours inside a dialog.
func draft(method string, d dialog.Request, cseq uint32) (*sip.Request, error) {
	return flow.Draft{
		Method: method, URI: d.RequestURI, Routes: d.Routes, From: d.From, To: d.To, CallID: d.CallID, CSeq: cseq,
	}.Build()
}
