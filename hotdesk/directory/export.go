package directory

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// WriteFile writes a State as a directory file that ParseFile reads and that
// changes nothing when it is applied to the same store: secrets stand in it as
// they are kept, with their origin. Tenants, numbers and MACs are sorted, so
// equal states give equal files. Records of a tenant that the State has not
// are left out.
func WriteFile(w io.Writer, s State) error {
	s = s.sorted()
	out := bufio.NewWriterSize(w, 1<<16)
	emit(out, "tenants:")
	if len(s.Tenants) == 0 {
		emit(out, " []")
	}
	emit(out, "\n")
	extensions, desks, devices := s.Extensions, s.Desks, s.Devices
	for i := range s.Tenants {
		code := s.Tenants[i].Code
		emit(out, tenantText(&s.Tenants[i]))
		extensions = writeRecords(out, "extensions", extensions, code, func(e *Extension) TenantCode { return e.ID.Tenant }, extensionFlow)
		desks = writeRecords(out, "desks", desks, code, func(d *Desk) TenantCode { return d.ID.Tenant }, deskFlow)
		devices = writeRecords(out, "devices", devices, code, func(d *Device) TenantCode { return d.ID.Tenant }, deviceFlow)
	}
	return out.Flush()
}

// emit leaves errors to Flush, which repeats the first.
func emit(w *bufio.Writer, s string) { w.WriteString(s) } //nolint:errcheck

// writeRecords writes the records of one tenant and gives the rest; both
// lists are sorted by tenant.
func writeRecords[T any](w *bufio.Writer, key string, all []T, code TenantCode, of func(*T) TenantCode, form func(*T) flow) []T {
	for len(all) > 0 && of(&all[0]) < code {
		all = all[1:]
	}
	for n := 0; len(all) > 0 && of(&all[0]) == code; n++ {
		if n == 0 {
			emit(w, "    "+key+":\n")
		}
		emit(w, "      - "+form(&all[0]).String()+"\n")
		all = all[1:]
	}
	return all
}

// tenantText is the tenant without its extensions and devices.
func tenantText(t *Tenant) string {
	var w strings.Builder
	line := func(key, value string) { w.WriteString("    " + key + ": " + value + "\n") }
	w.WriteString("  - code: " + strconv.Quote(string(t.Code)) + "\n")
	line("domains", quoted(t.Domains))
	line("realm", strconv.Quote(t.Realm))
	if len(t.Digest) > 0 {
		line("digest", quoted(t.Digest))
	}
	var codes flow
	codes.text("login", t.FeatureCodes.Login)
	codes.text("logout", t.FeatureCodes.Logout)
	codes.text("whoami", t.FeatureCodes.WhoAmI)
	codes.text("reload", t.FeatureCodes.Reload)
	codes.raw("pin", strconv.Quote(t.FeatureCodes.PIN))
	codes.raw("supervisor", strconv.Quote(t.FeatureCodes.Supervisor))
	line("feature_codes", codes.String())
	line("emergency_numbers", quoted(t.EmergencyNumbers))
	if t.Language != "" {
		line("language", strconv.Quote(t.Language))
	}
	if !t.DefaultPIN.IsZero() {
		line("default_pin", atRestText(t.DefaultPIN))
	}
	if len(t.Supervisors) > 0 {
		line("supervisors", flowList(t.Supervisors, func(s Supervisor) flow {
			var f flow
			f.text("name", s.Name)
			f.kept("pin", s.PIN)
			return f
		}))
	}
	if p := policyFlow(t.Policy); len(p) > 0 {
		line("policy", p.String())
	}
	if t.Upstream != nil {
		var u flow
		u.text("uri", t.Upstream.URI)
		u.list("trusted", t.Upstream.Trusted)
		u.raw("emergency", strconv.FormatBool(t.Upstream.Emergency))
		line("upstream", u.String())
	}
	if len(t.Networks) > 0 {
		line("networks", quoted(texts(t.Networks)))
	}
	if len(t.Decoys) > 0 {
		line("decoys", quoted(texts(t.Decoys)))
	}
	if len(t.Calendars) > 0 {
		w.WriteString("    calendars:\n")
		for _, c := range t.Calendars {
			w.WriteString("      - {name: " + strconv.Quote(c.Name) + ", text: " + strconv.Quote(c.Text) + "}\n")
		}
	}
	if len(t.Sites) > 0 {
		w.WriteString("    sites:\n")
		for _, s := range t.Sites {
			w.WriteString("      - " + siteFlow(s).String() + "\n")
		}
	}
	if len(t.Variables) > 0 {
		line("variables", mapFlow(t.Variables).String())
	}
	if len(t.Templates) > 0 {
		w.WriteString("    templates:\n")
		for _, e := range t.Templates {
			w.WriteString("      - " + templateFlow(e).String() + "\n")
		}
	}
	if len(t.DefaultTemplates) > 0 {
		line("default_templates", mapFlow(t.DefaultTemplates).String())
	}
	return w.String()
}

