package main

import (
	"fmt"
	"time"

	"perch/hotdesk"
	"perch/portal/api"
	"perch/portal/client"
)

type lockoutsCmd struct {
	Tenant  string `placeholder:"CODE" help:"Only this tenant."`
	Lift    bool   `help:"Forget failures and end lockouts: those of --ext, of --source, of both together, of --address, or --all."`
	Ext     string `placeholder:"N" help:"With --lift: what is counted against this extension."`
	Source  string `placeholder:"SOURCE" help:"With --lift: what came from this device (MAC) or address."`
	Address string `placeholder:"IP" help:"With --lift: the ban of this address."`
	All     bool   `help:"With --lift: all that is counted in the tenant."`
	JSON    bool   `name:"json" help:"Print one JSON array."`
}

// Help says more than a line.
func (lockoutsCmd) Help() string {
	return `KIND source: wrong PINs of one extension from one phone or address; five lock the pair
for 15 minutes, at every door. KIND extension: wrong PINs from everywhere within an hour;
more than ten delay answers by up to 3 s, except where that extension has logged in before.
KIND ban: an address to which SIP does not listen; it has nothing to do with PINs. An
extension that does not exist is not shown: what was typed may be a PIN.`
}

// Run shows, or lifts.
func (l lockoutsCmd) Run(e *env) error {
	named := l.Ext != "" || l.Source != "" || l.Address != "" || l.All
	if l.Lift != named {
		return usage{"--lift goes with --ext, --source, --address or --all"}
	}
	c, err := e.connect()
	if err != nil {
		return err
	}
	if l.Lift {
		return l.lift(e, c)
	}
	rows, err := c.Lockouts(e.ctx, l.Tenant)
	if err != nil {
		return explain(err, c)
	}
	if l.JSON {
		return printJSON(e.out, rows)
	}
	cells := make([][]string, len(rows))
	for i, r := range rows {
		state, failures := "counting", "-"
		switch {
		case r.Until != nil:
			state = "until " + r.Until.Local().Format(time.DateTime)
		case r.Kind == "extension" && r.Failures != nil && *r.Failures > 10:
			state = "delayed"
		}
		if r.Failures != nil {
			failures = fmt.Sprint(*r.Failures)
		}
		cells[i] = []string{r.Kind, or(r.Tenant), or(r.Extension), or(r.Source), failures, state}
	}
	return table(e.out, []string{"KIND", "TENANT", "EXTENSION", "SOURCE", "FAILURES", "LOCKED"}, cells)
}

func (l lockoutsCmd) lift(e *env, c *client.Client) error {
	out, err := c.Lift(e.ctx, api.LiftBody{
		Tenant: l.Tenant, Extension: l.Ext, Source: l.Source, Address: l.Address, All: l.All, Door: string(hotdesk.CLI),
	})
	if err != nil {
		return explain(err, c)
	}
	if l.JSON {
		return printJSON(e.out, out)
	}
	_, err = fmt.Fprintf(e.out, "%d lockouts and %d bans lifted.\n", out.Lockouts, out.Bans)
	return err
}
