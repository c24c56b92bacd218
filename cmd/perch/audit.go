package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/portal/api"
	"perch/portal/client"
)

type auditCmd struct {
	Tenant string         `placeholder:"CODE" help:"Only this tenant."`
	Desk   string         `placeholder:"LABEL" help:"Only this desk, by its label at that time."`
	MAC    *directory.MAC `name:"mac" placeholder:"MAC" help:"Only this device."`
	Ext    string         `placeholder:"N" help:"Only about this extension, or pseudonym."`
	Act    []string       `placeholder:"ACT" help:"Only these: login, logout, refused, pin, lockout, lift, reload, directory, admin, emergency, alarm, erase."`
	At     string         `placeholder:"TIME" help:"Who sat there at that time; needs --desk or --mac."`
	Since  string         `placeholder:"TIME" help:"Not before."`
	Until  string         `placeholder:"TIME" help:"Before."`
	Limit  int            `default:"200" help:"At most so many: the newest."`
	Follow bool           `short:"f" help:"Go on with what happens, until Ctrl-C."`
	Erase  bool           `help:"Forget the extension of --ext: a pseudonym takes its place in all that is past."`
	JSON   bool           `name:"json" help:"Print one JSON array; with --follow one object per line."`
}

// Help says more than a line.
func (auditCmd) Help() string {
	return `TIME is RFC 3339 (2026-05-04T10:04:00+02:00), the same without a zone or without
seconds in this machine's zone (2026-05-04T10:04, "2026-05-04 10:04"), a date, a time of
today (10:04), or a duration ago (2h30m).

  perch audit --desk "Berlin 3.14" --at 10:04     who sat there
  perch audit --ext 1001 --since 24h              what happened to 1001
  perch audit --erase --ext 1001 --tenant acme    forget whose 1001 was`
}

// Run shows, or forgets.
func (a auditCmd) Run(e *env) error {
	f, at, err := a.filter(time.Now())
	if err != nil {
		return usage{err.Error()}
	}
	c, err := e.connect()
	if err != nil {
		return err
	}
	switch {
	case a.Erase:
		return a.erase(e, c)
	case a.At != "":
		return a.seated(e, c, f, at)
	case a.Follow:
		return a.follow(e, c, f)
	}
	rows, err := c.Audit(e.ctx, f)
	if err != nil {
		return explain(err, c)
	}
	if a.JSON {
		return printJSON(e.out, rows)
	}
	return table(e.out, auditHeading(), auditCells(rows))
}

func (a auditCmd) filter(now time.Time) (f client.AuditFilter, at time.Time, err error) {
	f = client.AuditFilter{Tenant: a.Tenant, Desk: a.Desk, Extension: a.Ext, Acts: a.Act, Limit: a.Limit}
	if a.MAC != nil {
		f.MAC = a.MAC.String()
	}
	for _, t := range []struct {
		name, text string
		into       *time.Time
	}{{"--at", a.At, &at}, {"--since", a.Since, &f.Since}, {"--until", a.Until, &f.Until}} {
		if t.text == "" {
			continue
		}
		if *t.into, err = moment(t.text, now); err != nil {
			return f, at, fmt.Errorf("%s: %w", t.name, err)
		}
	}
	switch {
	case a.At != "" && a.Desk == "" && a.MAC == nil:
		return f, at, errors.New("--at needs --desk or --mac")
	case a.Erase && a.Ext == "":
		return f, at, errors.New("--erase needs --ext")
	case a.Erase && (a.Follow || a.At != "" || a.Desk != "" || a.MAC != nil || a.Since != "" || a.Until != "" || len(a.Act) > 0):
		return f, at, errors.New("--erase takes --ext and --tenant only: a person is forgotten as a whole")
	}
	return f, at, nil
}

// moment reads a time as people write it.
func moment(text string, now time.Time) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	for _, layout := range []string{"2006-01-02T15:04:05", time.DateTime, "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly} {
		if at, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return at, nil
		}
	}
	for _, layout := range []string{"15:04:05", "15:04"} {
		if at, err := time.Parse(layout, text); err == nil {
			y, m, d := now.Date()
			return time.Date(y, m, d, at.Hour(), at.Minute(), at.Second(), 0, now.Location()), nil
		}
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	return time.Time{}, fmt.Errorf("%q is no time: write 2026-05-04T10:04, 10:04 or 2h", text)
}

