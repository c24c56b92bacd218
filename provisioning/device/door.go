// Package device decides which phone sent a request and whether it may have
// what it asks for: by its client certificate, by its secret (HTTP Basic or
// Digest, RFC 7617 and RFC 7616) or by the token in its URL. It works on plain
// values and knows no HTTP server, no brand and no store. Its promise: without
// credentials every device file gets the same answer, and credentials that open
// nothing get one answer and cost the same, whether the phone exists or not.
package device

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"perch/hotdesk/directory"
	"perch/provisioning/brand"
	"perch/sip/digest"
)

// Request is one request for a file that names a phone.
type Request struct {
	MAC           directory.MAC // that the file name carries
	Folder        string        // the tenant that the path may name; empty: none
	Token         string        // of the path; empty: none
	Authorization string        // header value as sent; empty: none
	Method, URI   string        // as sent: they are hashed as written
	Source        string        // the sender's address
	Certified     directory.MAC // that a client certificate of a trusted authority holds; zero: none
	Screen        bool          // a page of the phone's own screen: its token may be the last but one for a while
	// Aside tells that the address was not that of the phone's configuration, as
	// of a screen or a phone book: to come by it does not show that the phone
	// fetches its files by the same generation. Some brands keep the address of
	// their files whatever a file says.
	Aside     bool
	Phone     brand.Phone // what the request tells of it
	UserAgent string
}

// Record is a device as this package needs it.
type Record struct {
	Device directory.Device
	Secret directory.Secret // HTTP password that its next file carries; empty opens nothing
	// Former are passwords that open as well: those of the generation that the
	// phone has shown, until it shows the next.
	Former   []Former
	Proofs   directory.Proofs
	Networks []netip.Prefix // addresses that the tenant allows; empty: all
}

// Former is a password of an earlier generation.
type Former struct {
	Turn   int
	Secret directory.Secret
}

// ErrUnknown is a Store's answer for a MAC that no tenant has.
var ErrUnknown = errors.New("device: unknown")

// Store is where devices are.
type Store interface {
	// DeviceByMAC finds a device in the installation, or ErrUnknown. It should
	// take as long for either.
	DeviceByMAC(ctx context.Context, mac directory.MAC) (Record, error)
	// TenantExists tells whether a folder of the path is a tenant's.
	TenantExists(ctx context.Context, code directory.TenantCode) (bool, error)
	// Shown notes that a phone has proved itself with this generation: the former
	// ones open nothing any more.
	Shown(ctx context.Context, d directory.Device, turn int) error
}

// Tokens checks path tokens, in constant time. For an unknown device it is
// asked about the zero DeviceID, costs the same and says no.
type Tokens interface {
	CheckDeviceToken(token string, tenant directory.TenantCode, mac directory.MAC, gen, turn int) bool
}

// Limiter slows down who guesses a device's secret. It is asked about an
// address together with a MAC, so that nobody can shut out a phone from
// elsewhere. A request without credentials is never a failure.
type Limiter interface {
	Allowed(source string, mac directory.MAC) bool
	Failed(source string, mac directory.MAC)
}

// Verdict is the answer to a request.
type Verdict int

// The verdicts.
const (
	Refused   Verdict = iota // credentials that open nothing: 404
	Challenge                // no credentials, or a nonce that is no longer good: 401
	Admitted
)

// Answer is a verdict with what goes with it.
type Answer struct {
	Verdict Verdict
	Device  directory.Device // when Admitted
	Secret  directory.Secret // when Admitted
	By      string           // when Admitted: "certificate", "token", "basic" or "digest"
	Proofs  directory.Proofs // when Admitted: as they stand
	Stale   bool             // of a Challenge: the nonce was too old
	// Tenant tells that the request's folder is the device's tenant: the phone
	// comes back under it.
	Tenant bool
}

// Realm is the protection space of every device file.
const Realm = "perch"

// Door admits phones. Its Run reports the unknown ones.
type Door struct {
	store   Store
	tokens  Tokens
	nonces  *digest.Nonces
	limiter Limiter
	watch   Watch
	unknown *sightings
	now     func() time.Time
}

// Parts are what a Door is made of. Limiter and Watch may be nil.
type Parts struct {
	Store   Store
	Tokens  Tokens
	Nonces  *digest.Nonces
	Limiter Limiter
	Watch   Watch
	Pending Pending
	Now     func() time.Time
}

