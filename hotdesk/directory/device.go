package directory

// Device is a phone, as the store keeps it.
type Device struct {
	ID                DeviceID          `json:"id"`
	Brand             string            `json:"brand,omitempty"` // lower-case vendor name; may be one Perch has no templates for
	Model             string            `json:"model,omitempty"`
	Desk              string            `json:"desk,omitempty"` // label
	Site              string            `json:"site,omitempty"` // code
	Address           Address           `json:"address,omitzero"`
	EmergencyCallerID string            `json:"emergency_caller_id,omitempty"` // empty: the desk's or site's
	Owner             string            `json:"owner,omitempty"`               // number of the extension whose home this desk is
	Secret            Kept              `json:"secret,omitzero"`               // HTTP password of its configuration; sealed, made when absent
	SIPSecret         Kept              `json:"sip_secret,omitzero"`           // static device-account password; sealed; zero: derived from Epoch
	Epoch             int               `json:"epoch,omitempty"`               // generation of the derived device-account password
	TokenGen          int               `json:"token_gen,omitempty"`           // generation of the path token
	Digest            []string          `json:"digest,omitempty"`              // overrides the tenant's
	Template          string            `json:"template,omitempty"`
	Variables         map[string]string `json:"variables,omitempty"`
	Policy            Policy            `json:"policy,omitzero"`
}

// Phone is what Perch has learnt about a device from the device itself.
type Phone struct {
	Brand         string    `json:"brand,omitempty"`
	Model         string    `json:"model,omitempty"`
	Firmware      string    `json:"firmware,omitempty"`
	UserAgent     string    `json:"user_agent,omitempty"`
	FetchedAt     int64     `json:"fetched_at,omitempty"` // Unix ms of the last device file served
	FetchedDigest string    `json:"fetched_digest,omitempty"`
	FetchedFor    SessionID `json:"fetched_for,omitempty"` // session the file carried; empty: the device account
	Host          string    `json:"host,omitempty"`        // of the registrar that the file named
	URL           string    `json:"url,omitempty"`         // folder that the file told the phone to come back to
	Modules       int       `json:"modules,omitempty"`     // expansion modules it reported, plus one; 0: it did not say
	Place         string    `json:"place,omitempty"`       // by which address it shall reach the server: see PlaceExternal
}

// Places of a phone, where the server has two addresses. Empty: the phone is told
// the address that it came by.
const (
	PlaceExternal = "external"
	PlaceInternal = "internal"
)
