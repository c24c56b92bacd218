package main

import (
	"fmt"

	"perch/hotdesk/directory"
)

type enrolCmd struct {
	MAC  directory.MAC `name:"mac" required:"" placeholder:"MAC" help:"The phone, which is in the directory."`
	JSON bool          `name:"json" help:"One JSON object."`
}

// Help says more than a line.
func (enrolCmd) Help() string {
	return `For a phone that was reset, exchanged or lost: whatever it fetched its files by - URL
with token, password that Perch made - opens nothing from now on. The URL it prints is
good until the phone has come back by the one that its first file names. A password
that a directory file gives stays as it is.`
}

// Run enrols a phone anew.
func (c enrolCmd) Run(e *env) error {
	conn, err := e.connect()
	if err != nil {
		return err
	}
	d, err := conn.Enrol(e.ctx, c.MAC)
	if err != nil {
		return explain(err, conn)
	}
	if c.JSON {
		return printJSON(e.out, d)
	}
	if _, err := fmt.Fprintf(e.out, "provisioning URL  %s\nor with user      %s\n", d.URL, d.Username); err != nil {
		return err
	}
	if d.Secret == "" {
		_, err = fmt.Fprintln(e.out, "and password      that of the directory file")
		return err
	}
	_, err = fmt.Fprintf(e.out, "and password      %s   (told this once)\n", d.Secret)
	return err
}
