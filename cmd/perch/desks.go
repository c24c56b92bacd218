package main

import "strings"

type desksCmd struct{ filter }

// Help says more than a line.
func (desksCmd) Help() string {
	return `A desk of the directory has a code and a class, and its devices are taken and left
together. A label that only devices have is shown without a code: each of its
devices is taken alone.`
}

// Run shows the desks.
func (d desksCmd) Run(e *env) error {
	c, err := e.connect()
	if err != nil {
		return err
	}
	rows, err := c.Desks(e.ctx, d.of())
	if err != nil {
		return explain(err, c)
	}
	if d.JSON {
		return printJSON(e.out, rows)
	}
	cells := make([][]string, len(rows))
	for i, r := range rows {
		devices := strings.Join(r.Devices, " ")
		if devices == "" {
			devices = "-"
		}
		cells[i] = []string{r.Tenant, or(r.Code), r.Label, or(r.Site), or(r.Floor), r.Class, or(r.Owner), devices, or(r.Extension)}
	}
	return table(e.out, []string{"TENANT", "CODE", "LABEL", "SITE", "FLOOR", "CLASS", "OWNER", "DEVICES", "EXTENSION"}, cells)
}
