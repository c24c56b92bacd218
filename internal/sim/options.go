package sim

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"perch/hotdesk/directory"
)

// Brand names whose phone a virtual phone imitates.
type Brand string

// The brands that can be imitated.
const (
	Yealink     Brand = "yealink"
	Snom        Brand = "snom"
	Grandstream Brand = "grandstream"
	Poly        Brand = "poly"
	Mitel       Brand = "mitel"
	Fanvil      Brand = "fanvil"
	CiscoSPA    Brand = "cisco-spa"
	CiscoMPP    Brand = "cisco-mpp"
	Htek        Brand = "htek"
	SangomaS    Brand = "sangoma-s"
	SangomaP    Brand = "sangoma-p"
	Digium      Brand = "digium"
)

// Span is a range of durations; each use draws one from it. The zero Span is
// no delay at all.
type Span struct{ Min, Max time.Duration }

func (s Span) draw() time.Duration {
	if s.Max <= s.Min {
		return s.Min
	}
	return s.Min + rand.N(s.Max-s.Min+1)
}

func (s Span) scaled(f float64) Span {
	return Span{time.Duration(float64(s.Min) * f), time.Duration(float64(s.Max) * f)}
}

// Delays are the pauses a real phone makes. Fetch passes between the request to
// reload (or the end of a boot) and the first GET, Reload between the last file
// and its effect, Reboot between power off and the first GET.
type Delays struct{ Fetch, Reload, Reboot Span }

// DefaultDelays gives what is seen on desks, or in the makers' guides, times
// scale. Scale 0 is a phone that does everything at once.
func DefaultDelays(b Brand, scale float64) Delays {
	h, ok := habitsOf(b)
	if !ok {
		return Delays{}
	}
	return Delays{h.delays.Fetch.scaled(scale), h.delays.Reload.scaled(scale), h.delays.Reboot.scaled(scale)}
}

// Faults are ways in which phones fail in the field. The zero value has none.
type Faults struct {
	NeverFetch     bool          // answers a check-sync and then does nothing
	FetchLate      time.Duration // added before every fetch that a check-sync asked for
	NotifyStatus   int           // final status of every out-of-dialog NOTIFY, e.g. 500
	IgnoreNotify   bool          // never answers an out-of-dialog NOTIFY
	RebootTwice    bool          // boots again straight after each boot that a check-sync asked for
	NeverSubscribe bool          // registers but leaves its keys dark
}

// Options describe one phone. MAC, Brand and BaseURL are required.
type Options struct {
	MAC      directory.MAC
	Brand    Brand
	Model    string // default that of a phone which stands for the brand
	Firmware string // default one that belongs to the model

	// BaseURL is the provisioning folder as DHCP option 66 would give it:
	// http://host:8080/, with /tenant/ or /t/token/ behind it. Credentials in
	// the URL are used unless Secret is set.
	BaseURL string
	// Secret answers an HTTP challenge, with the MAC as user name, until a
	// fetched configuration brings other credentials.
	Secret directory.Secret

	// LocalIP is the address to bind; default the one that reaches BaseURL.
	LocalIP netip.Addr
	Delays  Delays
	// ChallengeNotify, when set, is the realm with which the phone challenges
	// every out-of-dialog NOTIFY; the answer must prove the SIP password which
	// the phone has at that instant.
	ChallengeNotify string
	// UnregisterFirst makes a phone whose account changed send a REGISTER with
	// Expires 0 under the old account first, as some firmwares do.
	UnregisterFirst bool
	Faults          Faults

	// T1 is the round-trip estimate of RFC 3261 section 17; default 500 ms.
	T1 time.Duration
	// Retry is the first pause after a failed boot, REGISTER or SUBSCRIBE;
	// it doubles up to 16 times itself. Default 30 s.
	Retry time.Duration
	// RoundTripper carries the HTTP requests; a fleet shares one. Default: one
	// of its own, closed with the phone.
	RoundTripper http.RoundTripper
	// OnEvent hears everything the phone does, in order, from the phone's own
	// goroutines: it must not block nor call back into the phone.
	OnEvent func(Event)
	Log     *slog.Logger // default: discard
}

// complete checks o and fills its defaults in.
func (o Options) complete() (Options, error) {
	h, ok := habitsOf(o.Brand)
	if !ok {
		return o, fmt.Errorf("sim: no such brand %q", o.Brand)
	}
	if o.MAC.IsZero() {
		return o, errors.New("sim: a phone needs a MAC")
	}
	u, err := url.Parse(o.BaseURL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return o, errors.New("sim: the base URL must be http or https with a host")
	}
	if o.Model == "" {
		o.Model = h.model
	}
	if o.Firmware == "" {
		o.Firmware = h.firmware
	}
	if strings.ContainsAny(o.Model+o.Firmware, "\r\n\x00 ") {
		return o, errors.New("sim: model and firmware are single words")
	}
	if o.T1 <= 0 {
		o.T1 = 500 * time.Millisecond
	}
	if o.Retry <= 0 {
		o.Retry = 30 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o, nil
}
