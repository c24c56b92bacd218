package main

import (
	"perch/hotdesk/directory"
	"perch/portal/api"
)

type logoutCmd struct {
	Tenant string        `placeholder:"CODE" help:"Tenant; may be left out with --mac, or where there is only one."`
	Ext    string        `placeholder:"NUMBER" help:"Extension to log out; without --mac, wherever it is."`
	MAC    directory.MAC `name:"mac" placeholder:"MAC" help:"Device to log out at; without --ext, whoever sits there."`
	Line   int           `placeholder:"N" help:"Line of the device; without: 1."`
	Wait   bool          `help:"Follow the trace until the phone is idle again; exit 1 if a step fails."`
	Force  bool          `help:"Do not wait for calls at the device to end."`
}

// Help says more than a line.
func (logoutCmd) Help() string {
	return `A device with an owner returns to its owner. Exit 0 once the logout is durable; the
phone follows, which --wait shows.`
}

// Run logs out.
func (l logoutCmd) Run(e *env) error {
	if l.Ext == "" && l.MAC.IsZero() {
		return usage{"name --ext, --mac or both"}
	}
	c, err := e.connect()
	if err != nil {
		return err
	}
	var f *follower
	if l.Wait {
		if f, err = newFollower(e, c); err != nil {
			return err
		}
		defer f.close()
	}
	body := api.LogoutBody{Tenant: l.Tenant, Extension: l.Ext, Line: l.Line, Force: l.Force, Door: "cli"}
	if !l.MAC.IsZero() {
		body.MAC = l.MAC.String()
	}
	changes, err := c.Logout(e.ctx, body)
	if err != nil {
		return explain(err, c)
	}
	for _, change := range changes {
		tellChange(e, change)
	}
	for _, change := range changes {
		mac, err := directory.ParseMAC(change.MAC)
		if err != nil {
			return err
		}
		if err := f.follow(e, mac, change); err != nil {
			return err
		}
	}
	return nil
}
