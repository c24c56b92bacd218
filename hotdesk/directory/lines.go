package directory

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The functions here say what of a record people see in a line of a diff: its
// title, and facts to compare.

func tenantLine(t *Tenant) (string, facts) {
	var f facts
	f.list("domains", t.Domains)
	f.add("realm", t.Realm)
	f.list("digest", t.Digest)
	f.add("feature_codes.login", t.FeatureCodes.Login)
	f.add("feature_codes.logout", t.FeatureCodes.Logout)
	f.add("feature_codes.whoami", t.FeatureCodes.WhoAmI)
	f.add("feature_codes.reload", t.FeatureCodes.Reload)
	f.add("feature_codes.pin", t.FeatureCodes.PIN)
	f.add("feature_codes.supervisor", t.FeatureCodes.Supervisor)
	f.list("emergency_numbers", t.EmergencyNumbers)
	f.add("language", t.Language)
	f.keep("default_pin", t.DefaultPIN)
	names := make([]string, len(t.Supervisors))
	for i, s := range t.Supervisors {
		names[i] = strconv.Quote(s.Name)
		f.keep("supervisor "+names[i]+" pin", s.PIN)
	}
	f.list("supervisors", names)
	f.policy("policy", t.Policy)
	if t.Upstream != nil {
		f.add("upstream.uri", t.Upstream.URI)
		f.list("upstream.trusted", t.Upstream.Trusted)
		f.add("upstream.emergency", strconv.FormatBool(t.Upstream.Emergency))
	}
	codes := make([]string, len(t.Sites))
	for i, s := range t.Sites {
		codes[i] = s.Code
		f.add("site "+s.Code+" time_zone", s.TimeZone)
		f.add("site "+s.Code+" address", s.Address.line())
		f.add("site "+s.Code+" emergency_caller_id", s.EmergencyCallerID)
		f.add("site "+s.Code+" front_desk", s.FrontDesk)
		f.add("site "+s.Code+" placeholder", s.Placeholder)
		f.policy("site "+s.Code+" policy", s.Policy)
		f.variables("site "+s.Code+" ", s.Variables)
	}
	f.list("sites", codes)
	f.variables("", t.Variables)
	f.templates(t)
	for _, c := range t.Calendars {
		sum := sha256.Sum256([]byte(c.Text))
		f.add("calendar "+c.Name, hex.EncodeToString(sum[:4]))
	}
	return "tenant " + string(t.Code), f
}

func extensionLine(e *Extension) (string, facts) {
	var f facts
	f.add("name", e.Name)
	f.add("email", e.Email)
	f.add("language", e.Language)
	f.keep("pin", e.PIN)
	f.keep("voicemail_pin", e.VoicemailPIN)
	f.keep("password", e.Password)
	f.keep("sip_password", e.SIPPassword)
	if e.Upstream != nil {
		f.add("upstream.username", e.Upstream.Username)
		f.keep("upstream.password", e.Upstream.Password)
	}
	f.add("logged_out", e.LoggedOut.line())
	f.add("template", e.Template)
	f.variables("", e.Variables)
	f.add("keys", keysLine(e.Keys))
	f.policy("policy", e.Policy)
	f.moment("valid_from", e.ValidFrom)
	f.moment("valid_until", e.ValidUntil)
	return strings.TrimSpace("extension " + e.ID.String() + " " + oneLine(e.Name)), f
}

func deviceLine(d *Device) (string, facts) {
	var f facts
	f.add("brand", d.Brand)
	f.add("model", d.Model)
	f.add("desk", d.Desk)
	f.add("site", d.Site)
	f.add("address", d.Address.line())
	f.add("emergency_caller_id", d.EmergencyCallerID)
	f.add("owner", d.Owner)
	f.keep("secret", d.Secret)
	f.keep("sip_secret", d.SIPSecret)
	f.add("epoch", strconv.Itoa(d.Epoch))
	f.add("token_gen", strconv.Itoa(d.TokenGen))
	f.list("digest", d.Digest)
	f.add("template", d.Template)
	f.variables("", d.Variables)
	f.policy("policy", d.Policy)
	return "device " + d.ID.MAC.String(), f
}

func deskLine(d *Desk) (string, facts) {
	var f facts
	f.add("label", d.Label)
	f.add("site", d.Site)
	f.add("floor", d.Floor)
	f.add("position", strconv.Itoa(d.Position.X)+","+strconv.Itoa(d.Position.Y))
	f.add("class", string(d.Class))
	f.add("owner", d.Owner)
	for i, r := range d.Reserved {
		f.add("reserved["+strconv.Itoa(i)+"]", r.line())
	}
	f.add("address", d.Address.line())
	f.add("emergency_caller_id", d.EmergencyCallerID)
	f.list("devices", d.seatTexts())
	return "desk " + d.ID.String(), f
}

func (r Reservation) line() string {
	return strings.Join(r.Extensions, " ") + " on " + strings.Join(r.days(), " ") + " " + r.From + "-" + r.To
}

func (f *facts) moment(name string, t time.Time) {
	if !t.IsZero() {
		f.add(name, t.UTC().Format(time.RFC3339))
	}
}

func (f *facts) policy(name string, p Policy) {
	for _, s := range p.Settings() {
		f.add(name+"."+s.Key, s.Value)
	}
}

func (f *facts) variables(of string, m map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		f.add(of+"variable "+name, m[name])
	}
}

// templates shows what each entry is for, and of its text that it changed.
func (f *facts) templates(t *Tenant) {
	for i, e := range t.Templates {
		name := "templates[" + strconv.Itoa(i) + "]"
		form := templateFlow(e)
		sum := sha256.Sum256([]byte(form.String()))
		f.add(name, strings.Join(e.Names(), " ")+" "+hex.EncodeToString(sum[:4]))
	}
	for _, brand := range slices.Sorted(maps.Keys(t.DefaultTemplates)) {
		f.add("default_templates."+brand, t.DefaultTemplates[brand])
	}
}

func (d *Duration) line() string {
	if d == nil {
		return ""
	}
	return time.Duration(*d).String()
}

func (a Address) line() string {
	var parts []string
	for _, s := range []string{a.Country, a.State, a.PostalCode, a.City, a.Street, a.Building, a.Floor, a.Room} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ", ")
}

func keysLine(keys []Key) string {
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = strings.TrimSpace(k.Type + " " + k.Value + " " + k.Label)
		if k.Priority != 0 {
			parts[i] += " priority " + strconv.Itoa(k.Priority)
		}
	}
	return strings.Join(parts, "; ")
}

// oneLine makes blanks of line breaks and other controls.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if isControl(r) {
			return ' '
		}
		return r
	}, s)
}
