package client

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"perch/portal/api"
)

// AuditFilter narrows the audit; empty is everything.
type AuditFilter struct {
	Tenant, Desk, MAC, Extension string
	Acts                         []string
	Since, Until                 time.Time
	Limit                        int // 0: the server's default
}

func (f AuditFilter) query() url.Values {
	q := url.Values{}
	for name, value := range map[string]string{
		"tenant": f.Tenant, "desk": f.Desk, "mac": f.MAC, "extension": f.Extension,
		"since": stamp(f.Since), "until": stamp(f.Until),
	} {
		if value != "" {
			q.Set(name, value)
		}
	}
	for _, act := range f.Acts {
		q.Add("act", act)
	}
	if f.Limit > 0 {
		q.Set("limit", strconv.Itoa(f.Limit))
	}
	return q
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// Audit reads the newest records that match, the oldest of them first.
func (c *Client) Audit(ctx context.Context, f AuditFilter) ([]api.AuditRecord, error) {
	var out []api.AuditRecord
	return out, c.get(ctx, "/audit", f.query(), &out)
}

// Seated reads who sat at a desk or device at a moment.
func (c *Client) Seated(ctx context.Context, f AuditFilter, at time.Time) ([]api.AuditSeat, error) {
	q := AuditFilter{Tenant: f.Tenant, Desk: f.Desk, MAC: f.MAC}.query()
	if !at.IsZero() {
		q.Set("at", stamp(at))
	}
	var out []api.AuditSeat
	return out, c.get(ctx, "/audit/seated", q, &out)
}

// Erase forgets a person.
func (c *Client) Erase(ctx context.Context, b api.EraseBody) (api.ErasedBody, error) {
	var out api.ErasedBody
	return out, c.post(ctx, "/audit/erase", b, &out)
}

// Lockouts reads failed PINs and banned addresses.
func (c *Client) Lockouts(ctx context.Context, tenant string) ([]api.Lockout, error) {
	q := url.Values{}
	if tenant != "" {
		q.Set("tenant", tenant)
	}
	var out []api.Lockout
	return out, c.get(ctx, "/lockouts", q, &out)
}

// Lift ends lockouts and bans.
func (c *Client) Lift(ctx context.Context, b api.LiftBody) (api.Lifted, error) {
	var out api.Lifted
	return out, c.post(ctx, "/lockouts/lift", b, &out)
}
