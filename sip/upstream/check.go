package upstream

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"perch/sip/flow"
)

// errUnavailable says that a hop has answered 503.
var errUnavailable = errors.New("upstream: the next hop is unavailable")

// Check asks one hop of an upstream whether it is there, by OPTIONS (RFC 3261
// section 11). Whatever it answers, but 503, it is. Health hears of it.
func (c *Client) Check(ctx context.Context, hop flow.Hop, uri string) error {
	at, err := parsePBX(uri)
	if err != nil {
		return err
	}
	f, err := c.Sender.Reach(ctx, hop, 0)
	if err != nil {
		if ctx.Err() == nil {
			c.note(hop, nil, err, 0)
		}
		return fmt.Errorf("upstream: check: %w", err)
	}
	contact := c.Sender.Contact(f, "perch")
	req, err := flow.Draft{
		Method: "OPTIONS", URI: at.registrar() + at.params, From: "<" + contact + ">;tag=" + rand.Text()[:12], To: "<" + at.registrar() + ">",
		CallID: rand.Text(), CSeq: 1, Contact: "<" + contact + ">",
		Headers: []flow.Field{{Name: "Accept", Value: "application/sdp"}, {Name: "User-Agent", Value: "Perch"}},
	}.Build()
	if err != nil {
		return fmt.Errorf("upstream: check: %w", err)
	}
	res, err := c.once(ctx, hop, f, req)
	if err != nil {
		return fmt.Errorf("upstream: check: %w", err)
	}
	if res.StatusCode == 503 {
		return errUnavailable
	}
	return nil
}
