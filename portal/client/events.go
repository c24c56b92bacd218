package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"

	"perch/portal/api"
)

// Events is an open stream of what happens.
type Events struct {
	*stream
	last string
}

// Events opens the stream of a tenant or a device, or of all when both are
// empty. What happens once it has returned is in it. after is the id to go on
// from; empty: from now on. Close it.
func (c *Client) Events(ctx context.Context, tenant, mac, after string) (*Events, error) {
	query := url.Values{}
	if tenant != "" {
		query.Set("tenant", tenant)
	}
	if mac != "" {
		query.Set("mac", mac)
	}
	s, err := c.stream(ctx, "/events", query, after)
	if err != nil {
		return nil, err
	}
	return &Events{s, after}, nil
}

// Next waits for an event. The error is io-like at the stream's end: open it
// again, from Last.
func (e *Events) Next() (api.Event, error) {
	var out api.Event
	id, data, err := e.next()
	if id != "" {
		e.last = id
	}
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal([]byte(data), &out); err != nil {
		return out, fmt.Errorf("event stream: %w", err)
	}
	return out, nil
}

// Last is the id of the last event, to go on from.
func (e *Events) Last() string { return e.last }
