package main

import (
	"fmt"
	"strconv"

	"perch/portal/client"
)

type upstreamCmd struct {
	Tenant string `placeholder:"CODE" help:"Only this tenant."`
	JSON   bool   `help:"One JSON object with hops and registrations."`
}

// Help says more than a line.
func (upstreamCmd) Help() string {
	return `STATE of a next hop is up, down (REASON says why), unknown (not asked yet) or unresolved
(no name server knows it). STATE of a registration is registering, registered, failed
(REASON: refused, credentials, silent, unreachable, no_password) or unregistering. A
failed one is tried again, ever more seldom.`
}

// Run shows the next hops and the registrations.
func (u upstreamCmd) Run(e *env) error {
	c, err := e.connect()
	if err != nil {
		return err
	}
	up, err := c.Upstream(e.ctx, client.Filter{Tenant: u.Tenant})
	if err != nil {
		return explain(err, c)
	}
	if u.JSON {
		return printJSON(e.out, up)
	}
	hops := make([][]string, len(up.Hops))
	for i, h := range up.Hops {
		took := "-"
		if h.Millis != nil {
			took = strconv.FormatInt(*h.Millis, 10) + " ms"
		}
		hops[i] = []string{h.Tenant, h.URI, or(h.Hop), h.State, or(h.Reason), took}
	}
	if err := table(e.out, []string{"TENANT", "UPSTREAM", "NEXT HOP", "STATE", "REASON", "ANSWERED IN"}, hops); err != nil {
		return err
	}
	fmt.Fprintln(e.out) //nolint:errcheck // the table before it would have failed
	rows := make([][]string, len(up.Registrations))
	for i, r := range up.Registrations {
		left := "-"
		if r.ExpiresIn != nil {
			left = strconv.Itoa(*r.ExpiresIn) + " s"
		}
		rows[i] = []string{r.Tenant, r.Extension, r.Username, r.State, or(r.Reason), or(r.Hop), left}
	}
	return table(e.out, []string{"TENANT", "EXTENSION", "USER", "STATE", "REASON", "NEXT HOP", "EXPIRES IN"}, rows)
}
