package upstream

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/emiago/sipgo/sip"

	"perch/hotdesk/directory"
	"perch/sip/digest"
	"perch/sip/flow"
	"perch/sip/location"
)

// Client sends requests of ours to upstreams.
type Client struct {
	Resolver Resolver
	Sender   Sender
	Health   *Health
	Now      func() time.Time
	// Changed is told of a hop that went down or came up; must not block.
	Changed func(hop flow.Hop, up bool, why string)
}

// Hops gives the next hops of an upstream's URI, in the order in which they are
// to be tried; all, see Health.Order. The errors are resolve's.
func (c *Client) Hops(ctx context.Context, uri string, all bool) ([]flow.Hop, error) {
	found, err := c.Resolver.Resolve(ctx, uri)
	if err != nil {
		return nil, fmt.Errorf("upstream: %w", err)
	}
	hops := make([]flow.Hop, len(found))
	for i, h := range found {
		hops[i] = hopOf(h)
	}
	return c.Health.Order(hops, all, c.Now()), nil
}

// perHop bounds the wait for one hop: longer than a PBX takes, shorter than what
// RFC 3261 gives a transaction, since there may be another hop.
const perHop = 8 * time.Second

// once sends one request to one hop and notes how that went.
func (c *Client) once(ctx context.Context, hop flow.Hop, f location.Flow, req *sip.Request) (*sip.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, perHop)
	defer cancel()
	begun := c.Now()
	res, err := c.Sender.Send(ctx, f, req)
	c.note(hop, res, err, c.Now().Sub(begun))
	return res, err
}

// note tells Health. 503 is a hop that cannot; 408 is one whose own next hop is
// silent: both are a reason to try another.
func (c *Client) note(hop flow.Hop, res *sip.Response, err error, took time.Duration) {
	switch {
	case err != nil && errors.Is(err, context.Canceled):
	case err != nil:
		why := "unreachable"
		if errors.Is(err, flow.ErrTimeout) || errors.Is(err, context.DeadlineExceeded) {
			why = "silent"
		}
		c.failed(hop, why, 0)
	case res.StatusCode == sip.StatusServiceUnavailable:
		c.failed(hop, "unavailable", retryAfter(res, maxHoldOff))
	default:
		if c.Health.Answered(hop, took, c.Now()) && c.Changed != nil {
			c.Changed(hop, true, "")
		}
	}
}

func (c *Client) failed(hop flow.Hop, why string, after time.Duration) {
	if c.Health.Failed(hop, why, after, c.Now()) && c.Changed != nil {
		c.Changed(hop, false, why)
	}
}

// account answers challenges: the extension's at the PBX.
type account struct {
	username string
	password directory.Secret
	has      bool
}

// answers are the header fields that answer a 401 or 407 to a request of a
// method and Request-URI; false: there is nothing to answer with, or nothing
// that can be answered (RFC 3261 section 22.3).
func (a account) answers(res *sip.Response, method, uri string) (flow.Field, bool) {
	ask, reply := "WWW-Authenticate", "Authorization"
	if res.StatusCode == sip.StatusProxyAuthRequired {
		ask, reply = "Proxy-Authenticate", "Proxy-Authorization"
	}
	var values []string
	for _, h := range res.GetHeaders(ask) {
		values = append(values, h.Value())
	}
	ch, err := digest.Choose(digest.ParseChallenges(values))
	if err != nil || !a.has {
		return flow.Field{}, false
	}
	creds, err := digest.Answer(ch, a.username, a.password.Reveal(), method, uri, 1, rand.Text())
	if err != nil {
		return flow.Field{}, false
	}
	return flow.Field{Name: reply, Value: creds.String()}, true
}

// stale tells a challenge that finds the password right and the nonce old.
func stale(res *sip.Response) bool {
	var values []string
	for _, h := range append(res.GetHeaders("WWW-Authenticate"), res.GetHeaders("Proxy-Authenticate")...) {
		values = append(values, h.Value())
	}
	for _, ch := range digest.ParseChallenges(values) {
		if ch.Stale {
			return true
		}
	}
	return false
}

// isChallenge tells 401 and 407.
func isChallenge(res *sip.Response) bool {
	return res.StatusCode == sip.StatusUnauthorized || res.StatusCode == sip.StatusProxyAuthRequired
}
