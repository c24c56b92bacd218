package app

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"perch/hotdesk/directory"
	"perch/internal/config"
	"perch/internal/store"
	"perch/provisioning/desk"
	"perch/provisioning/phoneapp"
)

// outside is the second address of this server, for phones outside of the house.
type outside struct {
	root string // of its web server, ending in a slash; empty: there is none
	name string // host of that
	host string // registrar
	port int    // of it; 0: as inside
}

func outsideOf(c config.Provisioning) outside {
	if c.ExternalURL == "" {
		return outside{}
	}
	o := outside{root: rootOf(c.ExternalURL)}
	if u, err := url.Parse(c.ExternalURL); err == nil {
		o.name = u.Host
		o.host = u.Hostname()
	}
	if host, port, err := net.SplitHostPort(c.ExternalRegistrar); err == nil {
		o.host = host
		o.port, _ = strconv.Atoi(port) // checked with the configuration
	} else {
		o.host = cmp.Or(strings.Trim(c.ExternalRegistrar, "[]"), o.host)
	}
	return o
}

// place is where a phone finds Perch: outside, once somebody has said so there.
func (d *desks) place(p directory.Phone) desk.Place {
	at := desk.Place{Server: d.server, URL: d.url}
	if d.outer.root == "" || p.Place != directory.PlaceExternal {
		return at
	}
	at.Root, at.Server.Host = d.outer.root, d.outer.host
	if d.outer.port != 0 {
		at.Server.Port = d.outer.port
	}
	return at
}

// moved is a folder that a phone was told, under the root that it would be told
// now.
func moved(folder, root string) string {
	if root == "" || folder == "" || strings.HasPrefix(folder, root) {
		return folder
	}
	u, err := url.Parse(folder)
	if err != nil {
		return folder
	}
	return root + strings.TrimPrefix(u.EscapedPath(), "/")
}

// rootFor is where the phone that sent a request reaches its pages: it stays at
// the address that it came by.
func (a *App) rootFor(inside func(*http.Request) string) func(*http.Request) string {
	o := a.desks.outer
	return func(r *http.Request) string {
		if o.root != "" && strings.EqualFold(r.Host, o.name) {
			return o.root
		}
		return inside(r)
	}
}

// places notes which login button was pressed; nil where there is one only.
func (a *App) places() phoneapp.Places {
	if a.desks.outer.root == "" {
		return nil
	}
	return chosen{a.store}
}

type chosen struct{ store *store.Store }

// Choose implements phoneapp.Places.
func (c chosen) Choose(ctx context.Context, d directory.DeviceID, place string) error {
	return c.store.SetPlace(ctx, d, place, time.Now())
}
