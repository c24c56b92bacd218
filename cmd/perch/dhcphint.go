package main

import (
	"fmt"
	"io"
	"strings"

	"perch/hotdesk/directory"
	"perch/internal/config"
	"perch/provisioning/brand/all"
	"perch/provisioning/hint"
)

type dhcpHintCmd struct {
	Brand  string `placeholder:"NAME" help:"One brand; without: all."`
	URL    string `name:"url" placeholder:"URL" help:"Address of the phones' web server, as http://192.0.2.1:8080; without: from the configuration."`
	Tenant string `placeholder:"CODE" help:"Tenant whose folder the phones shall ask in."`
	JSON   bool   `name:"json" help:"One JSON array."`
}

// Help says more than a line.
func (dhcpHintCmd) Help() string {
	return `What to put into a DHCP server so that a phone that knows nothing finds Perch: the
options that the brand looks at, their text and bytes, and pieces for dnsmasq, ISC dhcpd
and Kea. The address holds no secret: such a phone comes without credentials. It waits
in perch pending, or proves itself by its maker's certificate, or its password is typed.
Needs no server.`
}

// Run prints the hints.
func (d dhcpHintCmd) Run(e *env) error {
	base := d.URL
	if d.Tenant != "" {
		if _, err := directory.ParseTenantCode(d.Tenant); err != nil {
			return usage{err.Error()}
		}
	}
	if base == "" {
		cfg, err := config.Load(e.config, e.environ)
		if err != nil {
			return err
		}
		p := cfg.Provisioning
		base = hint.Base(p.BaseURL, p.Listen, p.TLS.Cert != "" && p.TLS.Listen == "", d.Tenant)
	} else if d.Tenant != "" {
		base = strings.TrimSuffix(base, "/") + "/" + d.Tenant + "/"
	}
	hints, err := hint.For(all.Brands(), d.Brand, base)
	if err != nil {
		return usage{err.Error()}
	}
	if d.JSON {
		return printJSON(e.out, hints)
	}
	for i, h := range hints {
		if i > 0 {
			fmt.Fprintln(e.out) //nolint:errcheck // the next write tells
		}
		if err := printHint(e.out, h); err != nil {
			return err
		}
	}
	return nil
}

func printHint(w io.Writer, h hint.Hint) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", h.Brand)
	if h.Class != "" {
		fmt.Fprintf(&b, "  option 60 of its request begins with %q\n", h.Class)
	}
	for _, o := range h.Options {
		name := fmt.Sprintf("option %d", o.Code)
		if o.Sub != 0 {
			name += fmt.Sprintf(" suboption %d", o.Sub)
		}
		fmt.Fprintf(&b, "  %-24s %s\n  %-24s %s\n", name, o.Text, "", o.Hex)
		if o.Note != "" {
			fmt.Fprintf(&b, "  %-24s (%s)\n", "", o.Note)
		}
	}
	for _, n := range h.Notes {
		fmt.Fprintf(&b, "  note: %s\n", n)
	}
	fmt.Fprintf(&b, "  dnsmasq:\n    %s\n  ISC dhcpd:\n    %s\n  Kea, in client-classes:\n    %s\n",
		strings.Join(h.Dnsmasq, "\n    "), strings.Join(h.ISC, "\n    "), strings.ReplaceAll(h.Kea, "\n", "\n    "))
	_, err := io.WriteString(w, b.String())
	return err
}
