package directory

import (
	"fmt"
	"slices"
	"strings"
)

// tenantScope is a tenant while its part of the file is read: extensions and
// devices are read last, against what the tenant turned out to be.
type tenantScope struct {
	Tenant
	sites        map[string]bool
	siteRefs     []siteRef
	deskCodes    map[string]int
	calendarRefs []calendarRef
	policyField  field // of the tenant; where warnings point to
	numbers      map[string]int
	noLocation   []string // MACs of desks that nobody could find
}

// tenant reads one tenant of the file. The keys may come in any order, so
// whatever refers to others is read in a second pass.
func (p *parser) tenant(f field) {
	t := &tenantScope{sites: map[string]bool{}, numbers: map[string]int{}, deskCodes: map[string]int{}}
	t.FeatureCodes = DefaultFeatureCodes()
	var supervisors, policy, sites, extensions, devices, desks, calendars, defaultPIN, templates, defaultTemplates field
	is := p.object(f.place, f.node, func(g field) bool {
		switch g.key {
		case "code":
			t.Code = p.tenantCode(g)
		case "domains":
			t.Domains = p.tenantDomains(g)
		case "realm":
			t.Realm = p.match(g, realmForm, "up to 128 printable ASCII characters without quote and backslash")
		case "digest":
			t.Digest = p.digest(g)
		case "feature_codes":
			p.featureCodes(g, &t.FeatureCodes)
		case "emergency_numbers":
			t.EmergencyNumbers = p.emergencyNumbers(g)
		case "upstream":
			t.Upstream = p.upstream(g)
		case "language":
			t.Language = p.oneOf(g, Languages()...)
		case "networks":
			t.Networks = p.networks(g)
		case "decoys":
			t.Decoys = p.decoys(g)
		case "supervisors":
			supervisors = g
		case "default_pin":
			defaultPIN = g
		case "policy":
			policy = g
		case "sites":
			sites = g
		case "templates":
			templates = g
		case "default_templates":
			defaultTemplates = g
		case "variables":
			t.Variables = p.variables(g)
		case "extensions":
			extensions = g
		case "devices":
			devices = g
		case "desks":
			desks = g
		case "calendars":
			calendars = g
		default:
			return false
		}
		return true
	}, "code", "domains", "realm", "digest", "feature_codes", "emergency_numbers", "default_pin", "supervisors", "policy", "upstream", "networks", "decoys", "sites", "templates", "default_templates", "variables", "language", "calendars", "extensions", "desks", "devices")
	if !is {
		return
	}
	p.tenantDefaults(f, t)
	p.ifThere(calendars, func(g field) { p.calendars(g, t) })
	p.ifThere(sites, func(g field) { p.list(g, maxList, func(g field) { p.site(g, t) }) })
	p.ifThere(defaultPIN, func(g field) { t.DefaultPIN = p.hashed(g, t.Code.SecretContext("default_pin"), "") })
	p.ifThere(supervisors, func(g field) { p.supervisors(g, t) })
	p.ifThere(policy, func(g field) { t.policyField, t.Policy = g, p.policy(g, t) })
	p.ifThere(templates, func(g field) { p.templates(g, t) })
	p.ifThere(defaultTemplates, func(g field) { p.defaultTemplates(g, t) })
	p.ifThere(extensions, func(g field) { p.list(g, maxRecords, func(g field) { p.extension(g, t) }) })
	p.ifThere(devices, func(g field) { p.list(g, maxRecords, func(g field) { p.device(g, t) }) })
	p.ifThere(desks, func(g field) { p.list(g, maxRecords, func(g field) { p.desk(g, t) }) })
	p.checkSites(t)
	p.checkCalendars(t)
	p.seatDevices(t)
	p.warnEmergency(f, t)
	p.file.Tenants = append(p.file.Tenants, t.Tenant)
	p.file.tenantLines = append(p.file.tenantLines, f.node.Line)
}

// ifThere calls read for a field that was in the file.
func (p *parser) ifThere(f field, read func(field)) {
	if f.node != nil {
		read(f)
	}
}

func (p *parser) tenantDefaults(f field, t *tenantScope) {
	if t.Code == "" && !has(f, "code") {
		p.fault(f, "has no code: every tenant needs one, such as code: acme")
	}
	if len(t.Domains) == 0 && !has(f, "domains") {
		p.fault(f, "has no domains: every tenant needs at least one SIP domain")
	}
	if t.Digest == nil {
		t.Digest = []string{"md5"}
	}
	if t.EmergencyNumbers == nil {
		t.EmergencyNumbers = []string{"112", "110"}
	}
}

// has tells whether a mapping has a key, right or wrong: what is wrong has had
// its fault already.
func has(f field, key string) bool {
	n := f.node
	for n.Alias != nil {
		n = n.Alias
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key && !isNull(n.Content[i+1]) {
			return true
		}
	}
	return false
}

func (p *parser) tenantCode(f field) TenantCode {
	s := p.word(f)
	c, err := ParseTenantCode(s)
	if err != nil {
		p.fault(f, "%v", err)
		return ""
	}
	if line, dup := p.tenants[c]; dup {
		p.fault(f, "tenant %s is already on line %d: put both into one", c, line)
		return ""
	}
	p.tenants[c] = f.node.Line
	return c
}

