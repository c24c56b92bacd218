package api

import (
	"context"
	"io"
	"log/slog"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/hotdesk/reload"
	"perch/hotdesk/trace"
	"perch/internal/apply"
	"perch/internal/event"
	"perch/sip/location"
)

// Engine logs in and out. Refusals are a *hotdesk.Refused.
type Engine interface {
	Login(ctx context.Context, r hotdesk.LoginRequest) (hotdesk.Outcome, error)
	Logout(ctx context.Context, r hotdesk.LogoutRequest) (hotdesk.Outcome, error)
}

// Directory reads who and what exists.
type Directory interface {
	TenantCodes(ctx context.Context) ([]directory.TenantCode, error)
	TenantOfMAC(ctx context.Context, mac directory.MAC) (directory.TenantCode, error)
	Extension(ctx context.Context, id directory.ExtensionID) (directory.Extension, error)
	EachDevice(ctx context.Context, t directory.TenantCode, f func(directory.Device) error) error
}

// Devices reads one device, and what the devices told of themselves.
type Devices interface {
	Device(ctx context.Context, id directory.DeviceID) (directory.Device, error)
	Phone(ctx context.Context, id directory.DeviceID) (directory.Phone, error)
	Phones(ctx context.Context, t directory.TenantCode) (map[directory.MAC]directory.Phone, error)
}

// Sitting reads who sits where.
type Sitting interface {
	AllSeats(ctx context.Context, t directory.TenantCode) (map[directory.MAC]hotdesk.Seats, error)
	Logins(ctx context.Context, e directory.ExtensionID) ([]directory.Seat, error)
}

// Traces reads the newest trace of devices.
type Traces interface {
	Trace(ctx context.Context, d directory.DeviceID) (trace.Trace, error)
	AllTraces(ctx context.Context, t directory.TenantCode) (map[directory.MAC]trace.Trace, error)
}

// Contacts reads what is registered.
type Contacts interface {
	EachContact(ctx context.Context, t directory.TenantCode, f func(user string, c location.Contact) error) error
}

// Store is what this package reads and writes itself. Reads of what does not
// exist wrap hotdesk.ErrNotFound; a store that does not answer is
// hotdesk.ErrUnavailable.
type Store interface {
	Directory
	Devices
	Sitting
	Traces
	Contacts
	Places

	// What reload.Desk needs to open the reloads that are asked for here.
	reload.Opener
	reload.Phones
	reload.Directory
}

// News gives what happens, tenant by tenant in order. Follow begins after the
// event ids in from, a tenant that is not in it from its first event, until ctx
// ends; handle must not block.
type News interface {
	Positions(ctx context.Context) (map[directory.TenantCode]string, error)
	Follow(ctx context.Context, from map[directory.TenantCode]string, handle func(event.Event)) error
}

// Applier brings directory files in and writes the directory out.
type Applier interface {
	Apply(ctx context.Context, r apply.Request, progress apply.Progress) (apply.Report, error)
	Export(ctx context.Context, w io.Writer) error
	Adopt(ctx context.Context, d directory.Device) (directory.Secret, error)
	Enrol(ctx context.Context, d directory.DeviceID) (directory.Device, directory.Secret, error)
}

// Stranger is a phone that asked for its configuration and is in no directory.
// Its texts are the phone's own words.
type Stranger struct {
	MAC                               directory.MAC
	Brand, Model, Firmware, UserAgent string
	Source                            string // address it asked from
	First, Last                       time.Time
}

// Strangers lists such phones, and knows where an adopted one finds its files.
type Strangers interface {
	Strangers(ctx context.Context) ([]Stranger, error)
	// Address is the folder of a device's files with its token in the path.
	// for a generation of it.
	Address(d directory.DeviceID, gen int) string
}

// Stand is how the file of a device stands. Known is false where that cannot
// be said.
type Stand struct {
	Known          bool
	Drift          bool            // it last fetched something else than it would get now
	Dropped        []directory.Key // that nobody sees on this phone
	TemplateFaults int             // overrides that were left out because they are broken
}

// Standing tells how the file of a device stands.
type Standing func(ctx context.Context, d directory.Device, p directory.Phone) (Stand, error)

// Parts are what the API is built from. Standing may
// be nil: it is never known. Templates may be nil: there are no routes for them.
// Now may be nil: the real clock.
type Parts struct {
	Token   directory.Secret // at least 20 characters
	Version string           // of Perch, for the OpenAPI document
	Engine  Engine
	Policy  Policy
	Store   Store
	News    News
	Applier Applier
	// Strangers may be nil: nobody is waiting.
	Strangers Strangers
	Standing  Standing
	Templates Templates
	Past      Past     // nil: there are no routes for it
	SIPTrace  SIPTrace // nil: there is none to see
	Screens   Screens  // nil: no texts are sent to phones
	Calls     Calls    // nil: there are no calls to see, nor lamps; else Watching and Lamps are needed too
	Watching  Watching
	Lamps     Lamps
	Audit     Audit     // nil: there are no routes for it
	Lockouts  Lockouts  // likewise
	Acts      Acts      // nil: acts that only the API knows are not recorded
	Upstreams Upstreams // nil: there are no routes for them
	Codes     Codes     // nil: no login by code
	SignIn    SignIn    // nil: the admin's token alone confirms codes
	Log       *slog.Logger
	Now       func() time.Time
	Closing   <-chan struct{} // closed when the server stops: event streams end; nil: never
}
