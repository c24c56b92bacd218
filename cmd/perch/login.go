package main

import (
	"fmt"

	"perch/hotdesk/directory"
	"perch/portal/api"
	"perch/portal/client"
)

type loginCmd struct {
	Tenant string        `required:"" placeholder:"CODE" help:"Tenant."`
	Ext    string        `required:"" placeholder:"NUMBER" help:"Extension to log in."`
	MAC    directory.MAC `name:"mac" required:"" placeholder:"MAC" help:"Device to log in at, with or without colons."`
	Line   int           `placeholder:"N" help:"Line of the device; without: 1."`
	Wait   bool          `help:"Follow the trace until the phone is ready; exit 1 if a step fails."`
	Force  bool          `help:"Do not wait for calls at the device to end."`
	ID     string        `name:"request-id" placeholder:"ID" help:"Your id of this request; the same id again gets the first answer."`
}

// Help says more than a line.
func (loginCmd) Help() string {
	return `Needs no PIN; whoever sits there makes room, and where the extension is already
logged in at as many desks as it may be, the oldest of them ends. Exit 0 once the
login is durable: the phone follows, which --wait shows.`
}

// Run logs in.
func (l loginCmd) Run(e *env) error {
	c, err := e.connect()
	if err != nil {
		return err
	}
	f, err := l.follower(e, c)
	if err != nil {
		return err
	}
	defer f.close()
	change, err := c.Login(e.ctx, api.LoginBody{
		Tenant: l.Tenant, Extension: l.Ext, MAC: l.MAC.String(), Line: l.Line, Force: l.Force, Door: "cli", RequestID: l.ID,
	})
	if err != nil {
		return explain(err, c)
	}
	tellChange(e, change)
	return f.follow(e, l.MAC, change)
}

func (l loginCmd) follower(e *env, c *client.Client) (*follower, error) {
	if !l.Wait {
		return nil, nil //nolint:nilnil // a nil follower follows nothing
	}
	return newFollower(e, c)
}

// tellChange says in a line or more what a login or logout did.
func tellChange(e *env, c api.Change) {
	for _, x := range c.Ended {
		if x.MAC != c.MAC || c.Extension != nil {
			fmt.Fprintf(e.out, "%s no longer sits at %s%s\n", safe(x.Extension), x.MAC, onLine(x.Line))
		}
	}
	defer func() {
		for _, x := range c.With {
			fmt.Fprintf(e.out, "and at %s%s, of the same desk\n", x.MAC, onLine(x.Line))
		}
	}()
	switch {
	case c.Extension == nil:
		fmt.Fprintf(e.out, "nobody sits at %s%s (trace %s)\n", c.MAC, onLine(c.Line), c.Trace)
	case c.Already:
		fmt.Fprintf(e.out, "%s sits at %s%s already\n", safe(*c.Extension), c.MAC, onLine(c.Line))
	default:
		fmt.Fprintf(e.out, "%s sits at %s%s (trace %s)\n", safe(*c.Extension), c.MAC, onLine(c.Line), c.Trace)
	}
}

func onLine(n int) string {
	if n <= 1 {
		return ""
	}
	return fmt.Sprintf(" line %d", n)
}