func (p *parser) tenantDomains(f field) []string {
	var out []string
	if p.list(f, maxList, func(g field) {
		d := p.domain(g)
		if line, dup := p.domains[d]; dup {
			p.fault(g, "domain %s is already on line %d: a domain belongs to one tenant", d, line)
		} else if d != "" {
			p.domains[d] = g.node.Line
			out = append(out, d)
		}
	}) == 0 {
		p.fault(f, "is empty: every tenant needs at least one SIP domain")
	}
	return out
}

func (p *parser) digest(f field) []string { return p.set(f, true, "md5", "sha-256") }

// featureCodes reads the codes. The optional ones may be empty: there is no such
// code then. One that only the default has gives way to what the file says.
func (p *parser) featureCodes(f field, c *FeatureCodes) {
	said := map[string]bool{}
	form := func(g field, code *string) bool {
		said[g.key] = true
		if s := p.match(g, codeForm, "a star and 1 to 8 digits, such as \"*11\""); s != "" {
			*code = s
		}
		return true
	}
	optional := func(g field, code *string) bool {
		*code = ""
		return form(g, code)
	}
	if !p.object(f.place, f.node, func(g field) bool {
		switch g.key {
		case "login":
			return form(g, &c.Login)
		case "logout":
			return form(g, &c.Logout)
		case "whoami":
			return form(g, &c.WhoAmI)
		case "reload":
			return form(g, &c.Reload)
		case "pin":
			return optional(g, &c.PIN)
		case "supervisor":
			return optional(g, &c.Supervisor)
		}
		return false
	}, "login", "logout", "whoami", "reload", "pin", "supervisor") {
		return
	}
	names := []string{"login", "logout", "whoami", "reload", "pin", "supervisor"}
	codes := []*string{&c.Login, &c.Logout, &c.WhoAmI, &c.Reload, &c.PIN, &c.Supervisor}
	for i, a := range codes {
		for j, b := range codes {
			if i == j || *a == "" || *b == "" || !strings.HasPrefix(*b, *a) || *a == *b && i > j {
				continue
			}
			switch {
			case j >= 4 && !said[names[j]]:
				*b = ""
			case i >= 4 && !said[names[i]]:
				*a = ""
			default:
				p.fault(f, "%s (%s) begins like %s (%s): whoever dials one would get the other", names[j], *b, names[i], *a)
			}
		}
	}
}

func (p *parser) emergencyNumbers(f field) []string {
	out := []string{}
	if p.list(f, maxList, func(g field) {
		s := p.match(g, emergencyForm, "a number as it is dialled, 2 to 16 digits, such as \"112\"")
		if s == "" || slices.Contains(out, s) {
			return
		}
		out = append(out, s)
	}) == noList {
		return nil
	}
	return out
}

func (p *parser) upstream(f field) *Upstream {
	u := &Upstream{}
	is := p.object(f.place, f.node, func(g field) bool {
		switch g.key {
		case "uri":
			u.URI = p.match(g, sipURIForm, "a SIP URI such as sip:pbx.example.com:5060")
		case "trusted":
			p.list(g, maxList, func(g field) { u.Trusted = append(u.Trusted, p.prefix(g)) })
		case "emergency":
			if b := p.boolean(g); b != nil {
				u.Emergency = *b
			}
		default:
			return false
		}
		return true
	}, "uri", "trusted", "emergency")
	if !is {
		return nil
	}
	if u.URI == "" && !has(f, "uri") {
		p.fault(f, "has no uri: say where the numbers go, such as uri: sip:pbx.example.com")
	}
	return u
}

func (p *parser) supervisors(f field, t *tenantScope) {
	p.list(f, maxList, func(f field) {
		var s Supervisor
		var pin field
		if !p.object(f.place, f.node, func(g field) bool {
			switch g.key {
			case "name":
				s.Name = p.word(g)
			case "pin":
				pin = g
			default:
				return false
			}
			return true
		}, "name", "pin") {
			return
		}
		if s.Name == "" && !has(f, "name") {
			p.fault(f, "has no name: the audit needs one")
		}
		if slices.ContainsFunc(t.Supervisors, func(o Supervisor) bool { return o.Name == s.Name }) {
			p.fault(f, "supervisor %q is listed twice: keep one of the two", s.Name)
		}
		p.ifThere(pin, func(g field) { s.PIN = p.hashed(g, t.Code.SecretContext("supervisor/"+s.Name), "") })
		if s.PIN.IsZero() && !has(f, "pin") {
			p.fault(f, "has no pin: a supervisor has an own one")
		}
		t.Supervisors = append(t.Supervisors, s)
	})
}

// warnEmergency tells once per tenant of what an emergency call would lack.
func (p *parser) warnEmergency(f field, t *tenantScope) {
	if len(t.noLocation) > 0 {
		first := t.noLocation[:min(3, len(t.noLocation))]
		more := ""
		if n := len(t.noLocation) - len(first); n > 0 {
			more = fmt.Sprintf(" and %d more", n)
		}
		p.warn(f, "desks without a location: %s%s: give the device or its site an address, or an emergency call from there says nothing of where it is", strings.Join(first, ", "), more)
	}
	if t.Upstream == nil || !t.Upstream.Emergency {
		p.warn(f, "no route for emergency calls: set upstream with emergency: true, or they are answered 503")
	}
}
