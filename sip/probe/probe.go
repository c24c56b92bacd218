// Package probe asks a phone whether it still knows a call, by an OPTIONS inside
// the dialog and through the flow that the phone uses. It knows no record of
// calls and decides nothing. It promises not to disturb the call: its CSeq is
// one that the phone has seen already.
package probe

import (
	"context"
	"errors"
	"time"

	"github.com/emiago/sipgo/sip"

	"perch/sip/calls"
	"perch/sip/flow"
	"perch/sip/location"
)

// Sender sends by the flow that a phone uses; flow.Sender does.
type Sender interface {
	Send(ctx context.Context, f location.Flow, req *sip.Request) (*sip.Response, error)
}

// Prober is a calls.Prober.
type Prober struct {
	Node   string
	Sender Sender
}

// timeout is how long a phone may take: timer F (RFC 3261 section 17.1.2.2)
// with time to spare within calls.Probing.
const timeout = 20 * time.Second

// Probe asks the phone at one end. An OPTIONS whose CSeq is no news is answered
// 500 by a phone that knows the dialog and 481 by one that does not (RFC 3261
// section 12.2.2), so that every answer but 481 and 408 means that the call is
// there. Silence is no answer.
func (p Prober) Probe(ctx context.Context, callID string, at, other calls.Leg) calls.Verdict {
	if at.End.Flow.Node != p.Node || at.End.Target == "" || at.Tag == "" || other.Tag == "" {
		return calls.Unknown
	}
	req, err := flow.Draft{
		Method: "OPTIONS", URI: at.End.Target, CallID: callID, CSeq: other.End.CSeq,
		From: party(other), To: party(at),
		Headers: []flow.Field{{Name: "Accept", Value: "application/sdp"}},
	}.Build()
	if err != nil {
		return calls.Unknown
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	res, err := p.Sender.Send(ctx, at.End.Flow, req)
	switch {
	case errors.Is(err, flow.ErrTimeout), errors.Is(err, context.DeadlineExceeded):
		return calls.Forgotten
	case err != nil:
		return calls.Unknown
	case res.StatusCode == 481, res.StatusCode == 408:
		return calls.Forgotten
	}
	return calls.Alive
}

func party(l calls.Leg) string {
	uri := l.End.From
	if uri == "" {
		uri = l.Party.URI
	}
	return "<" + uri + ">;tag=" + l.Tag
}
