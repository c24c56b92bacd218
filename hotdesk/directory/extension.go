package directory

import "time"

// Extension is a person's number in a tenant, as the store keeps it.
type Extension struct {
	ID           ExtensionID       `json:"id"`
	Name         string            `json:"name,omitempty"`
	Email        string            `json:"email,omitempty"`
	Language     string            `json:"language,omitempty"` // of spoken prompts; empty: the tenant's
	PIN          Kept              `json:"pin,omitzero"`
	VoicemailPIN Kept              `json:"voicemail_pin,omitzero"`
	Password     Kept              `json:"password,omitzero"`     // portal
	SIPPassword  Kept              `json:"sip_password,omitzero"` // static, for softphones; sealed
	Upstream     *UpstreamIdentity `json:"upstream,omitempty"`
	LoggedOut    *LoggedOut        `json:"logged_out,omitempty"` // nil: 480
	Template     string            `json:"template,omitempty"`
	Variables    map[string]string `json:"variables,omitempty"`
	Keys         []Key             `json:"keys,omitempty"`
	Policy       Policy            `json:"policy,omitzero"`
	// A guest has one or both. It may be logged in from ValidFrom on and before
	// ValidUntil, which ends its session; it owns no desk.
	ValidFrom  time.Time `json:"valid_from,omitzero"`
	ValidUntil time.Time `json:"valid_until,omitzero"`
}

// Guest tells that the extension is limited in time.
func (e Extension) Guest() bool { return !e.ValidFrom.IsZero() || !e.ValidUntil.IsZero() }

// ValidAt tells whether the extension may be logged in at a time.
func (e Extension) ValidAt(t time.Time) bool {
	return !t.Before(e.ValidFrom) && (e.ValidUntil.IsZero() || t.Before(e.ValidUntil))
}

// UpstreamIdentity is what Perch registers with at the PBX for the extension.
type UpstreamIdentity struct {
	Username string `json:"username"`
	Password Kept   `json:"password"`
}

// Key is one key of a person's sidecar, in the order in which they stand.
type Key struct {
	Type     string `json:"type" yaml:"type"` // blf, speeddial, park, pickup, voicemail, line, dtmf, url, login, logout
	Value    string `json:"value" yaml:"value"`
	Label    string `json:"label,omitempty" yaml:"label"`
	Priority int    `json:"priority,omitempty" yaml:"priority"` // 1 stays longest where keys do not fit, 9 goes first; 0 is 5
}

// Rank is the priority with its default, 5.
func (k Key) Rank() int {
	if k.Priority == 0 {
		return 5
	}
	return k.Priority
}

// Kept is a secret at rest: Value is its keyed hash ("hmac:", "argon2id:") or
// sealed form ("sealed:"); From is the keyed fingerprint of the text that the
// directory file had when Value was made from it, so that applying the same
// file again never undoes what a person changed since.
type Kept struct {
	Value string `json:"v,omitempty"`
	From  string `json:"f,omitempty"`
}

// IsZero tells that there is no secret.
func (k Kept) IsZero() bool { return k.Value == "" }