// NewDoor makes a Door.
func NewDoor(p Parts) *Door {
	d := &Door{store: p.Store, tokens: p.Tokens, nonces: p.Nonces, limiter: p.Limiter, watch: p.Watch, now: p.Now}
	if d.limiter == nil {
		d.limiter = noLimit{}
	}
	if d.watch == nil {
		d.watch = noWatch{}
	}
	if d.now == nil {
		d.now = time.Now
	}
	d.unknown = newSightings(p.Store, p.Pending, p.Now)
	return d
}

type noLimit struct{}

func (noLimit) Allowed(string, directory.MAC) bool { return true }
func (noLimit) Failed(string, directory.MAC)       {}

// Admit decides about a request. The error is the store's: nothing is known
// then, and the phone should come again. A request without credentials is
// answered before the store is asked, so that the time says no more than the
// answer does.
func (d *Door) Admit(ctx context.Context, r Request) (Answer, error) {
	c := readCredentials(r)
	barred := d.watch.Asked(r.Source, r.MAC, c.kind != none)
	if c.kind == none || c.kind == byDigest && d.nonces.Check(c.digest.Nonce) != digest.Fresh {
		d.unknown.perhaps(r)
		return Answer{Verdict: Challenge, Stale: c.kind == byDigest}, nil
	}
	rec, err := d.store.DeviceByMAC(ctx, r.MAC)
	known := err == nil
	if err != nil && !errors.Is(err, ErrUnknown) {
		return Answer{}, fmt.Errorf("device: find: %w", err)
	}
	if !known {
		rec = Record{}
		d.unknown.perhaps(r)
	}
	allowed := d.limiter.Allowed(r.Source, r.MAC) && (!barred || !guessable(c, rec))
	turn, opens := d.opens(r, c, rec) // always: it costs the same for everybody
	switch {
	case !opens || !known || !allowed:
		if allowed {
			d.limiter.Failed(r.Source, r.MAC)
		}
		d.watch.Refused(r.Source, r.MAC)
		d.contradiction(r, rec, known)
		return Answer{}, nil
	case !within(rec.Networks, r.Source):
		d.watch.Alarm(Alarm{Kind: AlarmNetwork, Device: rec.Device.ID, Source: r.Source, At: d.now()})
		return Answer{}, nil
	}
	a, err := d.folder(ctx, r, rec, c.kind)
	if err != nil || a.Verdict != Admitted {
		return a, err
	}
	if turn > rec.Proofs.Used && !r.Screen && !r.Aside {
		if err := d.store.Shown(ctx, rec.Device, turn); err != nil {
			return Answer{}, fmt.Errorf("device: shown: %w", err)
		}
	}
	d.watch.Admitted(r.Source, r.MAC)
	return a, nil
}

// guessable tells credentials that somebody may have hit upon: a password that a
// person chose. Tokens, certificates and passwords of Perch's own are beyond
// guessing, so that a phone which was adopted at a barred address works at once.
func guessable(c credentials, rec Record) bool {
	return (c.kind == byBasic || c.kind == byDigest) && !rec.Device.MadeSecret()
}

// contradiction raises an alarm about a certificate that is good, but of another
// phone than the file's.
func (d *Door) contradiction(r Request, rec Record, known bool) {
	if r.Certified.IsZero() || r.Certified == r.MAC || !known {
		return
	}
	d.watch.Alarm(Alarm{Kind: AlarmContradiction, Device: rec.Device.ID, Source: r.Source, Other: r.Certified, At: d.now()})
}

// folder checks the folder of the path against the device's tenant. A folder
// that is no tenant's is one of those that some phones add.
func (d *Door) folder(ctx context.Context, r Request, rec Record, by kind) (Answer, error) {
	a := Answer{Verdict: Admitted, Device: rec.Device, Secret: rec.Secret, By: string(by), Proofs: rec.Proofs}
	code, err := directory.ParseTenantCode(r.Folder)
	if err != nil {
		return a, nil
	}
	if code == rec.Device.ID.Tenant {
		a.Tenant = true
		return a, nil
	}
	foreign, err := d.store.TenantExists(ctx, code)
	if err != nil {
		return Answer{}, fmt.Errorf("device: tenant: %w", err)
	}
	if foreign {
		return Answer{}, nil
	}
	return a, nil
}

// within tells whether an address is in the networks of a tenant; without any
// every address is.
func within(networks []netip.Prefix, source string) bool {
	if len(networks) == 0 {
		return true
	}
	addr, err := netip.ParseAddr(source)
	addr = addr.Unmap().WithZone("")
	return err == nil && slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// Nonce makes a nonce for a challenge.
func (d *Door) Nonce() string { return d.nonces.Issue() }

// Run reports unknown phones until ctx ends. Without it they are forgotten.
func (d *Door) Run(ctx context.Context) { d.unknown.run(ctx) }
