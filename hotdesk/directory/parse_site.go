package directory

func (p *parser) site(f field, t *tenantScope) {
	var s Site
	var policy field
	if !p.object(f.place, f.node, func(g field) bool {
		switch g.key {
		case "code":
			s.Code = p.name(g)
		case "time_zone":
			s.TimeZone = p.zone(g)
		case "address":
			s.Address = p.address(g)
		case "emergency_caller_id":
			s.EmergencyCallerID = p.match(g, callerForm, "a telephone number such as \"+493012345\"")
		case "front_desk":
			s.FrontDesk = p.owner(g)
		case "placeholder":
			s.Placeholder = p.word(g)
		case "variables":
			s.Variables = p.variables(g)
		case "policy":
			policy = g
		default:
			return false
		}
		return true
	}, "code", "time_zone", "address", "emergency_caller_id", "front_desk", "placeholder", "variables", "policy") {
		return
	}
	switch {
	case s.Code == "" && !has(f, "code"):
		p.fault(f, "has no code: every site needs one, such as code: berlin")
	case t.sites[s.Code]:
		p.fault(f, "site %s is listed twice: keep one of the two", s.Code)
	}
	t.sites[s.Code] = true
	p.ifThere(policy, func(g field) { s.Policy = p.policy(g, t) })
	t.Sites = append(t.Sites, s)
}

func (p *parser) address(f field) Address {
	var a Address
	p.object(f.place, f.node, func(g field) bool {
		switch g.key {
		case "country":
			a.Country = p.match(g, countryForm, "two capital letters (ISO 3166), such as DE")
		case "state":
			a.State = p.word(g)
		case "city":
			a.City = p.word(g)
		case "postal_code":
			a.PostalCode = p.word(g)
		case "street":
			a.Street = p.word(g)
		case "building":
			a.Building = p.word(g)
		case "floor":
			a.Floor = p.word(g)
		case "room":
			a.Room = p.word(g)
		default:
			return false
		}
		return true
	}, "country", "state", "city", "postal_code", "street", "building", "floor", "room")
	return a
}

func (p *parser) policy(f field, t *tenantScope) Policy {
	var o Policy
	p.object(f.place, f.node, func(g field) bool {
		switch g.key {
		case "max_logins":
			o.MaxLogins = p.integer(g, 1, 1000)
		case "on_conflict":
			o.OnConflict = p.oneOf(g, Move, Deny)
		case "on_occupied":
			o.OnOccupied = p.oneOf(g, Replace, Deny, Ask)
		case "max_session":
			o.MaxSession = p.duration(g)
		case "logout_at":
			o.LogoutAt = p.match(g, logoutForm, "a time of day such as \"18:30\", or never")
		case "idle_logout":
			o.IdleLogout = p.duration(g)
		case "max_defer":
			o.MaxDefer = p.duration(g)
		case "sites":
			o.Sites = p.policySites(g, t)
		case "pin_source":
			o.PINSource = p.set(g, false, PINOwn, PINVoicemail, PINTenant)
		case "supervisors":
			o.Supervisors = p.boolean(g)
		case "login_key":
			o.LoginKey = p.boolean(g)
		case "screen":
			o.Screen = p.screenPolicy(g)
		case "warn_before":
			o.WarnBefore = p.duration(g)
		case "shift":
			if o.Shift = p.name(g); o.Shift != "" {
				t.calendarRefs = append(t.calendarRefs, calendarRef{g, o.Shift})
			}
		case "pin_change":
			o.PINChange = p.boolean(g)
		case "pin_min":
			o.PINMin = p.integer(g, 1, 32)
		case "pin_weak":
			o.PINWeak = p.oneOf(g, Deny, Allow)
		default:
			return false
		}
		return true
	}, policyKeys()...)
	p.policySense(f, o, t)
	return o
}

// policySites reads a list of site codes; that they exist is checked when all
// sites of the tenant are known.
func (p *parser) policySites(f field, t *tenantScope) []string {
	out := []string{}
	if p.list(f, maxList, func(g field) {
		code := p.name(g)
		out = append(out, code)
		t.siteRefs = append(t.siteRefs, siteRef{g, code})
	}) == noList {
		return nil
	}
	return out
}

// siteRef is a use of a site's code.
type siteRef struct {
	field
	code string
}

func (p *parser) checkSites(t *tenantScope) {
	for _, r := range t.siteRefs {
		if r.code != "" && !t.sites[r.code] {
			p.fault(r.field, "site %s is not one of the tenant's sites: add it there or correct it", r.code)
		}
	}
}
