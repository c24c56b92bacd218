package provisioning

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"perch/hotdesk/directory"
	"perch/provisioning/brand"
	"perch/provisioning/device"
)

// file answers GET and HEAD. Names without a phone in them are shared files, of
// which there is only firmware; names with one are decided by the Door before anything
// about the phone shows.
func (h *Handler) file(x *exchange) {
	mac, ok := h.macOf(x)
	if !ok {
		if !h.firmware(x) {
			x.notFound()
		}
		return
	}
	x.device.MAC = mac
	if a, ok := h.admit(x, mac, h.isBook(x.target.name)); ok {
		h.admitted(x, a)
	}
}

// macOf is the phone whose file is asked for: by the name, or where a phone book
// has the same name for all phones, by the last folder or the certificate.
func (h *Handler) macOf(x *exchange) (directory.MAC, bool) {
	if mac, ok := (brand.Request{Path: x.target.file()}).MAC(); ok {
		return mac, true
	}
	if !h.isBook(x.target.name) {
		return directory.MAC{}, false
	}
	if mac, err := directory.ParseMAC(x.target.phone); err == nil {
		return mac, !mac.IsZero()
	}
	return x.mac, !x.mac.IsZero()
}

// isBook tells whether a name is a phone book of some brand.
func (h *Handler) isBook(name string) bool {
	return slices.ContainsFunc(h.brands, func(b brand.Brand) bool {
		_, ok := b.Book.Part(name)
		return ok
	})
}

// admit asks the Door about a phone's file; where the phone may not have it, it
// has been answered. aside is that of device.Request.
func (h *Handler) admit(x *exchange, mac directory.MAC, aside bool) (device.Answer, bool) {
	a, err := h.door.Admit(x.r.Context(), device.Request{
		MAC: mac, Folder: x.target.folder, Token: x.target.token,
		Authorization: x.r.Header.Get("Authorization"), Method: x.r.Method, URI: x.r.RequestURI,
		Source: source(x.r), Certified: x.mac, Aside: aside, Phone: x.phone, UserAgent: x.r.UserAgent(),
	})
	switch {
	case err != nil:
		x.unavailable(err)
	case a.Verdict == device.Challenge:
		h.challenge(x, a.Stale)
	case a.Verdict == device.Refused:
		x.failed = true
		x.notFound()
	default:
		x.device, x.by = a.Device.ID, a.By
		return a, true
	}
	return a, false
}

// admitted writes the file for a phone that proved itself.
func (h *Handler) admitted(x *exchange, a device.Answer) {
	if a.Device.Brand != "" {
		b, _ := brand.ParseName(a.Device.Brand)
		x.brand = b
	}
	b, ok := h.brands.Find(string(x.brand))
	if !ok || !b.HasTemplates() {
		x.notFound()
		return
	}
	if part, ok := b.Book.Part(x.target.name); ok {
		h.book(x, a, b, part)
		return
	}
	f := b.File(x.target.file())
	switch f.Kind {
	case brand.Device:
		h.account(x, a, b, f)
	case brand.Boot:
		out, err := b.Render(brand.Desk{MAC: f.MAC}, f)
		if err != nil {
			x.broken(err)
			return
		}
		x.send(out, Digest(out.Body))
	default:
		x.notFound()
	}
}

// account writes the file that carries the account, and tells the witness.
func (h *Handler) account(x *exchange, a device.Answer, b brand.Brand, f brand.File) {
	ctx := x.r.Context()
	desk, session, err := h.desks.Desk(ctx, x.known(a.Device))
	switch {
	case errors.Is(err, ErrGone):
		x.notFound()
		return
	case err != nil:
		x.unavailable(fmt.Errorf("provisioning: desk: %w", err))
		return
	}
	h.fill(x, a, &desk)
	out, report, err := h.cache.Write(b, desk, f)
	if err != nil {
		x.broken(err)
		return
	}
	x.dropped, x.faults = len(out.Dropped)+len(out.Absent), report.Faults
	digest := Digest(out.Body)
	if !x.send(out, digest) || x.r.Method != http.MethodGet || !out.Account {
		return
	}
	// The phone has the file whether or not it waits for the end of this request.
	told, cancel := context.WithTimeout(context.WithoutCancel(ctx), h.timeout)
	defer cancel()
	err = h.witness.Fetched(told, Fetched{
		Device: a.Device.ID, File: f.Name, Session: session, Digest: digest, Keys: out.Keys, Phone: x.phone,
		UserAgent: x.r.UserAgent(), URL: desk.Provisioning.URL, Host: desk.Server.Host, Same: x.code == http.StatusNotModified,
		Number: number(desk), Masked: masked(b, desk, f),
	})
	if err != nil {
		x.err = fmt.Errorf("provisioning: fetched: %w", err)
	}
}

