package main

import (
	"fmt"
	"io"
	"time"

	"perch/hotdesk/directory"
	"perch/portal/api"
	"perch/portal/client"
)

type whyCmd struct {
	MAC    directory.MAC `name:"mac" placeholder:"MAC" help:"Device, with or without colons."`
	Line   int           `placeholder:"N" help:"Line of the device; without: 1."`
	Ext    string        `placeholder:"NUMBER" help:"Extension; without: whoever sits at the device."`
	Tenant string        `placeholder:"CODE" help:"Tenant; may be left out: that of the device, or the only one."`
	JSON   bool          `name:"json" help:"Print one JSON object."`
}

// Help says more than a line.
func (whyCmd) Help() string {
	return `Shows every setting of the policy with the value in force and the level that
decided it: default, tenant, site, extension or device; the later is the stronger.
Below that, when the session ends and why, and what a login would get now: with
--mac and --ext also where that extension is not logged in yet.`
}

// Run shows the policy.
func (w whyCmd) Run(e *env) error {
	if w.MAC.IsZero() && w.Ext == "" {
		return usage{"name --mac, --ext, or both"}
	}
	c, err := e.connect()
	if err != nil {
		return err
	}
	why, err := c.Why(e.ctx, client.WhyQuery{Tenant: w.Tenant, Extension: w.Ext, MAC: w.MAC, Line: w.Line})
	if err != nil {
		return explain(err, c)
	}
	if w.JSON {
		return printJSON(e.out, why)
	}
	return tellWhy(e.out, why)
}

func tellWhy(w io.Writer, y api.Why) error {
	rows := make([][]string, len(y.Settings))
	for i, s := range y.Settings {
		value := s.Value
		if value == "" {
			value = "-"
		}
		rows[i] = []string{s.Key, value, s.Level}
	}
	if err := table(w, []string{"SETTING", "VALUE", "LEVEL"}, rows); err != nil {
		return err
	}
	zone, err := time.LoadLocation(y.TimeZone)
	if err != nil {
		zone = time.UTC
	}
	fmt.Fprintln(w)
	if y.MAC != nil {
		fmt.Fprintf(w, "%s%s: site %s, desk %s, class %s; times are in %s\n", *y.MAC, onLine(*y.Line), safe(or(y.Site)), safe(or(y.Desk)), or(y.Class), safe(y.TimeZone))
	}
	for _, s := range y.Sessions {
		fmt.Fprintf(w, "%s sits at %s%s since %s, %s\n", safe(s.Extension), s.MAC, onLine(s.Line), clock(s.Since, zone), ending(s.Until, s.Rule, zone))
	}
	if len(y.Sessions) == 0 {
		fmt.Fprintln(w, "nobody is logged in")
	}
	tellLogin(w, y, zone)
	return nil
}

// tellLogin says what a login would get now.
func tellLogin(w io.Writer, y api.Why, zone *time.Location) {
	l := y.Login
	switch {
	case l == nil:
	case l.Refused != nil:
		fmt.Fprintf(w, "a login of %s now would be refused: %s%s\n", safe(or(y.Extension)), *l.Refused, behind(l.Rule))
	default:
		fmt.Fprintf(w, "a login of %s now: %s\n", safe(or(y.Extension)), ending(l.Until, l.EndRule, zone))
		if l.IdleLogout != nil {
			fmt.Fprintf(w, "  and ends after %s without a call or a touch of the phone\n", *l.IdleLogout)
		}
		if l.WarnBefore != nil {
			fmt.Fprintf(w, "  with a warning %s before, where the phone can show one\n", *l.WarnBefore)
		}
	}
}

func ending(until *time.Time, rule *string, zone *time.Location) string {
	if until == nil {
		return "without an end"
	}
	return "until " + clock(*until, zone) + behind(rule)
}

func behind(rule *string) string {
	if rule == nil {
		return ""
	}
	return ", by " + safe(*rule)
}

func clock(t time.Time, zone *time.Location) string {
	return t.In(zone).Format("2006-01-02 15:04:05 MST")
}
