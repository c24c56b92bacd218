// Package auth tells the handler chain who sent a SIP request: it challenges
// under the realm of the tenant that the request is for, and checks the answer
// against the credentials that may open something there: a device's account,
// the sessions bound to it, an extension's static password. It knows no store
// and no method's meaning beyond what may be authenticated; it promises that an
// unknown user, a foreign device and a wrong password look the same, and that
// nothing but a verified answer names an identity.
package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/internal/ratelimit"
	"perch/metrics"
	"perch/sip/digest"
	"perch/sip/handler"
)

// Tenants finds whose realm a request belongs to. What does not exist wraps
// hotdesk.ErrNotFound.
type Tenants interface {
	Tenant(ctx context.Context, code directory.TenantCode) (directory.Tenant, error)
	// TenantByDomain takes a SIP domain in lower case.
	TenantByDomain(ctx context.Context, domain string) (directory.Tenant, error)
	// OnlyTenant is the installation's tenant where there is exactly one.
	OnlyTenant(ctx context.Context) (directory.Tenant, error)
}

// Directory finds who a username means. What does not exist wraps
// hotdesk.ErrNotFound.
type Directory interface {
	// DeviceByMAC finds a device of whichever tenant, and who sits at it.
	DeviceByMAC(ctx context.Context, mac directory.MAC) (directory.Device, hotdesk.Seats, error)
	Extension(ctx context.Context, id directory.ExtensionID) (directory.Extension, error)
}

// Secrets derives or opens the passwords.
type Secrets interface {
	SIPPassword(t directory.TenantCode, aor directory.AOR, mac directory.MAC, s directory.SessionID) directory.Secret
	AccountPassword(d directory.Device, aor directory.AOR) (directory.Secret, error)
	StaticPassword(e directory.Extension) (directory.Secret, bool, error)
}

// Reloads is told when an ending session speaks up: its device still has the
// old configuration, so the reload is due again.
type Reloads interface {
	ArmReload(ctx context.Context, d directory.DeviceID, now time.Time) error
}

// Options are what an Auth is made of; all but the last three are required.
type Options struct {
	Tenants   Tenants
	Directory Directory
	Secrets   Secrets
	Reloads   Reloads
	Nonces    *digest.Nonces
	Window    *digest.Window
	Log       *slog.Logger
	Now       func() time.Time
	Hosts     []string       // our advertised host names, besides every IP address
	Trusted   []netip.Prefix // never locked out
	Metrics   *metrics.SIP
}

// Auth is a handler.Authenticator. Safe for use by several goroutines.
type Auth struct {
	Options
	failures *ratelimit.Failures
}

// New makes an Auth.
func New(o Options) *Auth { return &Auth{Options: o, failures: ratelimit.NewFailures(o.Trusted)} }

// Why a request was not authenticated, for the log.
const (
	whyNone      = "challenged"
	whyStale     = "stale"
	whyPassword  = metrics.DigestPassword
	whyUnknown   = metrics.DigestUnknown
	whyMalformed = metrics.DigestMalformed
	whyRealm     = metrics.DigestRealm
	whyAlgorithm = metrics.DigestAlgorithm
	whyEnding    = metrics.DigestEnding
	whyLocked    = metrics.DigestLocked
)

// attempt is one request's way through Authenticate.
type attempt struct {
	r     *handler.Request
	scope scope
	creds digest.Credentials
	algs  []digest.Algorithm // offered, and accepted
}

// Authenticate implements handler.Authenticator. Only an answer that does not
// verify counts as a failure: a missing one, another realm, a nonce that is
// old, from elsewhere or used before, and an ending session do not.
func (a *Auth) Authenticate(ctx context.Context, r *handler.Request) (handler.Identity, error) {
	sc, err := a.scopeOf(ctx, r)
	if err != nil {
		return handler.Identity{}, fmt.Errorf("auth: %w", err)
	}
	at := &attempt{r: r, scope: sc, algs: algorithms(sc.tenant.Digest)}
	why, err := at.read()
	if err != nil {
		return handler.Identity{}, err
	}
	if why != "" {
		return handler.Identity{}, a.unanswered(ctx, at, why)
	}
	// A call for help is let through a lockout: its proof is still checked, and a
	// guesser would have to call for help each time that it guesses right.
	if a.failures.Locked(r.Flow.Remote, at.creds.Username, a.Now()) && !isEmergency(r, sc.tenant) {
		return handler.Identity{}, a.challenge(at, whyLocked, false)
	}
	if a.Nonces.Check(at.creds.Nonce) != digest.Fresh {
		return handler.Identity{}, a.challenge(at, whyStale, true)
	}
	if !a.uriFits(at) {
		a.Metrics.DigestFailure(whyMalformed)
		return handler.Identity{}, &handler.Status{Code: 400, Reason: "Digest URI Differs", Why: whyMalformed} // RFC 7616 section 3.4.6
	}
	id, why, err := a.verify(ctx, at)
	if err != nil {
		return handler.Identity{}, fmt.Errorf("auth: %w", err)
	}
	if why == whyAlgorithm {
		return handler.Identity{}, a.challenge(at, why, false)
	}
	if why != "" {
		a.failures.Fail(r.Flow.Remote, at.creds.Username, a.Now())
		return handler.Identity{}, a.challenge(at, why, false)
	}
	a.failures.Succeed(r.Flow.Remote, at.creds.Username)
	if !a.Window.Use(at.creds.Nonce, at.creds.NC) {
		return handler.Identity{}, a.challenge(at, whyStale, true)
	}
	if id.Kind == handler.Ending && !isEmergency(r, id.Tenant) {
		return handler.Identity{}, a.ending(ctx, at, id)
	}
	return id, nil
}

