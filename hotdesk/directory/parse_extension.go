package directory

func (p *parser) extension(f field, t *tenantScope) {
	e := Extension{ID: ExtensionID{Tenant: t.Code}}
	var pin, voicemail, password, sip, upstream, loggedOut, policy field
	if !p.object(f.place, f.node, func(g field) bool {
		switch g.key {
		case "number":
			e.ID.Number = p.number(g, t)
		case "name":
			e.Name = p.text(g)
		case "email":
			e.Email = p.match(g, emailForm, "an e-mail address")
		case "language":
			e.Language = p.oneOf(g, Languages()...)
		case "pin":
			pin = g
		case "voicemail_pin":
			voicemail = g
		case "password":
			password = g
		case "sip_password":
			sip = g
		case "upstream":
			upstream = g
		case "logged_out":
			loggedOut = g
		case "template":
			e.Template = p.templateName(g, t)
		case "variables":
			e.Variables = p.variables(g)
		case "keys":
			p.list(g, maxList, func(g field) { e.Keys = append(e.Keys, p.key(g)) })
		case "policy":
			policy = g
		case "valid_from":
			e.ValidFrom = p.moment(g)
		case "valid_until":
			e.ValidUntil = p.moment(g)
		default:
			return false
		}
		return true
	}, "number", "name", "email", "language", "pin", "voicemail_pin", "password", "sip_password", "upstream", "logged_out", "template", "variables", "keys", "policy", "valid_from", "valid_until") {
		return
	}
	if e.ID.Number == "" && !has(f, "number") {
		p.fault(f, "has no number: every extension needs one")
	}
	if !e.ValidFrom.IsZero() && !e.ValidUntil.IsZero() && !e.ValidUntil.After(e.ValidFrom) {
		p.fault(f, "valid_until is not after valid_from: the guest would never be valid")
	}
	number := e.ID.Number
	p.ifThere(pin, func(g field) { e.PIN = p.hashed(g, e.ID.SecretContext("pin"), number) })
	p.ifThere(voicemail, func(g field) { e.VoicemailPIN = p.hashed(g, e.ID.SecretContext("pin"), number) })
	p.ifThere(password, func(g field) { e.Password = p.password(g, e.ID.SecretContext("password"), number) })
	p.ifThere(sip, func(g field) { e.SIPPassword = p.sealed(g, e.ID.SecretContext("sip_password"), number) })
	p.ifThere(upstream, func(g field) { e.Upstream = p.identity(g, e.ID) })
	p.ifThere(loggedOut, func(g field) { e.LoggedOut = p.loggedOut(g, number) })
	p.ifThere(policy, func(g field) { e.Policy = p.policy(g, t) })
	p.shortPIN(pin, e.ID, e.Policy, t)
	if p.room(f, len(p.file.Extensions)) {
		p.file.Extensions = append(p.file.Extensions, e)
		p.file.extensionLines = append(p.file.extensionLines, f.node.Line)
	}
}

// number reads an extension's number, which is unique in its tenant.
func (p *parser) number(f field, t *tenantScope) string {
	s, err := ParseNumber(p.word(f))
	if err != nil {
		p.fault(f, "%v", err)
		return ""
	}
	if line, dup := t.numbers[s]; dup {
		p.fault(f, "number %s is already on line %d: a number belongs to one extension", s, line)
		return s
	}
	t.numbers[s] = f.node.Line
	for _, e := range t.EmergencyNumbers {
		if s == e {
			p.warn(f, "%s is an emergency number: dialling it never reaches the extension", s)
		}
	}
	return s
}

// identity reads what Perch registers with at the PBX; the password is the
// PBX's choice, so it is not judged.
func (p *parser) identity(f field, id ExtensionID) *UpstreamIdentity {
	var u UpstreamIdentity
	if !p.object(f.place, f.node, func(g field) bool {
		switch g.key {
		case "username":
			u.Username = p.word(g)
		case "password":
			u.Password = p.sealed(g, id.SecretContext("upstream.password"), notOurs)
		default:
			return false
		}
		return true
	}, "username", "password") {
		return nil
	}
	if u.Username == "" && !has(f, "username") {
		p.fault(f, "has no username: say as whom to register at the PBX")
	}
	return &u
}

// keyTypes are the sidecar keys Perch can put on a phone.
var keyTypes = [...]string{"blf", "speeddial", "park", "pickup", "voicemail", "line", "dtmf", "url", "login", "logout"}

func (p *parser) key(f field) Key {
	var k Key
	if !p.object(f.place, f.node, func(g field) bool {
		switch g.key {
		case "type":
			k.Type = p.oneOf(g, keyTypes[:]...)
		case "value":
			k.Value = p.word(g)
		case "label":
			k.Label = p.text(g)
		case "priority":
			if n := p.integer(g, 1, 9); n != nil {
				k.Priority = *n
			}
		default:
			return false
		}
		return true
	}, "type", "value", "label", "priority") {
		return k
	}
	if k.Type == "" && !has(f, "type") {
		p.fault(f, "has no type: use one of blf, speeddial, park, pickup, voicemail, line, dtmf, url, login, logout")
	}
	if k.Value == "" && !has(f, "value") && k.Type != "line" && k.Type != "voicemail" && k.Type != "login" && k.Type != "logout" {
		p.fault(f, "has no value: say which number or address the key is for")
	}
	return k
}
