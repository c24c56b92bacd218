package main

import (
	"fmt"
	"strings"

	"perch/provisioning/brand"
	"perch/provisioning/brand/all"
)

type identifyCmd struct {
	Path              string   `placeholder:"PATH" help:"Path of the HTTP request, as /001565aabb01.cfg."`
	UserAgent         string   `placeholder:"TEXT" help:"User-Agent of the HTTP request."`
	RegisterUserAgent string   `placeholder:"TEXT" help:"User-Agent of a REGISTER."`
	Header            []string `sep:"none" placeholder:"'NAME: VALUE'" help:"Another header of the HTTP request; may be repeated."`
	JSON              bool     `name:"json" help:"Print one JSON object."`
}

// identified is the answer; absent is null.
type identified struct {
	Brand    *string `json:"brand"`
	Model    *string `json:"model"`
	Firmware *string `json:"firmware"`
	MAC      *string `json:"mac"`
}

// Run answers from the brands that are built in.
func (i identifyCmd) Run(e *env) error {
	if i.Path == "" && i.UserAgent == "" && i.RegisterUserAgent == "" && len(i.Header) == 0 {
		return usage{"give at least one of --path, --user-agent, --register-user-agent, --header"}
	}
	r := brand.Request{Path: i.Path, UserAgent: i.UserAgent, SIPUserAgent: i.RegisterUserAgent, Header: map[string][]string{}}
	for _, h := range i.Header {
		name, value, ok := strings.Cut(h, ":")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return usage{fmt.Sprintf("--header %q: write it as 'Name: value'", h)}
		}
		r.Header[name] = append(r.Header[name], strings.TrimSpace(value))
	}
	p, known := all.Brands().Identify(r)
	var out identified
	for _, f := range []struct {
		to    **string
		value string
	}{{&out.Brand, string(p.Brand)}, {&out.Model, p.Model}, {&out.Firmware, p.Firmware}} {
		if f.value != "" {
			*f.to = &f.value
		}
	}
	if !p.MAC.IsZero() {
		mac := p.MAC.String()
		out.MAC = &mac
	}
	if i.JSON {
		return printJSON(e.out, out)
	}
	if !known {
		fmt.Fprintln(e.out, "no phone that Perch knows sends this")
		return nil
	}
	return table(e.out, []string{"BRAND", "MODEL", "FIRMWARE", "MAC"}, [][]string{{or(out.Brand), or(out.Model), or(out.Firmware), or(out.MAC)}})
}