// texts writes each of a list as people do.
func texts[T fmt.Stringer](list []T) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = v.String()
	}
	return out
}

func siteFlow(s Site) flow {
	var f flow
	f.text("code", s.Code)
	f.text("time_zone", s.TimeZone)
	f.nested("address", addressFlow(s.Address))
	f.text("emergency_caller_id", s.EmergencyCallerID)
	f.text("front_desk", s.FrontDesk)
	f.text("placeholder", s.Placeholder)
	f.nested("variables", mapFlow(s.Variables))
	f.nested("policy", policyFlow(s.Policy))
	return f
}

func templateFlow(t Template) flow {
	var f flow
	f.text("name", t.Name)
	f.text("brand", t.Brand)
	f.text("model", t.Model)
	f.text("site", t.Site)
	f.text("extension", t.Extension)
	f.text("device", t.Device)
	f.text("file", t.File)
	f.text("block", t.Block)
	if t.Replaces() {
		f.raw("text", strconv.Quote(t.Text))
	}
	f.nested("variables", mapFlow(t.Variables))
	return f
}

// mapFlow writes names that an admin chose, in order. An empty value stays.
func mapFlow(m map[string]string) flow {
	var f flow
	for _, name := range slices.Sorted(maps.Keys(m)) {
		f.raw(strconv.Quote(name), strconv.Quote(m[name]))
	}
	return f
}

func extensionFlow(e *Extension) flow {
	var f flow
	f.text("number", e.ID.Number)
	f.text("name", e.Name)
	f.text("email", e.Email)
	f.text("language", e.Language)
	f.kept("pin", e.PIN)
	f.kept("voicemail_pin", e.VoicemailPIN)
	f.kept("password", e.Password)
	f.kept("sip_password", e.SIPPassword)
	if e.Upstream != nil {
		var u flow
		u.text("username", e.Upstream.Username)
		u.kept("password", e.Upstream.Password)
		f.nested("upstream", u)
	}
	f.nested("logged_out", loggedOutFlow(e.LoggedOut))
	f.text("template", e.Template)
	f.nested("variables", mapFlow(e.Variables))
	if len(e.Keys) > 0 {
		f.raw("keys", flowList(e.Keys, func(k Key) flow {
			var f flow
			f.text("type", k.Type)
			f.text("value", k.Value)
			f.text("label", k.Label)
			f.count("priority", k.Priority)
			return f
		}))
	}
	f.nested("policy", policyFlow(e.Policy))
	f.moment("valid_from", e.ValidFrom)
	f.moment("valid_until", e.ValidUntil)
	return f
}

