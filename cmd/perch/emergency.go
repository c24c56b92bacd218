package main

import (
	"fmt"
	"strings"
)

type emergencyTestCmd struct{ filter }

// Help says more than a line.
func (emergencyTestCmd) Help() string {
	return `Proves for every desk what an emergency call from there would have: a route that answers,
a location that is sent with it (PIDF-LO, RFC 6442), and a number that calls the desk
back. Nobody is called. Exits 1 when a desk fails.`
}

// Run shows every desk.
func (t emergencyTestCmd) Run(e *env) error {
	c, err := e.connect()
	if err != nil {
		return err
	}
	rows, err := c.EmergencyTest(e.ctx, t.of())
	if err != nil {
		return explain(err, c)
	}
	failed := 0
	cells := make([][]string, 0, len(rows))
	for _, r := range rows {
		faults := strings.Join(r.Faults, "; ")
		if faults != "" {
			failed++
		} else {
			faults = "ok"
		}
		cells = append(cells, []string{r.Tenant, r.MAC, or(r.Desk), or(r.Site), or(r.Route), or(r.CallerID), or(r.Location), faults})
	}
	if t.JSON {
		err = printJSON(e.out, rows)
	} else {
		err = table(e.out, []string{"TENANT", "MAC", "DESK", "SITE", "ROUTE", "CALLER ID", "LOCATION", "RESULT"}, cells)
	}
	if err == nil && failed > 0 {
		return fmt.Errorf("%d of %d desks fail", failed, len(rows))
	}
	return err
}
