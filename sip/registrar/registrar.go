// Package registrar answers REGISTER: it turns the message into a
// location.Update, has location.Register decide over the stored contacts, has
// the store commit that, and writes the contacts into the 200. It knows neither
// Redis nor passwords; it promises that a 200 is sent only for what is stored.
package registrar

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/metrics"
	"perch/sip/handler"
	"perch/sip/location"
)

// Store keeps contacts. CommitContacts returns location.ErrConflict when they
// changed since they were read, and location.ErrSessionOver when the session of
// the request is no longer bound.
type Store interface {
	Contacts(ctx context.Context, tenant directory.TenantCode, user string) (location.Set, error)
	CommitContacts(ctx context.Context, c location.Commit) error
}

// Keeper is told of the contacts that a commit leaves and takes, so that it
// watches over their flows. It may be told of the same twice.
type Keeper interface{ Registered(c location.Commit) }

// Registrar is the REGISTER handler.
type Registrar struct {
	store   Store
	auth    handler.Authenticator
	rules   location.Rules
	metrics *metrics.Registrar
	digest  *metrics.SIP
	now     func() time.Time
	keeper  Keeper

	serviceRoute []string
}

// Options are what a Registrar is made of. Metrics may be nil; a nil Now is
// time.Now; zero Rules are location.DefaultRules.
type Options struct {
	Store    Store
	Auth     handler.Authenticator
	Rules    location.Rules
	Metrics  *metrics.Registrar
	Failures *metrics.SIP // counts good credentials used for another's AOR
	Now      func() time.Time
	Keeper   Keeper // may be nil
	// ServiceRoute is what the 200 says that requests of the phone should be
	// routed by (RFC 3608): values with angle brackets.
	ServiceRoute []string
}

// New makes a Registrar.
func New(o Options) *Registrar {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rules == (location.Rules{}) {
		o.Rules = location.DefaultRules()
	}
	return &Registrar{
		store: o.Store, auth: o.Auth, rules: o.Rules, metrics: o.Metrics, digest: o.Failures, now: o.Now,
		keeper: o.Keeper, serviceRoute: o.ServiceRoute,
	}
}

// Serve is the handler.Handler for REGISTER. It authenticates itself, so that
// one metric tells of challenges and of registrations.
func (g *Registrar) Serve(ctx context.Context, r *handler.Request) error {
	result, err := metrics.RegisterOK, error(nil)
	if s := unsupported(r); s != nil { // before authentication: RFC 3261 section 10.3 step 2
		err = s
	} else {
		err = handler.Authenticated(g.auth, nil, func(ctx context.Context, r *handler.Request) (err error) {
			result, err = g.register(ctx, r)
			return err
		})(ctx, r)
	}
	if err != nil {
		result = resultOf(err)
	}
	g.metrics.Register(result, g.now().Sub(r.Received))
	r.Note(slog.String("register", result))
	return err
}

// resultOf is the metric's word for what is not a 200.
func resultOf(err error) string {
	s := handler.StatusOf(err)
	switch {
	case s.Why == "out_of_order":
		return metrics.RegisterOutOfOrder
	case s.Code == 401:
		return metrics.RegisterChallenged
	case s.Code == 423:
		return metrics.RegisterTooBrief
	case s.Code == 403 || s.Code == 404:
		return metrics.RegisterRefused
	case s.Code == 503:
		return metrics.RegisterUnavailable
	case s.Code < 500:
		return metrics.RegisterMalformed
	}
	return metrics.RegisterError
}

// attempts bounds how often a decision is made again because another request
// for the same AOR was faster.
const attempts = 8

func (g *Registrar) register(ctx context.Context, r *handler.Request) (string, error) {
	u, err := g.update(r)
	if err != nil {
		return "", err
	}
	rules := g.rules
	rules.Jitter = rand.Float64()
	for range attempts {
		d, err := g.decide(ctx, u, rules)
		switch {
		case errors.Is(err, location.ErrConflict):
			continue
		case errors.Is(err, location.ErrSessionOver):
			return "", g.auth.Challenge(ctx, r)
		case err != nil:
			return "", err
		}
		return resultFor(d), g.accept(r, u, d)
	}
	return "", &handler.Status{Code: 503, RetryAfter: time.Second, Why: "conflict", Err: location.ErrConflict}
}

// decide runs read, decision and commit once.
func (g *Registrar) decide(ctx context.Context, u location.Update, rules location.Rules) (location.Decision, error) {
	set, err := g.store.Contacts(ctx, u.Tenant, u.AOR.User)
	if err != nil && !errors.Is(err, hotdesk.ErrNotFound) {
		return location.Decision{}, fmt.Errorf("registrar: read contacts: %w", err)
	}
	d, err := location.Register(set, u, rules, g.now())
	if err != nil {
		return d, refusal(err)
	}
	if !d.Write {
		return d, nil
	}
	if err := g.store.CommitContacts(ctx, d.Commit); err != nil {
		return d, fmt.Errorf("registrar: commit contacts: %w", err)
	}
	if g.keeper != nil {
		g.keeper.Registered(d.Commit)
	}
	return d, nil
}

func resultFor(d location.Decision) string {
	switch {
	case !d.Write:
		return metrics.RegisterQueried
	case len(d.Commit.Added) == 0 && len(d.Commit.Refreshed) == 0:
		return metrics.RegisterRemoved
	}
	return metrics.RegisterOK
}
