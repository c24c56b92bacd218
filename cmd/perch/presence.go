package main

import (
	"fmt"

	"perch/portal/api"
	"perch/portal/client"
)

type presenceCmd struct {
	Tenant string `placeholder:"CODE" help:"Only this tenant."`
	Ext    string `placeholder:"NUMBER" help:"Only this extension."`
	JSON   bool   `name:"json" help:"Print one JSON array; with --watch one for each change."`
	Watch  bool   `help:"Follow live, until Ctrl-C. Off a terminal, print the extensions that changed."`
}

// Help says more than a line.
func (presenceCmd) Help() string {
	return `The state is what lamps show: idle, trying, proceeding (a call is being set up),
early (it rings), confirmed (they talk). VERSION grows with each change. SUSPECT
counts the watchers that did not answer the last NOTIFY: their lamps may be wrong.`
}

// Run shows the states of extensions.
func (p presenceCmd) Run(e *env) error {
	c, err := e.connect()
	if err != nil {
		return err
	}
	before, was, first := "", seen{}, true
	if p.Watch && !p.JSON && onTerminal(e) {
		before = clearScreen
	}
	show := func() error {
		rows, err := c.Presence(e.ctx, client.Filter{Tenant: p.Tenant}, p.Ext)
		if err != nil {
			return err
		}
		others := news(was, rows, func(r api.Presence) string { return r.Tenant + "/" + r.Extension })
		if p.Watch && before == "" && !first {
			if rows = others; len(rows) == 0 {
				return nil
			}
		}
		fmt.Fprint(e.out, before)
		defer func() { first = false }()
		return p.print(e, rows, first || before != "")
	}
	if p.Watch {
		return watch(e, c, p.Tenant, changesCalls, show)
	}
	return explain(show(), c)
}

func (p presenceCmd) print(e *env, rows []api.Presence, head bool) error {
	if p.JSON {
		return printJSON(e.out, rows)
	}
	cells := make([][]string, len(rows))
	for i, r := range rows {
		cells[i] = []string{
			r.Tenant, r.Extension, or(r.Name), r.State, or(r.Direction), or(r.Remote),
			fmt.Sprint(r.Calls), fmt.Sprint(r.Version), fmt.Sprint(r.Watchers), fmt.Sprint(r.Suspect),
		}
	}
	var heading []string
	if head {
		heading = []string{"TENANT", "EXTENSION", "NAME", "STATE", "DIRECTION", "WITH", "CALLS", "VERSION", "WATCHERS", "SUSPECT"}
	}
	return table(e.out, heading, cells)
}
