package client

import (
	"context"
	"net/url"

	"perch/portal/api"
)

// Calls reads the calls that are up.
func (c *Client) Calls(ctx context.Context, f Filter) ([]api.Call, error) {
	var out []api.Call
	return out, c.get(ctx, "/calls", f.query(), &out)
}

// Call reads the story of one call.
func (c *Client) Call(ctx context.Context, trace string) (api.CallTrace, error) {
	var out api.CallTrace
	return out, c.get(ctx, "/calls/"+url.PathEscape(trace), nil, &out)
}

// Presence reads the states of extensions; an empty extension is all.
func (c *Client) Presence(ctx context.Context, f Filter, extension string) ([]api.Presence, error) {
	q := f.query()
	if extension != "" {
		q.Set("extension", extension)
	}
	var out []api.Presence
	return out, c.get(ctx, "/presence", q, &out)
}
