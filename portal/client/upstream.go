package client

import (
	"context"

	"perch/portal/api"
)

// Upstream reads how the PBXs behind the tenants stand.
func (c *Client) Upstream(ctx context.Context, f Filter) (api.Upstream, error) {
	var out api.Upstream
	return out, c.get(ctx, "/upstream", Filter{Tenant: f.Tenant}.query(), &out)
}

// EmergencyTest reads what an emergency call from each desk would have.
func (c *Client) EmergencyTest(ctx context.Context, f Filter) ([]api.EmergencyDesk, error) {
	var out []api.EmergencyDesk
	return out, c.get(ctx, "/emergency-test", f.query(), &out)
}