func auditHeading() []string {
	return []string{"AT", "TENANT", "ACT", "RESULT", "EXTENSION", "DESK", "MAC", "DOOR", "BY", "RULE", "DETAIL"}
}

func auditCells(rows []api.AuditRecord) [][]string {
	cells := make([][]string, len(rows))
	for i, r := range rows {
		detail := r.Detail
		if detail == nil {
			detail = r.Source
		}
		cells[i] = []string{
			r.At.Local().Format(time.DateTime), r.Tenant, r.Act, or(r.Result), or(r.Extension), or(r.Desk), or(r.MAC), or(r.Door), or(r.By),
			or(r.Rule), or(detail),
		}
	}
	return cells
}

func (a auditCmd) seated(e *env, c *client.Client, f client.AuditFilter, at time.Time) error {
	rows, err := c.Seated(e.ctx, f, at)
	if err != nil {
		return explain(err, c)
	}
	if a.JSON {
		return printJSON(e.out, rows)
	}
	if len(rows) == 0 {
		_, err := fmt.Fprintln(e.out, "The audit knows nothing of that desk at that time.")
		return err
	}
	cells := make([][]string, len(rows))
	for i, r := range rows {
		until := "-"
		if r.Until != nil {
			until = r.Until.Local().Format(time.DateTime)
		}
		cells[i] = []string{
			r.Tenant, or(r.Desk), r.MAC, fmt.Sprint(r.Line), or(r.Extension), r.Since.Local().Format(time.DateTime), until, or(r.Door), or(r.By),
		}
	}
	return table(e.out, []string{"TENANT", "DESK", "MAC", "LINE", "EXTENSION", "SINCE", "UNTIL", "DOOR", "BY"}, cells)
}

// followEvery is how often a followed audit is read, and overlap how much of it
// again: nodes' clocks differ.
const (
	followEvery   = time.Second
	followOverlap = 30 * time.Second
	followMost    = 10_000
)

// follow prints the newest records, and then each as it comes.
func (a auditCmd) follow(e *env, c *client.Client, f client.AuditFilter) error {
	told := map[string]time.Time{}
	for first := true; ; first = false {
		rows, err := c.Audit(e.ctx, f)
		switch {
		case e.ctx.Err() != nil:
			return nil // Ctrl-C is how it ends
		case err != nil && first:
			return explain(err, c)
		case err != nil:
			fmt.Fprintln(e.err, "perch:", explain(err, c)) //nolint:errcheck // nobody else to tell
		}
		for _, r := range rows {
			key := r.Tenant + " " + r.ID
			if _, known := told[key]; known {
				continue
			}
			told[key] = r.At
			if err := a.line(e, r); err != nil {
				return err
			}
			if since := r.At.Add(-followOverlap); since.After(f.Since) {
				f.Since, f.Limit = since, followMost
			}
		}
		for key, at := range told {
			if at.Before(f.Since) {
				delete(told, key)
			}
		}
		pause(e.ctx, followEvery)
	}
}

func (a auditCmd) line(e *env, r api.AuditRecord) error {
	if a.JSON {
		return printJSONLine(e.out, r)
	}
	words := auditCells([]api.AuditRecord{r})[0]
	for i := range words {
		words[i] = safe(words[i])
	}
	_, err := fmt.Fprintln(e.out, strings.Join(words, "  "))
	return err
}

func (a auditCmd) erase(e *env, c *client.Client) error {
	out, err := c.Erase(e.ctx, api.EraseBody{Tenant: a.Tenant, Extension: a.Ext, Door: string(hotdesk.CLI)})
	if err != nil {
		return explain(err, c)
	}
	if a.JSON {
		return printJSON(e.out, out)
	}
	said := fmt.Sprintf("No record of the audit was about %s.", safe(a.Ext))
	if out.Pseudonym != nil {
		said = fmt.Sprintf("%s is %s in the audit from now on.", safe(a.Ext), *out.Pseudonym)
	}
	_, err = fmt.Fprintf(e.out, "%s\n%d traces changed; %d events, %d calls and the text of %d files forgotten.\n",
		said, out.Traces, out.Events, out.Calls, out.Files)
	return err
}
