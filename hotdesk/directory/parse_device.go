package directory

import (
	"slices"
	"strings"
)

func (p *parser) device(f field, t *tenantScope) {
	d := Device{ID: DeviceID{Tenant: t.Code}}
	var secret, sip, policy field
	if !p.object(f.place, f.node, func(g field) bool {
		switch g.key {
		case "mac":
			d.ID.MAC = p.mac(g)
		case "brand":
			d.Brand = p.brand(g)
		case "model":
			d.Model = p.word(g)
		case "desk":
			d.Desk = p.text(g)
		case "site":
			if d.Site = p.name(g); d.Site != "" {
				t.siteRefs = append(t.siteRefs, siteRef{g, d.Site})
			}
		case "address":
			d.Address = p.address(g)
		case "emergency_caller_id":
			d.EmergencyCallerID = p.match(g, callerForm, "a telephone number such as \"+493012345\"")
		case "owner":
			d.Owner = p.owner(g)
		case "secret":
			secret = g
		case "sip_secret":
			sip = g
		case "epoch":
			d.Epoch = p.generation(g)
		case "token_gen":
			d.TokenGen = p.generation(g)
		case "digest":
			d.Digest = p.digest(g)
		case "template":
			d.Template = p.templateName(g, t)
		case "variables":
			d.Variables = p.variables(g)
		case "policy":
			policy = g
		default:
			return false
		}
		return true
	}, "mac", "brand", "model", "desk", "site", "address", "emergency_caller_id", "owner", "secret", "sip_secret", "digest", "template", "variables", "policy", "epoch", "token_gen") {
		return
	}
	if d.ID.MAC.IsZero() && !has(f, "mac") {
		p.fault(f, "has no mac: every device needs one, such as 00:15:65:aa:bb:01")
	}
	p.ifThere(secret, func(g field) { d.Secret = p.sealed(g, d.ID.SecretContext("secret"), d.ID.MAC.String()) })
	p.ifThere(sip, func(g field) { d.SIPSecret = p.sealed(g, d.ID.SecretContext("sip_secret"), d.ID.MAC.String()) })
	p.ifThere(policy, func(g field) { d.Policy = p.policy(g, t) })
	if p.room(f, len(p.file.Devices)) {
		p.file.Devices = append(p.file.Devices, d)
		p.file.deviceLines = append(p.file.deviceLines, f.node.Line)
	}
}

// mac reads a MAC address, unique in the installation.
func (p *parser) mac(f field) MAC {
	m, err := ParseMAC(p.word(f))
	if err != nil {
		p.fault(f, "%v", err)
		return MAC{}
	}
	if line, dup := p.macs[m]; dup {
		p.fault(f, "MAC %s is already on line %d: a phone belongs to one tenant, once", m, line)
		return m
	}
	p.macs[m] = f.node.Line
	return m
}

// brand reads a vendor's name. Any is kept; one without templates warns.
func (p *parser) brand(f field) string {
	s := strings.ToLower(p.word(f))
	if s == "" {
		return ""
	}
	if !brandForm.MatchString(s) {
		p.fault(f, "must be a vendor's name of a-z, 0-9 and -, such as yealink")
		return ""
	}
	if len(p.brands) > 0 && !slices.Contains(p.brands, s) {
		p.warn(f, "no templates for brand %s: the phone can register, dial and be logged in, but its configuration files are 404; there are templates for %s", s, strings.Join(p.brands, ", "))
	}
	return s
}

// owner reads a number; whether there is such an extension is known when the
// file meets the store.
func (p *parser) owner(f field) string {
	s := p.word(f)
	if s == "" {
		return ""
	}
	if _, err := ParseNumber(s); err != nil {
		p.fault(f, "%v", err)
		return ""
	}
	return s
}

// generation reads a counter that export wrote. It never goes back: what was
// renewed stays renewed.
func (p *parser) generation(f field) int {
	if n := p.integer(f, 0, 1<<30); n != nil {
		return *n
	}
	return 0
}
