package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"

	"perch/portal/api"
)

// SIPTrace is an open stream of SIP messages.
type SIPTrace struct{ *stream }

// SIPTrace opens the stream of a device's messages, or of an extension's in a
// tenant, which may be empty where there is only one. What passes the server
// once it has returned is in it. Close it.
func (c *Client) SIPTrace(ctx context.Context, mac, tenant, extension string) (*SIPTrace, error) {
	query := url.Values{}
	for name, value := range map[string]string{"mac": mac, "tenant": tenant, "extension": extension} {
		if value != "" {
			query.Set(name, value)
		}
	}
	s, err := c.stream(ctx, "/sip-trace", query, "")
	if err != nil {
		return nil, err
	}
	return &SIPTrace{s}, nil
}

// Next waits for a message.
func (t *SIPTrace) Next() (api.SIPMessage, error) {
	var out api.SIPMessage
	_, data, err := t.next()
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal([]byte(data), &out); err != nil {
		return out, fmt.Errorf("sip trace: %w", err)
	}
	return out, nil
}
