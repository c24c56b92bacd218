package store

import (
	"context"
	_ "embed" // the script
	"time"

	"perch/hotdesk/directory"
)

var (
	//go:embed lua/fetched.lua
	luaFetched string

	fetchedScript = newScript("fetched", luaFetched, []string{kEvents, kDevices, kPhones, kReloads})
)

// FetchedArgs tells of one device file that was served.
type FetchedArgs struct {
	Device  directory.DeviceID
	Session directory.SessionID // whose account the file carried; empty: the device's own
	Digest  string
	Targets []string // BLF targets it carried
	Detail  string   // file name, for the trace
	Phone   directory.Phone
	Pushed  bool // it took the settings by NOTIFY instead
	Now     time.Time
}

// fetchedJSON is FetchedArgs as fetched.lua reads it.
type fetchedJSON struct {
	Session directory.SessionID `json:"session,omitempty"`
	Digest  string              `json:"digest,omitempty"`
	Targets []string            `json:"targets,omitempty"`
	Detail  string              `json:"detail,omitempty"`
	Phone   phoneFacts          `json:"phone"`
	Pushed  bool                `json:"pushed,omitempty"`
}

// phoneFacts are what a request tells of the phone; empty ones change nothing.
type phoneFacts struct {
	Brand     string `json:"brand,omitempty"`
	Model     string `json:"model,omitempty"`
	Firmware  string `json:"firmware,omitempty"`
	UserAgent string `json:"user_agent,omitempty"`
	Host      string `json:"host,omitempty"`
	URL       string `json:"url,omitempty"`
	Modules   int    `json:"modules,omitempty"`
}

// Fetched notes that a device was served the file that carries its account. It
// is news while a reload is open, and whenever the file is another than last
// time.
func (s *Store) Fetched(ctx context.Context, f FetchedArgs) error {
	_, err := s.FetchedAnew(ctx, f)
	return err
}

// FetchedAnew is Fetched, and tells whether the device took another file, or
// another session's, than last time.
func (s *Store) FetchedAnew(ctx context.Context, f FetchedArgs) (bool, error) {
	v, err := s.change(ctx, fetchedScript, f.Device.Tenant, f.Now, nil, f.Device.MAC.String(), asJSON{fetchedJSON{
		Session: f.Session, Digest: f.Digest, Targets: f.Targets, Detail: f.Detail, Pushed: f.Pushed,
		Phone: phoneFacts{
			Brand: f.Phone.Brand, Model: f.Phone.Model, Firmware: f.Phone.Firmware, UserAgent: f.Phone.UserAgent,
			Host: f.Phone.Host, URL: f.Phone.URL, Modules: f.Phone.Modules,
		},
	}})
	return v == int64(2), err
}
