package directory

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// What a file says that cannot all be meant is told with the paths of both
// sides. What is refused here is what no reading makes sense of; what has a
// strict reading only warns, and the strict reading holds.

// seatDevices gives the devices of the file that stand at desks of the file
// their desk's label, site and owner, and finds desks that nobody could find in
// an emergency.
func (p *parser) seatDevices(t *tenantScope) {
	at := map[MAC]*Desk{}
	for i := range p.file.Desks {
		d := &p.file.Desks[i]
		for _, s := range d.Seats {
			if d.ID.Tenant == t.Code && at[s.MAC] == nil {
				at[s.MAC] = d
			}
		}
	}
	for i := range p.file.Devices {
		d := &p.file.Devices[i]
		if d.ID.Tenant != t.Code {
			continue
		}
		desk := Desk{}
		if found := at[d.ID.MAC]; found != nil {
			desk = *found
			p.contradicts(i, *d, desk)
			d.sitAt(desk)
		}
		site, _ := t.Site(d.Site)
		if d.Address == (Address{}) && desk.Address == (Address{}) && site.Address == (Address{}) {
			t.noLocation = append(t.noLocation, d.ID.MAC.String())
		}
	}
}

// contradicts warns where a device says something else than its desk, whose word
// counts.
func (p *parser) contradicts(i int, d Device, desk Desk) {
	tell := func(key, mine, desks string) {
		if mine != "" && desks != "" && mine != desks {
			p.warnings.add(p.file.deviceLines[i], "devices."+d.ID.MAC.String()+"."+key,
				"is %q, and %s of desks.%s is %q: the desk's counts; leave one out", mine, key, desk.ID.Code, desks)
		}
	}
	tell("desk", d.Desk, desk.Name())
	tell("site", d.Site, desk.Site)
	tell("owner", d.Owner, desk.Owner)
}

// sitAt gives a device what its desk says of it.
func (d *Device) sitAt(desk Desk) {
	d.Desk = desk.Name()
	if desk.Site != "" {
		d.Site = desk.Site
	}
	if desk.Owner != "" {
		d.Owner = desk.Owner
	}
}

// shortPIN warns of a PIN in the file that is shorter than what its own policy
// asks of people.
func (p *parser) shortPIN(pin field, id ExtensionID, own Policy, t *tenantScope) {
	if pin.node == nil {
		return
	}
	n, ok := p.follow(pin.node)
	if !ok || n.Kind != yaml.ScalarNode || isNull(n) {
		return
	}
	text := n.Value
	if is, _ := AtRest(text); is || text == "" {
		return
	}
	least, where := own.PINMin, "the extension's policy.pin_min"
	if least == nil {
		least, where = t.Policy.PINMin, "policy.pin_min"
		if t.policyField.node != nil {
			where = t.policyField.place.String() + ".pin_min"
		}
	}
	if least != nil && len(text) < *least {
		p.warn(pin, "has %d digits, and %s is %d: people could not choose it; extension %s keeps it", len(text), where, *least, id.Number)
	}
}

// policySense warns of settings of one policy that make another one useless.
func (p *parser) policySense(f field, o Policy, t *tenantScope) {
	whole := f.place
	at := func(key string) field { return field{place{&whole, key, -1}, f.node} }
	longest := o.MaxSession
	if o.WarnBefore != nil && longest != nil && *longest > 0 && *o.WarnBefore >= *longest {
		p.warn(at("warn_before"), "is %s, and %s.max_session is %s: the warning would come before the login, so there is none", o.WarnBefore.line(), whole.String(), longest.line())
	}
	if o.PINChange != nil && *o.PINChange && o.PINSource != nil && !slices.Contains(o.PINSource, PINOwn) {
		p.warn(at("pin_change"), "is true, and %s.pin_source has no own: a PIN that people chose would never count, so they cannot", whole.String())
	}
	if o.Supervisors != nil && *o.Supervisors && len(t.Supervisors) == 0 {
		p.warn(at("supervisors"), "is true, and the tenant lists no supervisors: add one to tenants[].supervisors")
	}
}