func deviceFlow(d *Device) flow {
	var f flow
	f.text("mac", d.ID.MAC.Colons())
	f.text("brand", d.Brand)
	f.text("model", d.Model)
	f.text("desk", d.Desk)
	f.text("site", d.Site)
	f.nested("address", addressFlow(d.Address))
	f.text("emergency_caller_id", d.EmergencyCallerID)
	f.text("owner", d.Owner)
	f.kept("secret", d.Secret)
	f.kept("sip_secret", d.SIPSecret)
	f.count("epoch", d.Epoch)
	f.count("token_gen", d.TokenGen)
	f.list("digest", d.Digest)
	f.text("template", d.Template)
	f.nested("variables", mapFlow(d.Variables))
	f.nested("policy", policyFlow(d.Policy))
	return f
}

func deskFlow(d *Desk) flow {
	var f flow
	f.text("code", d.ID.Code)
	f.text("label", d.Label)
	f.text("site", d.Site)
	f.text("floor", d.Floor)
	if d.Position != (Position{}) {
		f.raw("position", "{x: "+strconv.Itoa(d.Position.X)+", y: "+strconv.Itoa(d.Position.Y)+"}")
	}
	f.text("class", string(d.Class))
	f.text("owner", d.Owner)
	if len(d.Reserved) > 0 {
		f.raw("reserved", flowList(d.Reserved, reservationFlow))
	}
	f.nested("address", addressFlow(d.Address))
	f.text("emergency_caller_id", d.EmergencyCallerID)
	f.list("devices", d.seatTexts())
	return f
}

func reservationFlow(r Reservation) flow {
	var f flow
	f.list("extensions", r.Extensions)
	f.list("days", r.Days)
	f.text("from", r.From)
	f.text("to", r.To)
	return f
}

func (d Desk) seatTexts() []string {
	all := make([]string, len(d.Seats))
	for i, s := range d.Seats {
		all[i] = s.String()
	}
	return all
}

func addressFlow(a Address) flow {
	var f flow
	f.text("country", a.Country)
	f.text("state", a.State)
	f.text("city", a.City)
	f.text("postal_code", a.PostalCode)
	f.text("street", a.Street)
	f.text("building", a.Building)
	f.text("floor", a.Floor)
	f.text("room", a.Room)
	return f
}

func policyFlow(p Policy) flow {
	var f flow
	for _, s := range p.Settings() {
		if !strings.HasPrefix(s.Key, screenPrefix) {
			f.raw(s.Key, s.yaml)
		}
	}
	f.nested("screen", screenFlow(p.Screen))
	return f
}

// flow is a YAML mapping on one line. Every text in it is quoted: Go's quoted
// form of valid UTF-8 is a YAML double-quoted scalar (YAML 1.2 section 5.7 has
// the same escapes), so no value can be anything else.
type flow []string

func (f *flow) raw(key, value string) { *f = append(*f, key+": "+value) }

func (f *flow) text(key, value string) {
	if value != "" {
		f.raw(key, strconv.Quote(value))
	}
}

func (f *flow) count(key string, n int) {
	if n != 0 {
		f.raw(key, strconv.Itoa(n))
	}
}

func (f *flow) moment(key string, t time.Time) {
	if !t.IsZero() {
		f.text(key, t.UTC().Format(time.RFC3339))
	}
}

func (f *flow) list(key string, values []string) {
	if len(values) > 0 {
		f.raw(key, quoted(values))
	}
}

func (f *flow) nested(key string, inner flow) {
	if len(inner) > 0 {
		f.raw(key, inner.String())
	}
}

func (f *flow) kept(key string, k Kept) {
	if !k.IsZero() {
		f.raw(key, atRestText(k))
	}
}

func atRestText(k Kept) string { return strconv.Quote(k.Value + fromMark + k.From) }

func (f flow) String() string { return "{" + strings.Join(f, ", ") + "}" }

func quoted(values []string) string {
	q := make([]string, len(values))
	for i, v := range values {
		q[i] = strconv.Quote(v)
	}
	return "[" + strings.Join(q, ", ") + "]"
}

func flowList[T any](values []T, form func(T) flow) string {
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = form(v).String()
	}
	return "[" + strings.Join(parts, ", ") + "]"
}
