package app

import (
	"context"

	"perch/hotdesk/directory"
	"perch/sip/handler"
	"perch/sip/proxy"
	"perch/sip/upstream"
)

// ways lets the proxy ask the upstream's router: two edges with types of the
// same shape that do not know each other.
type ways struct{ *upstream.Router }

var _ proxy.Upstream = ways{}

// Way implements proxy.Upstream.
func (w ways) Way(ctx context.Context, a proxy.Asked) (proxy.Way, bool, error) {
	way, ok, err := w.Router.Way(ctx, upstream.Asked(a))
	return proxy.Way(way), ok, err
}

// Away implements proxy.Upstream.
func (w ways) Away(ctx context.Context, a proxy.Asked, e directory.Extension) (proxy.Way, bool, error) {
	way, ok, err := w.Router.Away(ctx, upstream.Asked(a), e)
	return proxy.Way(way), ok, err
}

// From implements proxy.Upstream.
func (w ways) From(ctx context.Context, r *handler.Request) (directory.Tenant, bool, error) {
	return w.Router.From(ctx, r)
}

// helpWays does the same for emergency calls.
type helpWays struct{ *upstream.Help }

var _ proxy.Emergency = helpWays{}

// Way implements proxy.Emergency.
func (h helpWays) Way(ctx context.Context, a proxy.Asked) (proxy.Way, bool, error) {
	way, ok, err := h.Help.Way(ctx, upstream.Asked(a))
	return proxy.Way(way), ok, err
}