// Challenge implements handler.Authenticator: the 401 for a request whose
// sender was known and no longer is, because its session ended meanwhile.
func (a *Auth) Challenge(ctx context.Context, r *handler.Request) error {
	sc, err := a.scopeOf(ctx, r)
	if err != nil {
		return fmt.Errorf("auth: %w", err)
	}
	return a.unanswered(ctx, &attempt{r: r, scope: sc, algs: algorithms(sc.tenant.Digest)}, whyEnding)
}

// ending answers a session that is over: a fresh challenge, never 403, which
// many phones take as final.
func (a *Auth) ending(ctx context.Context, at *attempt, id handler.Identity) error {
	if m := at.r.Method(); m == "REGISTER" || m == "SUBSCRIBE" {
		if err := a.Reloads.ArmReload(ctx, id.Device.ID, a.Now()); err != nil {
			a.Log.Warn("reload not armed", "device", id.MAC(), "error", err)
		}
	}
	at.r.Note(slog.String("device", id.MAC()))
	return a.challenge(at, whyEnding, false)
}

// unanswered challenges a request without a usable answer, with the device's
// own algorithms where the request is for one that has them.
func (a *Auth) unanswered(ctx context.Context, at *attempt, why string) error {
	if mac, ok := username(at.scope.user).mac(); ok && at.scope.known {
		d, _, err := a.Directory.DeviceByMAC(ctx, mac)
		switch {
		case err == nil && d.ID.Tenant == at.scope.tenant.Code && len(d.Digest) > 0:
			at.algs = algorithms(d.Digest)
		case err != nil && !errors.Is(err, hotdesk.ErrNotFound):
			return fmt.Errorf("auth: %w", err)
		}
	}
	return a.challenge(at, why, false)
}

// challenge makes the 401: one WWW-Authenticate for each algorithm, the
// preferred first (RFC 8760 section 2.4). Every 401 has one.
func (a *Auth) challenge(at *attempt, why string, stale bool) error {
	if why != whyNone && why != whyStale {
		a.Metrics.DigestFailure(why)
	}
	s := handler.Refuse(401, why)
	ch := digest.Challenge{Realm: at.scope.realm, Nonce: a.Nonces.Issue(), QOP: "auth", Stale: stale}
	for _, alg := range at.algs {
		ch.Algorithm = alg
		s.Headers = append(s.Headers, handler.Header("WWW-Authenticate", ch.String()))
	}
	return s
}

// algorithms reads a directory's list; MD5 where it names none that is known.
func algorithms(names []string) []digest.Algorithm {
	var out []digest.Algorithm
	for _, n := range names {
		if alg, err := digest.ParseAlgorithm(n); err == nil {
			out = append(out, alg)
		}
	}
	if out == nil {
		out = []digest.Algorithm{digest.MD5}
	}
	return out
}

// maxAuthorizations is how many credentials of one request are looked at.
const maxAuthorizations = 4

// read finds the credentials for our realm. The first result says why there
// are none to check.
func (at *attempt) read() (why string, err error) {
	why = whyNone
	for i, v := range at.r.Values("authorization") {
		if i == maxAuthorizations {
			break
		}
		c, err := digest.ParseCredentials(v)
		switch {
		case errors.Is(err, digest.ErrNotDigest):
			continue
		case err != nil:
			return "", &handler.Status{Code: 400, Reason: "Bad Authorization", Why: whyMalformed}
		case c.Realm != at.scope.realm:
			why = whyRealm
			continue
		case c.Response == "" || c.Username == "":
			continue // the empty answer that some clients begin with
		}
		at.creds = c
		return "", nil
	}
	return why, nil
}
