package store

import (
	"context"
	_ "embed" // the scripts
	"encoding/json"
	"fmt"
	"slices"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/sip/location"
)

var (
	//go:embed lua/contact_update.lua
	luaContactUpdate string

	contactUpdateScript = newScript("contact_update", luaContactUpdate, []string{
		kEvents, kSeats, kReloads, kContacts, kContactExpiry, kContactRev, kSubscriptions, kSubExpiry,
	}, "subs_of")
)

// contactChange is what contact_update.lua needs to know of a commit besides
// the contacts themselves.
type contactChange struct {
	MAC       string              `json:"mac,omitempty"`
	Session   directory.SessionID `json:"session,omitempty"`
	Line      int                 `json:"line"`
	Supersede bool                `json:"supersede,omitempty"`
	Added     []contactNews       `json:"added,omitempty"`
	Removed   []contactNews       `json:"removed,omitempty"`
	Refreshed []contactNews       `json:"refreshed,omitempty"`
	Restarted []contactNews       `json:"restarted,omitempty"`
	Lost      []contactNews       `json:"lost,omitempty"`
	Revived   []contactNews       `json:"revived,omitempty"`
}

// contactNews is what an event says of a contact.
type contactNews struct {
	MAC     string              `json:"mac,omitempty"`
	Line    int                 `json:"line,omitempty"`
	Session directory.SessionID `json:"session,omitempty"`
	Gone    string              `json:"gone,omitempty"` // reason, where it is not "unregistered"
}

func news(list []location.Contact, gone string) []contactNews {
	var out []contactNews
	for _, c := range list {
		out = append(out, contactNews{MAC: c.MAC, Line: c.Line, Session: c.Session, Gone: gone})
	}
	return out
}

// Contacts reads the contacts of an AOR user; the zero Set where there are none.
func (s *Store) Contacts(ctx context.Context, t directory.TenantCode, user string) (location.Set, error) {
	var v location.Set
	_, err := s.field(ctx, "contacts", key(t, kContacts), user, &v)
	return v, err
}

// DeviceContacts reads every contact of one device, under its own account and
// under each number that sits there or has just left.
func (s *Store) DeviceContacts(ctx context.Context, d directory.DeviceID, seats hotdesk.Seats) ([]location.Contact, error) {
	mac := d.MAC.String()
	users := []string{mac}
	for _, b := range seats.Bindings {
		users = append(users, b.Number)
	}
	for _, e := range seats.Ending {
		users = append(users, e.Number)
	}
	slices.Sort(users[1:])
	texts, err := s.someFields(ctx, "device_contacts", key(d.Tenant, kContacts), slices.Compact(users))
	if err != nil {
		return nil, err
	}
	var out []location.Contact
	for _, text := range texts {
		var set location.Set
		if err := json.Unmarshal([]byte(text), &set); err != nil {
			return nil, fmt.Errorf("store: device_contacts: %w", err)
		}
		for _, c := range set.Contacts {
			if c.MAC == mac {
				out = append(out, c)
			}
		}
	}
	return out, nil
}

// EachContact calls fn for every contact of a tenant, with the user of its AOR.
// It reads in parts; what changes meanwhile may be seen or not. fn's error ends
// it.
func (s *Store) EachContact(ctx context.Context, t directory.TenantCode, fn func(user string, c location.Contact) error) error {
	return s.fields(ctx, "each_contact", key(t, kContacts), func(user, text string) error {
		var set location.Set
		if err := json.Unmarshal([]byte(text), &set); err != nil {
			return err
		}
		for _, c := range set.Contacts {
			if err := fn(user, c); err != nil {
				return err
			}
		}
		return nil
	})
}

// CommitContacts writes a decided change. Errors are location.ErrConflict,
// location.ErrSessionOver, or wrap hotdesk.ErrUnavailable.
func (s *Store) CommitContacts(ctx context.Context, c location.Commit) error {
	change := contactChange{Session: c.Session, Line: 1, Supersede: c.Supersede}
	if !c.Device.MAC.IsZero() {
		change.MAC = c.Device.MAC.String()
	}
	for _, a := range c.Added {
		change.Line = max(change.Line, a.Line)
	}
	change.Removed = news(c.Removed, c.Gone)
	change.Lost, change.Revived = news(c.Lost, ""), news(c.Revived, "")
	contacts := c.Set.Contacts
	if c.Supersede && change.MAC != "" {
		var foreign []location.Contact
		contacts, foreign = superseded(c, change.Line)
		change.Removed = append(change.Removed, news(foreign, "superseded")...)
	}
	change.Added, change.Refreshed = news(c.Added, ""), news(c.Refreshed, "")
	change.Restarted = news(c.Restarted, "")
	var text []byte
	if len(contacts) > 0 {
		var err error
		if text, err = json.Marshal(contacts); err != nil {
			return fmt.Errorf("store: contact_update: %w", err)
		}
	}
	v, err := s.change(ctx, contactUpdateScript, c.Tenant, c.Now,
		[]string{keySubsOf(c.Tenant, change.MAC)}, c.User, c.Set.Rev, text, asJSON{change})
	if err != nil {
		return err
	}
	switch v {
	case "ok":
		return nil
	case "over":
		return location.ErrSessionOver
	}
	return location.ErrConflict
}

// superseded parts the contacts to write from those of the same AOR that the
// device made with another credential on the same line, which go.
func superseded(c location.Commit, line int) (kept, foreign []location.Contact) {
	mac := c.Device.MAC.String()
	for _, x := range c.Set.Contacts {
		if x.MAC == mac && max(x.Line, 1) == line && x.Session != c.Session {
			foreign = append(foreign, x)
		} else {
			kept = append(kept, x)
		}
	}
	return kept, foreign
}
