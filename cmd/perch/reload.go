package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"perch/hotdesk/directory"
	"perch/portal/api"
)

type reloadCmd struct {
	MAC      directory.MAC `name:"mac" placeholder:"MAC" help:"One device."`
	Tenant   string        `placeholder:"CODE" help:"Every device of a tenant."`
	Brand    string        `placeholder:"BRAND" help:"With --tenant: only this brand."`
	Reboot   bool          `help:"Begin with what makes the phone reboot; a reload does that by itself when the gentle way fails."`
	Rate     perSecond     `placeholder:"N/s" help:"With --tenant: how many devices begin in a second; without: 10/s."`
	WhenIdle bool          `help:"Wait for calls at a device to end. Reloads do so anyway, unless forced."`
	Force    bool          `help:"Do not wait for calls at a device to end."`
	Wait     bool          `help:"With --mac: follow the trace; exit 1 if a step fails."`
}

// Help says more than a line.
func (reloadCmd) Help() string {
	return `The reloads of a tenant are opened at once, each with the time at which it is due,
and go on through restarts; there is no way to pause or list them as a whole yet:
stored campaigns come with a later version. perch trace shows each.`
}

// perSecond reads "10/s" or "10".
type perSecond float64

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *perSecond) UnmarshalText(text []byte) error {
	n, err := strconv.ParseFloat(strings.TrimSuffix(string(text), "/s"), 64)
	if err != nil || !(n > 0 && n <= 10000) {
		return fmt.Errorf("%q is no rate: write it as 10/s, at most 10000/s", text)
	}
	*p = perSecond(n)
	return nil
}

// Run begins the reloads.
func (r reloadCmd) Run(e *env) error {
	switch {
	case r.MAC.IsZero() == (r.Tenant == ""):
		return usage{"name either --mac or --tenant"}
	case r.Wait && r.MAC.IsZero():
		return usage{"--wait needs --mac"}
	case r.WhenIdle && r.Force:
		return usage{"--when-idle waits for calls and --force does not: choose one"}
	case !r.MAC.IsZero() && (r.Brand != "" || r.Rate > 0):
		return usage{"--brand and --rate need --tenant"}
	}
	c, err := e.connect()
	if err != nil {
		return err
	}
	var f *follower
	if r.Wait {
		if f, err = newFollower(e, c); err != nil {
			return err
		}
		defer f.close()
	}
	body := api.ReloadBody{Tenant: r.Tenant, Brand: r.Brand, Reboot: r.Reboot, Rate: float64(r.Rate), WhenIdle: r.WhenIdle, Force: r.Force, Door: "cli"}
	if !r.MAC.IsZero() {
		body.MAC = r.MAC.String()
	}
	out, err := c.Reload(e.ctx, body)
	if err != nil {
		return explain(err, c)
	}
	if !r.MAC.IsZero() {
		fmt.Fprintf(e.out, "%s reloads (trace %s)\n", r.MAC, out.Traces[0])
		return f.follow(e, r.MAC, api.Change{Trace: out.Traces[0]})
	}
	fmt.Fprintf(e.out, "%s will reload, the last of them in %s\n", several(out.Count, "device"), span(time.Duration(out.Seconds*float64(time.Second))))
	return nil
}
