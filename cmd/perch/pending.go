package main

import "time"

type pendingCmd struct {
	JSON bool `name:"json" help:"One JSON array."`
}

// Help says more than a line.
func (pendingCmd) Help() string {
	return `A phone that asks for a configuration and is in no directory waits here, at most a
week. Brand and model are what its request says: its own words. perch adopt --mac M
takes it into a tenant.`
}

// Run shows who is waiting.
func (p pendingCmd) Run(e *env) error {
	c, err := e.connect()
	if err != nil {
		return err
	}
	rows, err := c.Pending(e.ctx)
	if err != nil {
		return explain(err, c)
	}
	if p.JSON {
		return printJSON(e.out, rows)
	}
	cells := make([][]string, len(rows))
	for i, r := range rows {
		cells[i] = []string{r.MAC, or(r.Brand), or(r.Model), or(r.Firmware), r.Source, r.Last.Local().Format(time.DateTime)}
	}
	return table(e.out, []string{"MAC", "BRAND", "MODEL", "FIRMWARE", "SOURCE", "LAST SEEN"}, cells)
}
