// Package upstream is Perch's side of the PBX behind a tenant: which next hops
// it has and which of them answer, whom Perch registers there, how a number
// leaves for it and in whose name, and which calls are believed to come from
// it. It answers the PBX's challenges. It knows no media, no dialog and no
// store. It promises that a call which came from an upstream is never sent back
// there, that a password goes to no realm but as a digest, and that a next hop
// which is down is tried last instead of first.
package upstream

import (
	"context"
	"time"

	"github.com/emiago/sipgo/sip"

	"perch/hotdesk/directory"
	"perch/internal/event"
	"perch/sip/flow"
	"perch/sip/location"
	"perch/sip/upstream/resolve"
)

// Resolver finds the next hops of a SIP URI: resolve.Resolver.
type Resolver interface {
	Resolve(ctx context.Context, uri string) ([]resolve.Hop, error)
}

// Sender reaches next hops and sends requests other than INVITE: flow.Sender.
type Sender interface {
	Reach(ctx context.Context, h flow.Hop, size int) (location.Flow, error)
	Send(ctx context.Context, f location.Flow, req *sip.Request) (*sip.Response, error)
	Contact(f location.Flow, user string) string
}

// News writes events.
type News interface {
	Append(ctx context.Context, events ...event.Event) error
}

// Secrets opens passwords: credential.Key.
type Secrets interface {
	UpstreamPassword(e directory.Extension) (directory.Secret, bool, error)
}

// retryAfter reads how long a server wants to be left alone (RFC 3261 section
// 20.33), at most most; 0: it does not say.
func retryAfter(res *sip.Response, most time.Duration) time.Duration {
	h := res.GetHeader("Retry-After")
	if h == nil {
		return 0
	}
	n := 0
	for _, c := range []byte(h.Value()) {
		if c < '0' || c > '9' || n > 1<<20 {
			break
		}
		n = 10*n + int(c-'0')
	}
	return min(time.Duration(n)*time.Second, most)
}

// hopOf makes a hop of a resolved one.
func hopOf(h resolve.Hop) flow.Hop {
	return flow.Hop{Transport: h.Transport, Addr: h.Addr, Host: h.Name}
}
