package directory

import (
	"fmt"
	"slices"
)

// MergeOptions say how a file meets what is stored.
type MergeOptions struct {
	Keeper    Keeper
	NewSecret func() Secret // makes the HTTP password of a device that has none
	NewRealm  bool          // a tenant's realm may change: every stored digest of phones set up by hand ends
	Prune     bool          // what the file does not name will be deleted
}

// Merge lays the file over what is stored and gives the records the file
// names, as they are to be kept; stored is not changed. A secret changes only
// when the file's own value changed since it was last applied, so that
// applying a file again never undoes what people changed. Generations (epoch,
// token) never go back. Faults are conflicts with what is stored.
func (f *File) Merge(stored State, opt MergeOptions) (State, []Fault) {
	m := merger{file: f, opt: opt, old: index(stored), new: index(f.State), faults: report{file: f.Name}}
	out := State{
		Tenants:    make([]Tenant, len(f.Tenants)),
		Extensions: make([]Extension, len(f.Extensions)),
		Devices:    make([]Device, len(f.Devices)),
	}
	for i, t := range f.Tenants {
		out.Tenants[i] = m.tenant(t, f.tenantLines[i])
	}
	for i, e := range f.Extensions {
		out.Extensions[i] = m.extension(e, f.extensionLines[i])
	}
	for i, d := range f.Devices {
		out.Devices[i] = m.device(d, f.deviceLines[i])
	}
	m.desks(&out)
	if faults := m.faults.full(); len(faults) > 0 {
		return State{}, faults
	}
	return out, nil
}

type merger struct {
	file     *File
	opt      MergeOptions
	old, new lookup
	faults   report
}

func (m *merger) tenant(t Tenant, line int) Tenant {
	for _, d := range t.Domains {
		if other, taken := m.old.domains[d]; taken && other != t.Code && m.stays(other, d) {
			m.faults.add(line, "domains", "domain %s belongs to tenant %s: remove it there first (a tenant's code never changes: another code is another tenant)", d, other)
		}
	}
	old, exists := m.old.tenants[t.Code]
	switch {
	case !exists && t.Realm == "" && len(t.Domains) > 0:
		t.Realm = t.Domains[0]
	case exists && t.Realm == "":
		t.Realm = old.Realm
	case exists && t.Realm != old.Realm && !m.opt.NewRealm:
		m.faults.add(line, "realm", "tenant %s has the realm %q, fixed at its creation: passwords that phones keep hashed end with it; to change it nevertheless use --new-realm", t.Code, old.Realm)
	}
	if !exists {
		return t
	}
	if len(old.Calendars) > 0 && !m.opt.Prune {
		m.calendars(t, line)
	}
	t.DefaultPIN = settle(old.DefaultPIN, t.DefaultPIN)
	t.Supervisors = slices.Clone(t.Supervisors)
	for i, s := range t.Supervisors {
		for _, o := range old.Supervisors {
			if o.Name == s.Name {
				t.Supervisors[i].PIN = settle(o.PIN, s.PIN)
			}
		}
	}
	return t
}

// stays tells whether a domain stays with the tenant that has it now.
func (m *merger) stays(code TenantCode, domain string) bool {
	t, named := m.new.tenants[code]
	return named && t.HasDomain(domain) || !named && !m.opt.Prune
}

func (m *merger) extension(e Extension, line int) Extension {
	if what, owns := m.old.owners[e.ID]; owns && e.Guest() && !m.opt.Prune {
		if _, named := m.new.owners[e.ID]; !named { // the file's own are found with the device
			m.faults.add(line, "valid_until", "extension %s owns %s: a guest owns no desk; take the owner off there", e.ID, what)
		}
	}
	old, exists := m.old.extensions[e.ID]
	if !exists {
		return e
	}
	e.PIN = settle(old.PIN, e.PIN)
	e.VoicemailPIN = settle(old.VoicemailPIN, e.VoicemailPIN)
	e.Password = settle(old.Password, e.Password)
	e.SIPPassword = settle(old.SIPPassword, e.SIPPassword)
	if e.Upstream != nil && old.Upstream != nil {
		u := *e.Upstream
		u.Password = settle(old.Upstream.Password, u.Password)
		e.Upstream = &u
	}
	return e
}

