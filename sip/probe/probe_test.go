package probe

import (
	"context"
	"errors"
	"testing"

	"github.com/emiago/sipgo/sip"

	"perch/sip/calls"
	"perch/sip/flow"
	"perch/sip/location"
)

// phone answers with a status, or with an error.
type phone struct {
	status int
	err    error
	got    *sip.Request
}

func (p *phone) Send(_ context.Context, _ location.Flow, req *sip.Request) (*sip.Response, error) {
	p.got = req
	if p.err != nil {
		return nil, p.err
	}
	return sip.NewResponse(p.status, ""), nil
}

func TestProbe(t *testing.T) {
	at := calls.Leg{Tag: "b", End: calls.End{
		Flow: location.Flow{Node: "n1", Transport: "udp", Remote: "192.0.2.7:5060"}, Target: "sip:x@192.0.2.7", From: "sip:1002@acme.test",
	}}
	other := calls.Leg{Tag: "a", End: calls.End{From: "sip:1001@acme.test", CSeq: 7}}
	for name, tc := range map[string]struct {
		phone phone
		want  calls.Verdict
	}{
		"knows it":                     {phone{status: 200}, calls.Alive},
		"knows it, the number is old":  {phone{status: 500}, calls.Alive},
		"knows no OPTIONS":             {phone{status: 405}, calls.Alive},
		"knows nothing of it":          {phone{status: 481}, calls.Forgotten},
		"silent":                       {phone{err: flow.ErrTimeout}, calls.Forgotten},
		"its connection is gone":       {phone{err: flow.ErrGone}, calls.Unknown},
		"something else is wrong here": {phone{err: errors.New("x")}, calls.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			p := tc.phone
			if got := (Prober{Node: "n1", Sender: &p}).Probe(t.Context(), "c", at, other); got != tc.want {
				t.Errorf("got %v", got)
			}
			if p.got.CSeq().SeqNo != 7 || p.got.To().Value() != "<sip:1002@acme.test>;tag=b" || p.got.From().Value() != "<sip:1001@acme.test>;tag=a" {
				t.Errorf("sent %s", p.got)
			}
		})
	}
}

func TestNothingToAsk(t *testing.T) {
	p := &phone{status: 481}
	for name, leg := range map[string]calls.Leg{
		"another node":  {Tag: "b", End: calls.End{Flow: location.Flow{Node: "n2"}, Target: "sip:x@192.0.2.7"}},
		"no target":     {Tag: "b", End: calls.End{Flow: location.Flow{Node: "n1"}}},
		"hostile text":  {Tag: "b", End: calls.End{Flow: location.Flow{Node: "n1"}, Target: "sip:x@192.0.2.7\r\nX: y"}},
		"no tag of its": {End: calls.End{Flow: location.Flow{Node: "n1"}, Target: "sip:x@192.0.2.7"}},
	} {
		if got := (Prober{Node: "n1", Sender: p}).Probe(t.Context(), "c", leg, calls.Leg{Tag: "a"}); got != calls.Unknown || p.got != nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}
