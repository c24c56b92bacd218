package client

import (
	"context"
	"net/url"
	"strconv"

	"perch/hotdesk/directory"
	"perch/portal/api"
)

// WhyQuery says whose policy is asked for: an extension's, a device's, or both.
type WhyQuery struct {
	Tenant, Extension string
	MAC               directory.MAC
	Line              int
}

// Why reads which level decided each setting of the policy.
func (c *Client) Why(ctx context.Context, q WhyQuery) (api.Why, error) {
	query := url.Values{}
	set := func(key, value string) {
		if value != "" {
			query.Set(key, value)
		}
	}
	set("tenant", q.Tenant)
	set("extension", q.Extension)
	if !q.MAC.IsZero() {
		set("mac", q.MAC.String())
	}
	if q.Line > 0 {
		set("line", strconv.Itoa(q.Line))
	}
	var out api.Why
	return out, c.get(ctx, "/why", query, &out)
}

// Desks reads the desks.
func (c *Client) Desks(ctx context.Context, f Filter) ([]api.PlaceRow, error) {
	var out []api.PlaceRow
	return out, c.get(ctx, "/desks", f.query(), &out)
}

// ChangePIN gives an extension another PIN. It is durable when it returns.
func (c *Client) ChangePIN(ctx context.Context, b api.PINBody) (api.PINChanged, error) {
	var out api.PINChanged
	return out, c.post(ctx, "/pin", b, &out)
}
