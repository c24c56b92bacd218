// Package phoneapp is the phone's own screen: a few pages below a device's URL
// by which a person logs in and out at the desk they stand at, and sees how the
// desk gets ready. It is a door like the others: the engine decides, this package
// asks and tells. It knows no SIP, no store and no brand by name; each brand
// draws the pages in its own dialect. Its promise: what is typed is never kept,
// logged or shown again, and a page fetched twice acts once.
package phoneapp

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/hotdesk/trace"
	"perch/provisioning/brand"
	"perch/provisioning/device"
)

// Door decides which phone sent a request; package device has it.
type Door interface {
	Admit(ctx context.Context, r device.Request) (device.Answer, error)
}

// Desk decides who sits where.
type Desk interface {
	Login(ctx context.Context, r hotdesk.LoginRequest) (hotdesk.Outcome, error)
	Logout(ctx context.Context, r hotdesk.LogoutRequest) (hotdesk.Outcome, error)
	WhoSits(ctx context.Context, seat directory.Seat) (hotdesk.Who, bool, error)
}

// Reloader makes a device take its configuration again; the id becomes the
// trace's.
type Reloader interface {
	Reload(ctx context.Context, id string, d directory.DeviceID) error
}

// Records are what the pages tell: the newest trace of a device (an error that
// wraps hotdesk.ErrNotFound where there is none), and the tenant, for the time
// zone of its sites.
type Records interface {
	Trace(ctx context.Context, d directory.DeviceID) (trace.Trace, error)
	Tenant(ctx context.Context, code directory.TenantCode) (directory.Tenant, error)
}

// People lists the extensions of a tenant for the directory page, by number. The
// list is shared: it must not be changed.
type People interface {
	People(ctx context.Context, t directory.TenantCode) ([]Person, error)
}

// Person is an entry of the directory page.
type Person struct{ Number, Name string }

// PINs lets people change their PIN; the engine does.
type PINs interface {
	ChangePIN(ctx context.Context, r hotdesk.PINChange) error
}

// Codes are the codes that a phone shows for somebody to confirm elsewhere. New
// wraps ErrTooMany when the device had too many lately; Waits tells whether a code
// is still to be confirmed.
type Codes interface {
	New(ctx context.Context, seat directory.Seat, code, trace string) error
	Waits(ctx context.Context, t directory.TenantCode, code string) (bool, error)
	// Address is what the picture leads to; empty where there is no such page.
	Address(t directory.TenantCode, code string) string
}

// ErrTooMany is wrapped by Codes.New.
var ErrTooMany = errors.New("phoneapp: too many codes")

// Places notes by which of two addresses a phone shall reach the server.
type Places interface {
	Choose(ctx context.Context, d directory.DeviceID, place string) error
}

// Parts are what a Handler is built from; all but those that may be nil are
// required.
type Parts struct {
	Brands  brand.List
	Door    Door
	Desk    Desk
	Reloads Reloader
	Records Records
	// Root is the folder, ending in a slash, under which the phone that sent a
	// request reaches this server.
	Root func(*http.Request) string
	Key  []byte // of 32 bytes; seals what a confirmation carries

	People People // nil: there is no directory page
	PINs   PINs   // nil: no PIN can be changed here
	Codes  Codes  // nil: no login by code
	Places Places // nil: there are no two addresses

	Log *slog.Logger
	Now func() time.Time // nil: the real clock
}

// Handler answers the pages' requests. It writes one log line per request,
// without token and query: no other logging should be put around it.
type Handler struct {
	Parts
	seals *seals
}

// New builds a Handler.
func New(p Parts) (*Handler, error) {
	s, err := newSeals(p.Key)
	if err != nil {
		return nil, err
	}
	if p.Now == nil {
		p.Now = time.Now
	}
	return &Handler{Parts: p, seals: s}, nil
}

// within bounds the work of a request: a guessed extension delays the answer by
// up to 3 s.
const within = 10 * time.Second

// visit is one request on its way to its answer.
type visit struct {
	w      http.ResponseWriter
	r      *http.Request
	ctx    context.Context
	start  time.Time
	target target
	home   string // URL of the menu, ending in a slash
	device directory.Device
	tenant directory.Tenant
	screen func(brand.Page, string) brand.Drawn
	items  int // lines of a menu
	brand  brand.Name
	model  string
	policy directory.ScreenPolicy
	// language of the texts, and the address that a login button chose
	language, place string
	// filled along the way, for the log line
	result string
	trace  string
	code   int
	err    error
	typed  []string // number and PIN: never in the log
}

// ServeHTTP answers one request. What a person asked for is done even when the
// phone does not wait for the answer.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), within)
	defer cancel()
	v := &visit{w: w, r: r, ctx: ctx, start: h.Now()}
	h.answer(v)
	h.report(v)
}

func (h *Handler) answer(v *visit) {
	var ok bool
	if v.target, ok = parseTarget(v.r.URL); !ok {
		v.notFound()
		return
	}
	if v.r.Method != http.MethodGet {
		v.w.Header().Set("Allow", "GET")
		v.plain(http.StatusMethodNotAllowed, "method not allowed\n")
		return
	}
	phone, _ := h.Brands.Identify(brand.Request{UserAgent: v.r.UserAgent(), Header: v.r.Header})
	h.drawFor(v, phone.Brand, phone.Model)
	a, err := h.Door.Admit(v.ctx, device.Request{
		MAC: v.target.mac, Token: v.target.token, Method: v.r.Method, URI: v.r.URL.Path,
		Source: source(v.r), Phone: phone, UserAgent: v.r.UserAgent(), Screen: true,
	})
	switch {
	case err != nil:
		h.away(v, err)
		return
	case a.Verdict != device.Admitted:
		v.notFound()
		return
	}
	v.device = a.Device
	if n, ok := brand.ParseName(a.Device.Brand); ok && n != v.brand {
		h.drawFor(v, n, "")
	}
	if a.Device.Model != "" {
		v.model = a.Device.Model
	}
	if v.screen == nil {
		v.notFound()
		return
	}
	v.home = h.Root(v.r) + Path(v.target.token, v.target.mac)
	if v.tenant, err = h.Records.Tenant(v.ctx, v.device.ID.Tenant); err != nil {
		h.away(v, err)
		return
	}
	site, _ := v.tenant.Site(v.device.Site)
	v.policy = directory.Resolve(v.tenant.Policy, site.Policy, v.device.Policy).Screen
	v.language = v.tenant.Spoken("")
	h.route(v)
}

// drawFor chooses the dialect.
func (h *Handler) drawFor(v *visit, name brand.Name, model string) {
	v.brand, v.model, v.screen, v.items = name, model, nil, brand.DefaultItems
	if b, ok := h.Brands.Find(string(name)); ok {
		v.screen, v.items = b.Screen, b.MenuItems()
	}
}

func (h *Handler) route(v *visit) {
	if page, ok := h.pages()[v.target.action]; ok {
		page(v)
		return
	}
	v.notFound()
}

// pages are the actions by the word in the path.
func (h *Handler) pages() map[string]func(*visit) {
	return map[string]func(*visit){
		"": h.menu, "index.xml": h.menu, // a phone may add a file to the path of an application
		"menu": h.menu, "login": h.login, "take": h.take, "logout": h.logout, "reload": h.reload, "who": h.who, "wait": h.wait,
		"login-external": h.login, "login-internal": h.login,
		"dir": h.directory, "find": h.find, "pin": h.pin, "qr": h.qr, "code": h.code,
	}
}
