// Package provisioning is the web server that phones fetch their configuration
// from. It finds the phone by the name of the file, lets package device decide
// whether it may have it, asks for what the desk shall be now, and has the
// phone's brand write it. It knows no SIP, no store and no brand by name, and
// changes nothing: what it served it tells a Witness. It promises that a phone's
// file is the same bytes as long as the desk is the same, and that answers to
// strangers do not depend on which phones exist.
package provisioning

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"perch/hotdesk/directory"
	"perch/provisioning/brand"
	"perch/provisioning/device"
)

// Desks knows who sits where.
type Desks interface {
	// Desk gives what the file of a device is made from, and the session whose
	// account it carries (empty for the device's own). Model, Modules, Server.Host
	// and Provisioning may be left empty: the request fills them. ErrGone says
	// that the device is there no more; any other error is a store that is away.
	Desk(ctx context.Context, d directory.Device) (brand.Desk, directory.SessionID, error)
}

// ErrGone is the answer of Desks for a device that was removed meanwhile.
var ErrGone = errors.New("provisioning: device is gone")

// Fetched is a file that a phone now has: it was sent, or it had it already.
type Fetched struct {
	Device    directory.DeviceID
	File      string              // base name that the phone asked for
	Session   directory.SessionID // whose account it carries; empty: the device's own
	Digest    string              // SHA-256 of the file, in hex
	Keys      []string            // BLF targets that the phone will subscribe to
	Phone     brand.Phone         // what the request told of it
	UserAgent string
	URL       string // folder that the file tells the phone to come back to
	Host      string // registrar that it names
	Same      bool   // answered 304
	Number    string // of the extension whose account it carries; empty: the device's own
	// Masked writes the same file with its secrets masked.
	Masked func() ([]byte, error)
}

// Witness is told of every served file that carries an account.
type Witness interface {
	Fetched(ctx context.Context, f Fetched) error
}

// Recorder counts answers; brand is empty when nobody recognised the phone.
type Recorder interface {
	Request(brand string, code int)
	Upload(result string) // one of the Upload words
}

// Config is what a Handler is made of.
type Config struct {
	Brands   brand.List
	Door     *device.Door
	Desks    Desks
	Witness  Witness
	Recorder Recorder // nil: nothing is counted
	Log      *slog.Logger
	// BaseURL is the folder under which phones reach this server. Empty: as the
	// phone's own request did.
	BaseURL string
	// Screen gives the path of a device's own screen below the server's root,
	// ending in a slash, which its configuration hands out: by a token of its
	// path. Nil: there is none.
	Screen func(token string, mac directory.MAC) string
	// Certified gives the MAC that the connection's client certificate proves;
	// zero: none. Nil: certificates are not asked for.
	Certified func(*tls.ConnectionState) directory.MAC
	Firmware  Firmware // nil: there is none
	Uploads   Uploads  // nil: they are thrown away
	Books     Books    // nil: there are no phone books
	// Timeout bounds one request's work; zero is 5 s.
	Timeout time.Duration
}

// Handler answers the phones. It writes one log line per request, without
// tokens or credentials: no other logging should be put around it.
type Handler struct {
	brands   brand.List
	door     *device.Door
	desks    Desks
	witness  Witness
	recorder Recorder
	log      *slog.Logger
	base     string
	screen   func(token string, mac directory.MAC) string
	proven   func(*tls.ConnectionState) directory.MAC
	timeout  time.Duration
	cache    *brand.Cache
	images   Firmware
	uploads  Uploads
	books    Books
}

// cacheBytes bounds what renderings may take: some thousand phones.
const cacheBytes = 64 << 20

// New checks the configuration and makes a Handler.
func New(c Config) (*Handler, error) {
	base, err := checkBase(c.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("provisioning: base_url: %w", err)
	}
	h := &Handler{
		brands: c.Brands, door: c.Door, desks: c.Desks, witness: c.Witness, recorder: c.Recorder,
		log: c.Log, base: base, screen: c.Screen, proven: c.Certified, timeout: c.Timeout,
		cache: brand.NewCache(cacheBytes), images: c.Firmware, uploads: c.Uploads, books: c.Books,
	}
	if h.timeout == 0 {
		h.timeout = 5 * time.Second
	}
	if h.recorder == nil {
		h.recorder = noRecorder{}
	}
	return h, nil
}

// keyCounter is a Recorder that counts keys without a place, too.
type keyCounter interface {
	Dropped(brand string, keys int)
}

type noRecorder struct{}

func (noRecorder) Request(string, int) {}
func (noRecorder) Upload(string)       {}

// exchange is one request on its way to its answer.
type exchange struct {
	w      http.ResponseWriter
	r      *http.Request
	start  time.Time
	target target
	phone  brand.Phone
	mac    directory.MAC // proved by a client certificate; zero: none
	// filled along the way, for the log line
	brand   brand.Name
	device  directory.DeviceID
	by      string // how the phone proved itself
	failed  bool   // it brought credentials that open nothing
	code    int
	err     error
	dropped int                   // keys that the phone does not show
	faults  []brand.TemplateFault // overrides that were left out
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), h.timeout)
	defer cancel()
	x := &exchange{w: w, r: r.WithContext(ctx), start: time.Now()}
	h.answer(x)
	h.recorder.Request(string(x.brand), x.code)
	if c, ok := h.recorder.(keyCounter); ok {
		c.Dropped(string(x.brand), x.dropped)
	}
	h.report(x)
}

func (h *Handler) answer(x *exchange) {
	var ok bool
	if x.target, ok = parseTarget(x.r.URL.Path, x.r.URL.RawQuery); !ok {
		x.notFound()
		return
	}
	x.phone, _ = h.brands.Identify(brand.Request{
		Path: x.target.file(), UserAgent: x.r.UserAgent(), Header: x.r.Header,
	})
	x.brand = x.phone.Brand
	if h.proven != nil && x.r.TLS != nil {
		x.mac = h.proven(x.r.TLS)
	}
	switch x.r.Method {
	case http.MethodGet, http.MethodHead:
		h.file(x)
	case http.MethodPut, http.MethodPost:
		h.upload(x)
	default:
		x.w.Header().Set("Allow", "GET, HEAD, PUT, POST")
		x.plain(http.StatusMethodNotAllowed, "method not allowed\n")
	}
}
