package api

import (
	"cmp"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"perch/hotdesk/reload"
)

// Prefix is where every route of this API is.
const Prefix = "/api/v1"

// Bounds of a request's body, in bytes, and of the time in which it must come.
const (
	maxBody      = 64 << 10
	maxFile      = 64 << 20 // a directory file
	fileReadTime = 5 * time.Minute
)

// server is the handlers' shared state; immutable once built.
type server struct {
	Parts
	reloads *reload.Desk
	streams chan struct{} // a slot for each event stream that may be open
}

// New builds the handler of everything under Prefix. It refuses a token that
// could be guessed.
func New(p Parts) (http.Handler, error) {
	if len(p.Token) < 20 {
		return nil, errors.New("api: the token must have at least 20 characters")
	}
	if p.Now == nil {
		p.Now = time.Now
	}
	s := &server{Parts: p, reloads: reload.NewDesk(p.Store, p.Store, p.Store, p.Now), streams: make(chan struct{}, maxStreams)}
	mux := http.NewServeMux()
	s.routes(humago.NewWithPrefix(mux, Prefix, s.config()))
	return s.authorized(orProblem(mux)), nil
}

func (s *server) config() huma.Config {
	c := huma.DefaultConfig("Perch", cmp.Or(s.Version, "dev"))
	c.Info.Description = "Who sits where, and what their phones made of it. " +
		"Every request carries `Authorization: Bearer <token>`; the token is in the server's data_dir, file " + TokenFile + ". " +
		"Errors are problem documents (RFC 9457); 503 with Retry-After means that the store does not answer and nothing was changed by guesswork."
	c.DocsPath, c.SchemasPath, c.CreateHooks = "", "", nil
	c.RejectUnknownQueryParameters = true
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer"}, "person": {Type: "http", Scheme: "basic"}}
	c.Security = []map[string][]string{{"token": {}}}
	return c
}

// routes is the whole API, one line each.
func (s *server) routes(a huma.API) {
	huma.Register(a, op("login", http.MethodPost, "/login", "Log an extension in at a device, as an admin: no PIN, and whoever sits there makes room"), s.login)
	huma.Register(a, op("logout", http.MethodPost, "/logout", "Log an extension out at one device or at all, as an admin"), s.logout)
	huma.Register(a, op("reload", http.MethodPost, "/reload", "Make one device, or all that match, take their configuration"), s.reload)
	huma.Register(a, op("mapping", http.MethodGet, "/mapping", "Who sits where"), s.mapping)
	huma.Register(a, op("devices", http.MethodGet, "/devices", "The devices and how each stands"), s.devices)
	huma.Register(a, op("trace", http.MethodGet, "/devices/{mac}/trace", "The newest trace of a device, step by step"), s.trace)
	huma.Register(a, op("registrations", http.MethodGet, "/registrations", "The contacts that are registered"), s.registrations)
	huma.Register(a, op("pending", http.MethodGet, "/pending", "The phones that asked for a configuration and are in no directory"), s.pending)
	huma.Register(a, op("adopt", http.MethodPost, "/adopt", "Take such a phone into a tenant"), s.adopt)
	s.policyRoutes(a)
	s.enrolRoutes(a)
	s.historyRoutes(a)
	s.templateRoutes(a)
	s.screenRoutes(a)
	s.callRoutes(a)
	s.auditRoutes(a)
	s.lockoutRoutes(a)
	s.upstreamRoutes(a)
	s.qrRoutes(a)
	huma.Register(a, eventsOperation(), s.events)
	huma.Register(a, sipTraceOperation(), s.sipTrace)
	huma.Register(a, applyOperation(), s.apply)
	huma.Register(a, exportOperation(), s.export)
}

func op(id, method, path, summary string) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: method, Path: path, Summary: summary, MaxBodyBytes: maxBody,
		Errors: []int{http.StatusUnauthorized, http.StatusNotFound, http.StatusConflict, http.StatusServiceUnavailable},
	}
}
