package main

import "fmt"

type registrationsCmd struct{ filter }

// Run shows the contacts.
func (r registrationsCmd) Run(e *env) error {
	c, err := e.connect()
	if err != nil {
		return err
	}
	rows, err := c.Registrations(e.ctx, r.of())
	if err != nil {
		return explain(err, c)
	}
	if r.JSON {
		return printJSON(e.out, rows)
	}
	cells := make([][]string, len(rows))
	for i, x := range rows {
		cells[i] = []string{x.AOR, x.Contact, or(x.UserAgent), x.Transport, x.Source, or(x.Node), or(x.MAC), fmt.Sprintf("%d s", x.ExpiresIn)}
	}
	return table(e.out, []string{"AOR", "CONTACT", "USER AGENT", "TRANSPORT", "SOURCE", "NODE", "MAC", "EXPIRES IN"}, cells)
}