func (m *merger) device(d Device, line int) Device {
	if tenant, taken := m.old.macs[d.ID.MAC]; taken && tenant != d.ID.Tenant && !m.opt.Prune {
		m.faults.add(line, "mac", "the phone %s belongs to tenant %s: delete it there first, or apply with --prune", d.ID.MAC, tenant)
	}
	if d.Owner != "" {
		m.owner(d.ID, d.Owner, d.ID.MAC.String(), line)
	}
	old, exists := m.old.devices[d.ID]
	if exists {
		if d.Secret.IsZero() {
			d.Secret = old.Secret
		}
		d.Secret = settle(old.Secret, d.Secret)
		d.SIPSecret = settle(old.SIPSecret, d.SIPSecret)
		d.Epoch, d.TokenGen = max(d.Epoch, old.Epoch), max(d.TokenGen, old.TokenGen)
	}
	if d.Secret.IsZero() {
		v, err := m.opt.Keeper.Seal(d.ID.SecretContext("secret"), m.opt.NewSecret())
		if err != nil {
			m.faults.add(line, "secret", "cannot be made: %v", err)
		}
		d.Secret = Kept{Value: v}
	}
	return d
}

func (m *merger) hasExtension(id ExtensionID) bool {
	_, named := m.new.extensions[id]
	_, stored := m.old.extensions[id]
	return named || stored && !m.opt.Prune
}

// settle decides between a stored secret and the file's. The stored one stays
// while the file says what it said when it was last applied; a secret that
// never came from a file (no origin) stays while the file has none.
func settle(old, file Kept) Kept {
	if !old.IsZero() && old.From == file.From {
		return old
	}
	return file
}

// lookup finds the records of a State.
type lookup struct {
	tenants    map[TenantCode]Tenant
	domains    map[string]TenantCode
	extensions map[ExtensionID]*Extension
	devices    map[DeviceID]*Device
	macs       map[MAC]TenantCode
	desks      map[DeskID]*Desk
	seats      map[DeskSeat]DeskID
	owners     map[ExtensionID]string // number -> what it owns
}

func index(s State) lookup {
	l := lookup{
		tenants: make(map[TenantCode]Tenant, len(s.Tenants)), domains: make(map[string]TenantCode, len(s.Tenants)),
		extensions: make(map[ExtensionID]*Extension, len(s.Extensions)),
		devices:    make(map[DeviceID]*Device, len(s.Devices)), macs: make(map[MAC]TenantCode, len(s.Devices)),
		desks: make(map[DeskID]*Desk, len(s.Desks)), seats: make(map[DeskSeat]DeskID, len(s.Desks)), owners: map[ExtensionID]string{},
	}
	for _, t := range s.Tenants {
		l.tenants[t.Code] = t
		for _, d := range t.Domains {
			l.domains[d] = t.Code
		}
	}
	for i := range s.Extensions {
		l.extensions[s.Extensions[i].ID] = &s.Extensions[i]
	}
	for i := range s.Devices {
		l.devices[s.Devices[i].ID] = &s.Devices[i]
		l.macs[s.Devices[i].ID.MAC] = s.Devices[i].ID.Tenant
		if owner := s.Devices[i].Owner; owner != "" {
			l.owners[ExtensionID{Tenant: s.Devices[i].ID.Tenant, Number: owner}] = s.Devices[i].ID.MAC.String()
		}
	}
	for i := range s.Desks {
		l.desks[s.Desks[i].ID] = &s.Desks[i]
		for _, seat := range s.Desks[i].Seats {
			l.seats[seat] = s.Desks[i].ID
		}
	}
	return l
}

// String names the extension as people write it.
func (id ExtensionID) String() string { return fmt.Sprintf("%s/%s", id.Tenant, id.Number) }

// String names the device as people write it.
func (id DeviceID) String() string { return fmt.Sprintf("%s/%s", id.Tenant, id.MAC) }
