package client

import (
	"context"
	"net/url"
	"time"

	"perch/hotdesk/directory"
	"perch/portal/api"
)

// History lists the files that a phone was served, the newest first; with a time,
// what it ran then.
func (c *Client) History(ctx context.Context, mac directory.MAC, at time.Time) ([]api.ServedFile, error) {
	q := url.Values{}
	if !at.IsZero() {
		q.Set("at", at.UTC().Format(time.RFC3339Nano))
	}
	var out []api.ServedFile
	return out, c.get(ctx, "/devices/"+mac.String()+"/history", q, &out)
}

// Served reads what stood in one of them.
func (c *Client) Served(ctx context.Context, mac directory.MAC, digest string) (api.ServedText, error) {
	var out api.ServedText
	return out, c.get(ctx, "/devices/"+mac.String()+"/history/"+url.PathEscape(digest), nil, &out)
}
