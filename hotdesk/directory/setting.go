package directory

import (
	"strconv"
	"strings"
)

// Setting is one setting of a policy, as people read it.
type Setting struct {
	Key   string `json:"setting"`
	Value string `json:"value"`
	Level string `json:"level"` // which level decided: one of Levels
	yaml  string // the value as a file writes it
}

// String is the setting as a rule in events: "on_conflict: deny (site)".
func (s Setting) String() string { return s.Key + ": " + s.Value + " (" + s.Level + ")" }

// Levels of a policy, the weakest first.
const (
	LevelDefault   = "default"
	LevelTenant    = "tenant"
	LevelSite      = "site"
	LevelExtension = "extension"
	LevelDevice    = "device"
)

// Levels lists them, the weakest first.
func Levels() []string {
	return []string{LevelDefault, LevelTenant, LevelSite, LevelExtension, LevelDevice}
}

// Settings lists what the policy sets, in the order of the documentation; what
// it inherits is absent.
func (p Policy) Settings() []Setting {
	var all []Setting
	plain := func(key, value string) { all = append(all, Setting{Key: key, Value: value, yaml: value}) }
	text := func(key, value string) {
		if value != "" {
			all = append(all, Setting{Key: key, Value: value, yaml: strconv.Quote(value)})
		}
	}
	number := func(key string, n *int) {
		if n != nil {
			plain(key, strconv.Itoa(*n))
		}
	}
	list := func(key string, values []string) {
		if values != nil {
			all = append(all, Setting{Key: key, Value: "[" + strings.Join(values, ", ") + "]", yaml: quoted(values)})
		}
	}
	boolean := func(key string, b *bool) {
		if b != nil {
			plain(key, strconv.FormatBool(*b))
		}
	}
	number("max_logins", p.MaxLogins)
	text("on_conflict", p.OnConflict)
	text("on_occupied", p.OnOccupied)
	text("max_session", p.MaxSession.line())
	text("logout_at", p.LogoutAt)
	text("shift", p.Shift)
	text("idle_logout", p.IdleLogout.line())
	text("warn_before", p.WarnBefore.line())
	text("max_defer", p.MaxDefer.line())
	list("sites", p.Sites)
	list("pin_source", p.PINSource)
	boolean("pin_change", p.PINChange)
	number("pin_min", p.PINMin)
	text("pin_weak", p.PINWeak)
	boolean("supervisors", p.Supervisors)
	boolean("login_key", p.LoginKey)
	p.Screen.each(func(key, value string, _ bool) { plain(screenPrefix+key, value) })
	return all
}

// Explain resolves the levels as Resolve does, and says of every setting which
// level decided it. Settings that no level sets and that have no default are
// there with an empty value. levels are tenant, site, extension and device.
func Explain(tenant, site, extension, device Policy) []Setting {
	by := map[string]Setting{}
	for i, p := range []Policy{DefaultPolicy(), tenant, site, extension, device} {
		for _, s := range p.Settings() {
			s.Level = Levels()[i]
			by[s.Key] = s
		}
	}
	keys := SettingKeys()
	all := make([]Setting, len(keys))
	for i, key := range keys {
		s, set := by[key]
		if !set {
			s = Setting{Key: key, Level: LevelDefault}
		}
		all[i] = s
	}
	return all
}

// SettingKeys lists every setting of a policy, in the order of the
// documentation.
func SettingKeys() []string {
	return []string{
		"max_logins", "on_conflict", "on_occupied", "max_session", "logout_at", "shift", "idle_logout", "warn_before", "max_defer",
		"sites", "pin_source", "pin_change", "pin_min", "pin_weak", "supervisors", "login_key",
		"screen.push", "screen.idle_login", "screen.qr_login", "screen.directory",
	}
}

// screenPrefix is before the settings of ScreenPolicy, which a file nests.
const screenPrefix = "screen."

// policyKeys are the keys of a policy in a file.
func policyKeys() []string {
	var keys []string
	for _, k := range SettingKeys() {
		if !strings.HasPrefix(k, screenPrefix) {
			keys = append(keys, k)
		}
	}
	return append(keys, "screen")
}