// number is the extension that a desk is, empty for an idle one.
func number(d brand.Desk) string {
	if !d.Bound {
		return ""
	}
	return d.Account.User
}

// masked writes a desk's file as people may see it.
func masked(b brand.Brand, d brand.Desk, f brand.File) func() ([]byte, error) {
	return func() ([]byte, error) {
		out, _, err := b.Write(d.Masked(), f)
		return out.Body, err
	}
}

// known is the device with what the request tells of it where the directory
// says nothing: templates are chosen by brand and model.
func (x *exchange) known(d directory.Device) directory.Device {
	if d.Brand == "" {
		d.Brand = string(x.brand)
	}
	if d.Model == "" && x.phone.Brand == x.brand {
		d.Model = x.phone.Model
	}
	return d
}

// fill adds what only the request knows.
func (h *Handler) fill(x *exchange, a device.Answer, d *brand.Desk) {
	d.MAC = a.Device.ID.MAC
	if d.Model == "" && x.phone.Brand == x.brand {
		d.Model = x.phone.Model
	}
	if !d.Modules.Known {
		d.Modules = x.phone.Modules
	}
	if d.Account.AuthUser == "" {
		d.Account.AuthUser = d.MAC.String()
	}
	if d.Server.Host == "" {
		d.Server.Host = arrivedAt(x.r)
	}
	token, root := d.Provisioning.Token.Reveal(), d.Provisioning.Root
	if root == "" {
		root = h.baseFor(x.r)
	}
	if d.Provisioning.URL == "" {
		d.Provisioning.URL = root + x.target.prefix(a.Tenant, token)
	}
	if d.BookURL == "" && h.books != nil && token != "" {
		d.BookURL = h.baseFor(x.r) + "t/" + token + "/"
	}
	if d.ScreenURL == "" && h.screen != nil && token != "" {
		d.ScreenURL = root + h.screen(token, d.MAC)
	}
	if d.Provisioning.User == "" {
		d.Provisioning.User, d.Provisioning.Password = d.MAC.String(), a.Secret
	}
}

// send writes a file, or that the phone has it; true when it did.
func (x *exchange) send(out brand.Rendered, digest string) bool {
	etag := `"` + digest[:32] + `"`
	h := x.headers()
	h.Set("ETag", etag)
	if matches(x.r.Header.Values("If-None-Match"), etag) {
		x.code = http.StatusNotModified
		x.w.WriteHeader(x.code)
		return true
	}
	h.Set("Content-Type", out.ContentType)
	h.Set("Content-Length", strconv.Itoa(len(out.Body)))
	x.code = http.StatusOK
	x.w.WriteHeader(x.code)
	if x.r.Method == http.MethodHead {
		return true
	}
	if _, err := x.w.Write(out.Body); err != nil {
		x.err = fmt.Errorf("provisioning: write: %w", err)
		return false
	}
	return true
}

// matches compares an If-None-Match list weakly (RFC 9110 section 13.1.2).
func matches(values []string, etag string) bool {
	for _, v := range values {
		for tag := range strings.SplitSeq(v, ",") {
			tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
			if tag == etag || tag == "*" {
				return true
			}
		}
	}
	return false
}

// Digest names a rendering: SHA-256 in hex. It is what Fetched carries.
func Digest(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// retryAfter is when a phone may come again after 503.
const retryAfter = 30 * time.Second
