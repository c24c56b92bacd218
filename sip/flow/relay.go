package flow

import (
	"context"
	"fmt"
	"strings"

	"github.com/emiago/sipgo/sip"

	"perch/sip/location"
)

// Cookie begins every branch of RFC 3261 (section 8.1.1.7).
const Cookie = "z9hG4bK"

// NewBranch gives a branch of our own making; mark, which may be empty, is
// told from it when the request comes back: letters, digits, dots and dashes.
func NewBranch(mark string) string {
	random := strings.TrimPrefix(sip.GenerateBranch(), Cookie)
	return Cookie + mark + strings.TrimPrefix(random, ".")
}

// Forward is Send for a request that came from elsewhere: its Via values stay,
// below ours, which has the branch given. Give the request the headers it shall
// go on with first: its Max-Forwards one lower, no Route that led here. It is
// changed, and not to be sent again.
func (s *Sender) Forward(ctx context.Context, f location.Flow, req *sip.Request, branch string) (*sip.Response, error) {
	e, err := s.prepare(f, req, branch)
	if err != nil {
		return nil, err
	}
	return s.exchange(ctx, e, f, req)
}

// Pass writes a request that has no answer, the ACK of a 2xx, below a Via of
// ours like Forward's.
func (s *Sender) Pass(f location.Flow, req *sip.Request, branch string) error {
	e, err := s.prepare(f, req, branch)
	if err != nil {
		return err
	}
	return s.write(e, f, req)
}

// Answer writes a response by a flow without a transaction: a 2xx to an INVITE
// that comes when its transaction is over (RFC 6026 section 7.1). to is the
// address for UDP, as the transaction's own responses had it; empty: the
// flow's. Our own Via is not in it any more.
func (s *Sender) Answer(f location.Flow, res *sip.Response, to string) error {
	e, err := s.endpoint(f)
	if err != nil {
		return err
	}
	for _, h := range res.Headers() {
		if strings.ContainsAny(h.Value(), "\r\n\x00") {
			return fmt.Errorf("%w: %.40q", ErrUnsafe, h.Name())
		}
	}
	if to == "" {
		to = f.Remote
	}
	res.SetTransport(network(f))
	res.SetDestination(to)
	conn, err := e.UA.TransportLayer().GetConnection(network(f), poolKey(f))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	defer conn.TryClose() //nolint:errcheck // gives back the pool's reference
	if !owns(conn, f) {
		return ErrGone
	}
	if err := conn.WriteMsg(res); err != nil {
		return fmt.Errorf("flow: write a response: %w", err)
	}
	return nil
}
