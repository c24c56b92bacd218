package api

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"perch/hotdesk"
	"perch/hotdesk/directory"
)

// QRCode is a code that a phone shows, once it is taken.
type QRCode struct {
	Seat  directory.Seat
	Trace string // id of the login that it leads to
}

// Codes are the codes that phones show for somebody to confirm. Take gives a code
// to whoever asks first; what is over or unknown wraps hotdesk.ErrNotFound. Back
// puts one back that was not used.
type Codes interface {
	Take(ctx context.Context, t directory.TenantCode, code string) (c QRCode, back func(context.Context) error, err error)
}

// SignIn checks a person's portal password. A wrong one is a *hotdesk.Refused.
type SignIn func(ctx context.Context, r hotdesk.SignInRequest) error

// QRBody confirms a code: the extension logs in at the phone that shows it.
type QRBody struct {
	Tenant    string `json:"tenant,omitempty" maxLength:"32" doc:"Tenant; may be left out where there is only one, or with a person's own sign-in"`
	Extension string `json:"extension,omitempty" maxLength:"32" doc:"With the admin's token: who logs in. A person who signs in is who logs in"`
	Confirm   bool   `json:"confirm,omitempty" doc:"Take the desk over although somebody sits there and the policy wants to be asked"`
}

type qrInput struct {
	Code string `path:"code" minLength:"8" maxLength:"12" pattern:"^[0-9A-Za-z-]+$" doc:"As the phone shows it, with or without the dash"`
	Body QRBody
}

func (s *server) qrRoutes(a huma.API) {
	if s.Codes == nil {
		return
	}
	o := op("confirmCode", http.MethodPost, "/qr/{code}", "Confirm the code that a phone shows: log in there without a PIN")
	o.Description = "Signed in as a person: `Authorization: Basic` with `<extension>@<tenant>` and the portal password, or with the admin's token " +
		"and the extension in the body. A code is good for two minutes, once, at the one device that shows it. " +
		"Every rule of the policy holds; only the PIN is not asked for."
	o.Security = []map[string][]string{{"token": {}}, {"person": {}}}
	huma.Register(a, o, s.confirmCode)
}

// person is who signed in for this request; the zero value with the admin's token.
type person struct{ id directory.ExtensionID }

type personKey struct{}

// asPerson reads a person's own credentials, where the route takes them. ok is
// false when there are none to try.
func (s *server) asPerson(r *http.Request) (p person, ok bool, err error) {
	name, password, has := r.BasicAuth()
	if !has || s.SignIn == nil || !strings.HasPrefix(r.URL.Path, Prefix+"/qr/") {
		return person{}, false, nil
	}
	number, tenant, _ := strings.Cut(name, "@")
	p.id = directory.ExtensionID{Tenant: directory.TenantCode(tenant), Number: number}
	if _, err := directory.ParseTenantCode(tenant); err != nil {
		return p, true, &hotdesk.Refused{Why: hotdesk.BadCredentials}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	return p, true, s.SignIn(r.Context(), hotdesk.SignInRequest{
		ID: requestID(""), Door: hotdesk.Portal, Extension: p.id, Password: directory.Secret(password), Source: host,
	})
}

// personal lets a request with a person's own credentials through; false when it
// has none, and the token decides.
func (s *server) personal(next http.Handler, w http.ResponseWriter, r *http.Request) bool {
	p, ok, err := s.asPerson(r)
	if !ok {
		return false
	}
	w.Header().Set("Cache-Control", "no-store")
	if no, refused := errors.AsType[*hotdesk.Refused](err); refused {
		if no.Why == hotdesk.Locked {
			w.Header().Set("Retry-After", seconds(no.RetryAfter))
			writeProblem(w, problem(http.StatusTooManyRequests, string(no.Why), "Locked", "Too many wrong passwords from there: wait until Retry-After has passed."))
			return true
		}
		writeProblem(w, problem(http.StatusUnauthorized, "bad_credentials", "Not signed in", "Extension or password is not right."))
		return true
	}
	if err != nil {
		if !errors.Is(err, hotdesk.ErrUnavailable) {
			s.Log.ErrorContext(r.Context(), "a sign-in failed", "err", err)
		}
		w.Header().Set("Retry-After", seconds(retryAfter))
		writeProblem(w, problem(http.StatusServiceUnavailable, "unavailable", "Store unavailable", "Nothing was changed. Ask again."))
		return true
	}
	next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), personKey{}, p)))
	return true
}

func (s *server) confirmCode(ctx context.Context, in *qrInput) (*changeOutput, error) {
	who, _ := ctx.Value(personKey{}).(person)
	id, asAdmin := who.id, who.id.Number == ""
	switch {
	case asAdmin:
		tenant, err := s.tenantFor(ctx, in.Body.Tenant, directory.MAC{})
		if err != nil {
			return nil, s.fault(ctx, err)
		}
		if id = (directory.ExtensionID{Tenant: tenant, Number: in.Body.Extension}); id.Number == "" {
			return nil, badRequest("Name the extension that logs in.")
		}
	case in.Body.Extension != "" && in.Body.Extension != id.Number, in.Body.Tenant != "" && in.Body.Tenant != string(id.Tenant):
		return nil, badRequest("A person confirms for their own extension: leave extension and tenant out.")
	}
	code, back, err := s.Codes.Take(ctx, id.Tenant, strings.ToUpper(strings.ReplaceAll(in.Code, "-", "")))
	if errors.Is(err, hotdesk.ErrNotFound) {
		return nil, notFound("no_such_code", "No such code", "The code has run out, was used, or never was: let the phone show a new one.")
	}
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	req := hotdesk.LoginRequest{
		ID: code.Trace, At: s.Now(), Door: hotdesk.Portal, Device: code.Seat.Device, Line: code.Seat.Line,
		Number: id.Number, Vouched: true, Confirmed: in.Body.Confirm,
	}
	if in.Body.Confirm {
		req.ID += "-yes" // the answer to the first request is kept under its id
	}
	if asAdmin {
		req.Door, req.By = hotdesk.API, admin
	}
	out, err := s.Engine.Login(ctx, req)
	if err != nil {
		if no, refused := errors.AsType[*hotdesk.Refused](err); !refused || no.Why == hotdesk.AskFirst {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			if back(ctx) != nil {
				s.Log.WarnContext(ctx, "a code that was not used is lost", "tenant", id.Tenant)
			}
		}
		return nil, s.fault(ctx, err)
	}
	return &changeOutput{changeOf(code.Seat, out)}, nil
}
