package client

import (
	"context"

	"perch/hotdesk/directory"
	"perch/portal/api"
)

// Enrol gives a device a new address for its files; the secret in the answer is
// told once.
func (c *Client) Enrol(ctx context.Context, mac directory.MAC) (api.Enrolled, error) {
	var out api.Enrolled
	return out, c.post(ctx, "/devices/"+mac.String()+"/enrol", struct{}{}, &out)
}
