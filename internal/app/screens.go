package app

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/hotdesk/reload"
	"perch/provisioning"
	"perch/provisioning/device"
	"perch/provisioning/phoneapp"
)

// withScreens serves the phones' own screens beside their files.
func (a *App) withScreens(files *provisioning.Handler, door *device.Door) (http.Handler, error) {
	screens, err := phoneapp.New(phoneapp.Parts{
		Brands: a.brands, Door: door, Desk: touched{a.desk, a.store, a.log}, Reloads: byScreen{a.reloads}, Records: a.store,
		Root: a.rootFor(files.Root), Key: a.key.SubKey("phone screen"), Log: a.log,
		People: newPeople(a.store.EachExtension), PINs: a.desk, Codes: codes{a.store, a.cfg.Portal.BaseURL}, Places: a.places(),
	})
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if phoneapp.Owns(r.URL.Path) {
			screens.ServeHTTP(w, r)
			return
		}
		files.ServeHTTP(w, r)
	}), nil
}

// byScreen lets a person at the phone open a reload.
type byScreen struct{ desk *reload.Desk }

// Reload implements phoneapp.Reloader.
func (b byScreen) Reload(ctx context.Context, id string, d directory.DeviceID) error {
	return b.desk.Request(ctx, reload.Order{ID: id, Device: d, Door: hotdesk.PhoneApp})
}

// rootOf is base_url as it stands in a URL; empty where it is not set.
func rootOf(base string) string {
	if base == "" {
		return ""
	}
	return strings.TrimSuffix(base, "/") + "/"
}

// screenURL is the same as the phone got it with the configuration that came
// from this URL.
func (d *desks) screenURL(mac directory.MAC, token, from string) string {
	root := d.rootFor(from)
	if root == "" {
		return ""
	}
	return root + phoneapp.Path(token, mac)
}

// rootFor is the root of the phones' web server as the phone reaches it that got
// its configuration from this URL; empty where that is not known.
func (d *desks) rootFor(from string) string {
	if d.outer.root != "" && strings.HasPrefix(from, d.outer.root) {
		return d.outer.root
	}
	if d.base != "" {
		return d.base
	}
	u, err := url.Parse(from)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host + "/"
}

// retokened is a folder that a phone was told, with the token that it would be
// told now.
func retokened(folder, token string) string {
	before, rest, ok := strings.Cut(folder, "/t/")
	if !ok {
		return folder
	}
	_, after, _ := strings.Cut(rest, "/")
	return before + "/t/" + token + "/" + after
}
