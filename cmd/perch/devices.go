package main

import "perch/portal/api"

type devicesCmd struct{ filter }

// Help says more than a line.
func (devicesCmd) Help() string {
	return `STATE is unknown (never seen here), offline (seen, but not registered now), idle
(registered, nobody sits there), bound (somebody does, and the phone has not followed
yet) or ready (it has). DRIFT tells whether the phone last fetched something else than
it would get now: perch reload --mac M mends that.`
}

// Run shows the devices.
func (d devicesCmd) Run(e *env) error {
	c, err := e.connect()
	if err != nil {
		return err
	}
	rows, err := c.Devices(e.ctx, d.of())
	if err != nil {
		return explain(err, c)
	}
	if d.JSON {
		return printJSON(e.out, rows)
	}
	cells := make([][]string, len(rows))
	for i, r := range rows {
		cells[i] = []string{r.Tenant, r.MAC, or(r.Brand), or(r.Model), or(r.Firmware), or(r.Desk), string(r.State), or(r.Extension), drift(r)}
	}
	return table(e.out, []string{"TENANT", "MAC", "BRAND", "MODEL", "FIRMWARE", "DESK", "STATE", "EXTENSION", "DRIFT"}, cells)
}

func drift(d api.Device) string {
	switch {
	case d.Drift == nil:
		return "-"
	case *d.Drift:
		return "yes"
	}
	return "no"
}
