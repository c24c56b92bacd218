package directory

import (
	"net/netip"
	"slices"
)

// Tenant is a customer as the store keeps it. The first domain is the one its
// AORs are written with.
type Tenant struct {
	Code             TenantCode   `json:"code"`
	Domains          []string     `json:"domains,omitempty"`
	Realm            string       `json:"realm"`            // digest realm, fixed at creation
	Digest           []string     `json:"digest,omitempty"` // challenges in order of preference: "md5", "sha-256"
	FeatureCodes     FeatureCodes `json:"feature_codes"`
	EmergencyNumbers []string     `json:"emergency_numbers,omitempty"`
	DefaultPIN       Kept         `json:"default_pin,omitzero"`
	Supervisors      []Supervisor `json:"supervisors,omitempty"`
	Language         string       `json:"language,omitempty"` // of spoken prompts, one of Languages; empty: the first
	Policy           Policy       `json:"policy,omitzero"`
	Upstream         *Upstream    `json:"upstream,omitempty"`
	Sites            []Site       `json:"sites,omitempty"`

	Networks []netip.Prefix `json:"networks,omitempty"` // from where its phones may fetch their files; empty: anywhere
	Decoys   []MAC          `json:"decoys,omitempty"`   // MACs that no phone has: who asks for one is up to no good

	Templates        []Template        `json:"templates,omitempty"`         // within a layer the later is stronger
	DefaultTemplates map[string]string `json:"default_templates,omitempty"` // brand -> named template
	Variables        map[string]string `json:"variables,omitempty"`

	Calendars []Calendar `json:"calendars,omitempty"`
}

// Calendar is a named iCalendar text (RFC 5545): the shifts that a policy's
// shift names.
type Calendar struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// Calendar finds a calendar by its name.
func (t Tenant) Calendar(name string) (Calendar, bool) {
	i := slices.IndexFunc(t.Calendars, func(c Calendar) bool { return c.Name == name })
	if i < 0 {
		return Calendar{}, false
	}
	return t.Calendars[i], true
}

// Domain is the domain of the tenant's AORs.
func (t Tenant) Domain() string {
	if len(t.Domains) == 0 {
		return ""
	}
	return t.Domains[0]
}

// AOR writes the address of record of an extension's number or of a device's
// MAC in this tenant.
func (t Tenant) AOR(user string) AOR { return AOR{User: user, Domain: t.Domain()} }

// HasDomain tells whether a SIP domain, in lower case, is one of the tenant's.
func (t Tenant) HasDomain(domain string) bool { return slices.Contains(t.Domains, domain) }

// Site finds a site by its code.
func (t Tenant) Site(code string) (Site, bool) {
	i := slices.IndexFunc(t.Sites, func(s Site) bool { return s.Code == code })
	if i < 0 {
		return Site{}, false
	}
	return t.Sites[i], true
}

// FeatureCodes are the prefixes people dial: each is a star and digits.
type FeatureCodes struct {
	Login  string `json:"login" yaml:"login"`
	Logout string `json:"logout" yaml:"logout"`
	WhoAmI string `json:"whoami" yaml:"whoami"`
	Reload string `json:"reload" yaml:"reload"`
	// Empty: there is no such code.
	PIN        string `json:"pin,omitempty" yaml:"pin"`               // change the own PIN
	Supervisor string `json:"supervisor,omitempty" yaml:"supervisor"` // log somebody in with a supervisor's PIN
}

// DefaultFeatureCodes are those of a tenant that names none.
func DefaultFeatureCodes() FeatureCodes {
	return FeatureCodes{Login: "*11", Logout: "*12", WhoAmI: "*13", Reload: "*14", PIN: "*15", Supervisor: "*16"}
}

// Supervisor is a named person whose PIN logs any phone in.
type Supervisor struct {
	Name string `json:"name"`
	PIN  Kept   `json:"pin"`
}

// Upstream is where a tenant's other numbers go.
type Upstream struct {
	URI       string   `json:"uri" yaml:"uri"`
	Trusted   []string `json:"trusted,omitempty" yaml:"trusted"`
	Emergency bool     `json:"emergency,omitempty" yaml:"emergency"`
}

// Site is a place with desks.
type Site struct {
	Code              string  `json:"code"`
	TimeZone          string  `json:"time_zone,omitempty"` // IANA name
	Address           Address `json:"address,omitzero"`
	EmergencyCallerID string  `json:"emergency_caller_id,omitempty"`
	FrontDesk         string  `json:"front_desk,omitempty"`  // number that is told of emergency calls
	Placeholder       string  `json:"placeholder,omitempty"` // name that a desk without a person shows to who is called
	Policy            Policy  `json:"policy,omitzero"`

	Variables map[string]string `json:"variables,omitempty"`
}

// Address is a civic address; Country is ISO 3166 alpha-2 (RFC 4776, RFC 5139).
type Address struct {
	Country    string `json:"country,omitempty" yaml:"country"`
	State      string `json:"state,omitempty" yaml:"state"`
	City       string `json:"city,omitempty" yaml:"city"`
	PostalCode string `json:"postal_code,omitempty" yaml:"postal_code"`
	Street     string `json:"street,omitempty" yaml:"street"`
	Building   string `json:"building,omitempty" yaml:"building"`
	Floor      string `json:"floor,omitempty" yaml:"floor"`
	Room       string `json:"room,omitempty" yaml:"room"`
}
