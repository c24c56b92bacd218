package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
)

// Sets are the closed sets whose words belong to other packages. Each becomes
// the values of a label; "other" is added to every one.
type Sets struct {
	Brands          []string // names of the phone brands Perch has templates for
	Doors           []string // hotdesk's doors: feature-code, phone-app, portal, api, cli
	LoginResults    []string // "ok" and hotdesk's reasons for a refusal
	Acts            []string // of the audit: login, logout, refused, ...
	Ends            []string // why a binding ends: logout, move, expired, idle, ...
	Steps           []string // steps of a login trace: accepted ... lit
	BanReasons      []string // why an address is banned: internal/ratelimit's
	StoreOps        []string // operations of the store, one per script or kind of read
	AlarmKinds      []string // why somebody at the phones' web server is suspicious: provisioning/device's
	UpstreamStates  []string // states of a registration at an upstream
	UpstreamReasons []string // why one fails
	Views           []string // subscribers of the event bus that may lose events
}

// Metrics holds one recorder per area. A nil *Metrics is not useful, but each
// nil recorder is: it records nothing.
type Metrics struct {
	SIP          *SIP
	Registrar    *Registrar
	Flows        *Flows
	Upstream     *Upstream
	Logins       *Logins
	Features     *Features
	Calls        *Calls
	Reloads      *Reloads
	Notifier     *Notifier
	Provisioning *Provisioning
	Store        *Store
	Events       *Events
	HTTP         *HTTP
	Turns        *Turns
	Alarms       *Alarms
	Audit        *Audit
}

// New builds every recorder and registers its series with reg. It panics, as
// Prometheus does, when reg holds series of the same names already: one
// registry serves one server.
func New(reg prometheus.Registerer, sets Sets) *Metrics {
	return &Metrics{
		SIP:          newSIP(reg, sets.BanReasons),
		Registrar:    newRegistrar(reg),
		Flows:        newFlows(reg),
		Upstream:     newUpstream(reg, sets),
		Logins:       newLogins(reg, sets),
		Features:     newFeatures(reg),
		Calls:        newCalls(reg),
		Reloads:      newReloads(reg, sets),
		Notifier:     newNotifier(reg, sets),
		Provisioning: newProvisioning(reg, sets),
		Store:        newStore(reg, sets),
		Events:       newEvents(reg, sets),
		HTTP:         newHTTP(reg),
		Turns:        newTurns(reg),
		Alarms:       newAlarms(reg, sets.AlarmKinds),
		Audit:        newAudit(reg, sets),
	}
}
