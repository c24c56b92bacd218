package main

import (
	"fmt"

	"perch/hotdesk/directory"
	"perch/portal/api"
)

type adoptCmd struct {
	MAC    directory.MAC `name:"mac" required:"" placeholder:"MAC" help:"The phone, as perch pending shows it."`
	Tenant string        `placeholder:"CODE" help:"Tenant; may be left out where there is only one."`
	Brand  string        `placeholder:"NAME" help:"Brand; without: as the phone said."`
	Model  string        `placeholder:"NAME" help:"Model; without: as the phone said."`
	Desk   string        `placeholder:"LABEL" help:"What is written on the desk."`
	Site   string        `placeholder:"CODE" help:"Site of the tenant."`
	JSON   bool          `name:"json" help:"One JSON object."`
}

// Help says more than a line.
func (adoptCmd) Help() string {
	return `The device is in the directory at once, idle. Its password is made now and told this
once: put it into the phone's provisioning settings, or give the phone the URL, which
needs none. perch export keeps the device; a directory file that does not name it
leaves it, unless applied with --prune.`
}

// Run adopts a phone.
func (a adoptCmd) Run(e *env) error {
	c, err := e.connect()
	if err != nil {
		return err
	}
	d, err := c.Adopt(e.ctx, api.AdoptBody{
		MAC: a.MAC.String(), Tenant: a.Tenant, Brand: a.Brand, Model: a.Model, Desk: a.Desk, Site: a.Site,
	})
	if err != nil {
		return explain(err, c)
	}
	if a.JSON {
		return printJSON(e.out, d)
	}
	_, err = fmt.Fprintf(e.out, "%s is a device of %s now.\n\nprovisioning URL  %s\nor with user      %s\nand password      %s   (told this once)\n",
		d.MAC, d.Tenant, d.URL, d.Username, d.Secret)
	return err
}
