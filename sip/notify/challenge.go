package notify

import (
	"context"
	"crypto/rand"

	"github.com/emiago/sipgo/sip"

	"perch/hotdesk/directory"
	"perch/sip/digest"
	"perch/sip/flow"
	"perch/sip/location"
)

// account is what answers a phone's challenge.
type account interface {
	// credentials are those that the phone itself uses with us.
	credentials(ctx context.Context) (username string, password directory.Secret, err error)
	// next gives the number for the request when it is sent again.
	next(ctx context.Context) (cseq uint32, err error)
}

// exchange sends a request and answers one challenge: the same request with the
// next CSeq, credentials and a new branch (RFC 3261 section 22.2). The phone
// chooses the realm. A second challenge, or one that cannot be answered, is the
// final response. With an error there may be a response, the challenge: then the
// request did reach the phone once.
func (n *Notifier) exchange(ctx context.Context, f location.Flow, d flow.Draft, who account) (*sip.Response, error) {
	res, err := n.send(ctx, f, d)
	if err != nil || res.StatusCode != sip.StatusUnauthorized && res.StatusCode != sip.StatusProxyAuthRequired {
		return res, err
	}
	field, ok, err := answer(ctx, res, d, who)
	if err != nil || !ok {
		return res, err
	}
	if d.CSeq, err = who.next(ctx); err != nil {
		return res, err
	}
	d.Headers = append(d.Headers[:len(d.Headers):len(d.Headers)], field)
	second, err := n.send(ctx, f, d)
	if err != nil {
		return res, err
	}
	return second, nil
}

func (n *Notifier) send(ctx context.Context, f location.Flow, d flow.Draft) (*sip.Response, error) {
	req, err := d.Build()
	if err != nil {
		return nil, err
	}
	return n.Flows.Send(ctx, f, req)
}

// answer makes the credentials for the best of the response's challenges; ok is
// false when there is none that can be answered.
func answer(ctx context.Context, res *sip.Response, d flow.Draft, who account) (_ flow.Field, ok bool, err error) {
	ask, reply := "WWW-Authenticate", "Authorization"
	if res.StatusCode == sip.StatusProxyAuthRequired {
		ask, reply = "Proxy-Authenticate", "Proxy-Authorization"
	}
	var values []string
	for _, h := range res.GetHeaders(ask) {
		values = append(values, h.Value())
	}
	ch, err := digest.Choose(digest.ParseChallenges(values))
	if err != nil {
		return flow.Field{}, false, nil
	}
	username, password, err := who.credentials(ctx)
	if err != nil {
		return flow.Field{}, false, err
	}
	c, err := digest.Answer(ch, username, password.Reveal(), d.Method, d.URI, 1, rand.Text())
	if err != nil {
		return flow.Field{}, false, nil
	}
	return flow.Field{Name: reply, Value: c.String()}, true, nil
}
