package location

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"perch/hotdesk/directory"
)

// Reasons for which a REGISTER changes nothing.
var (
	// ErrOutOfOrder says that the request is older than what is stored: the
	// same Call-ID with a CSeq not higher. The answer is 500, which RFC 3261
	// section 10.3 names for an update that cannot be made whole.
	ErrOutOfOrder = errors.New("location: CSeq not higher than before")
	// ErrTooMany says that a request names, or an AOR has, more contacts than
	// allowed. The answer is 403.
	ErrTooMany = errors.New("location: too many contacts")
	// ErrLoop says that a contact is the AOR itself, or a GRUU of it. The
	// answer is 403 (RFC 5627 section 5.1).
	ErrLoop = errors.New("location: contact leads back to the AOR")
)

// TooBrief says that a contact asks for less than Min seconds: 423 with
// Min-Expires (RFC 3261 section 10.3 step 7).
type TooBrief struct{ Min int }

// Error says the least interval.
func (e *TooBrief) Error() string {
	return fmt.Sprintf("location: interval too brief, at least %d s", e.Min)
}

// Rules are the registrar's settings, in seconds.
type Rules struct {
	Min, Default, Max int
	// MaxContacts is how many contacts one credential may have at one AOR: a
	// static password in all, a device the flows of its line.
	MaxContacts int
	// PushOut: one contact more removes the one that was registered or refreshed
	// longest ago, instead of being refused.
	PushOut bool
	// Jitter, from 0 to 1, says where between 10 and 20 percent a grant above
	// 900 s is cut, so that phones that came at once do not return at once.
	Jitter float64
}

// DefaultRules are those of a server that is not told otherwise.
func DefaultRules() Rules { return Rules{Min: 60, Default: 3600, Max: 7200, MaxContacts: 10} }

// Update is a REGISTER, authenticated and read.
type Update struct {
	Tenant    directory.TenantCode
	AOR       directory.AOR // of To, as registered
	Contacts  []Wanted      // none and no Star: a query
	Star      bool          // Contact: *
	Outbound  bool          // reg-id counts (RFC 5626 section 6); else it is ignored
	SentBy    string        // host[:port] of the Via that the phone wrote
	Proxied   bool          // the phone did not send this itself: a proxy stands before us
	Expires   int64         // of the header: seconds, Absent or Bad
	CallID    string
	CSeq      uint32
	Path      []string
	UserAgent string
	Flow      Flow
	Device    directory.DeviceID  // zero MAC: static password
	Line      int                 // 0 for a static password
	Session   directory.SessionID // empty: device account or static
}

// Decision is what becomes of a REGISTER.
type Decision struct {
	Write    bool // Commit is to be committed; false for a query
	Commit   Commit
	Contacts []Contact // all current ones, for the 200; Granted is what is left, in seconds
}

// Register decides a REGISTER over the stored contacts of its AOR (RFC 3261
// section 10.3): all of it or nothing. A credential changes its own contacts
// only: a device's are its MAC's and line's, of which there is one at most, or
// with outbound one for each flow of one instance; a static password's are those
// without a device. The errors are ErrMalformed, ErrTooMany, ErrLoop,
// ErrOutOfOrder and *TooBrief.
func Register(set Set, u Update, rules Rules, now time.Time) (Decision, error) {
	r := &registration{set: set, u: u, rules: rules, now: now, kept: slices.Clone(set.Contacts)}
	if err := r.decide(); err != nil {
		return Decision{}, err
	}
	d := Decision{Write: u.Star || len(u.Contacts) > 0, Contacts: r.current()}
	if d.Write {
		d.Commit = r.commit()
	}
	return d, nil
}

// registration is one run of Register.
type registration struct {
	set                       Set
	u                         Update
	rules                     Rules
	now                       time.Time
	kept                      []Contact // as they shall be
	added, removed, refreshed []Contact
	restarted                 []Contact
}

func (r *registration) decide() error {
	if r.u.Star {
		return r.removeAll()
	}
	if err := r.checkContacts(); err != nil {
		return err
	}
	adds := 0
	for _, w := range r.u.Contacts { // removals first: they make room
		seconds, err := r.grant(w)
		switch {
		case err != nil:
			return err
		case seconds > 0:
			adds++
		default:
			if err := r.remove(w); err != nil {
				return err
			}
		}
	}
	if adds > 0 && !r.u.Device.MAC.IsZero() {
		return r.putOne()
	}
	for _, w := range r.u.Contacts {
		if seconds, _ := r.grant(w); seconds > 0 {
			if err := r.put(w, seconds); err != nil {
				return err
			}
		}
	}
	return nil
}

// grant is step 7's interval: the parameter beats the header, malformed is the
// default, 0 removes.
func (r *registration) grant(w Wanted) (int, error) {
	asked := w.Expires
	if asked == Absent {
		asked = r.u.Expires
	}
	if asked < 0 {
		asked = int64(r.rules.Default)
	}
	if asked == 0 {
		return 0, nil
	}
	if asked < int64(r.rules.Min) && asked < 3600 {
		return 0, &TooBrief{Min: r.rules.Min}
	}
	granted := int(min(asked, int64(r.rules.Max)))
	if granted > 900 {
		cut := float64(granted) * (0.1 + 0.1*min(max(r.rules.Jitter, 0), 1))
		granted -= int(cut)
	}
	return granted, nil
}

// removeAll is step 6: "*" only with Expires 0.
func (r *registration) removeAll() error {
	if r.u.Expires != 0 {
		return ErrMalformed
	}
	for i := len(r.kept) - 1; i >= 0; i-- {
		if !r.own(r.kept[i]) {
			continue
		}
		if err := r.inOrder(r.kept[i]); err != nil {
			return err
		}
		r.drop(i)
	}
	return nil
}

func (r *registration) remove(w Wanted) error {
	i := slices.IndexFunc(r.kept, func(c Contact) bool { return r.own(c) && same(c, w) })
	if i < 0 {
		return nil // already gone: what was asked for holds
	}
	if err := r.inOrder(r.kept[i]); err != nil {
		return err
	}
	r.drop(i)
	return nil
}

// putOne adds or refreshes the one contact of a device: of several the one
// with the highest q, the first among equals. It replaces what the device had
// at this line, since phones change ports when they boot; only the other flows
// of the same instance stay beside one (RFC 5626 section 6).
func (r *registration) putOne() error {
	best := -1
	for i, w := range r.u.Contacts {
		if seconds, _ := r.grant(w); seconds > 0 && (best < 0 || w.Q > r.u.Contacts[best].Q) {
			best = i
		}
	}
	w := r.u.Contacts[best]
	for i := len(r.kept) - 1; i >= 0; i-- {
		if c := r.kept[i]; r.own(c) {
			if err := r.inOrder(c); err != nil {
				return err
			}
			if !same(c, w) && !r.otherFlow(c, w) || c.Session != r.u.Session {
				r.drop(i)
			}
		}
	}
	seconds, _ := r.grant(w)
	return r.put(w, seconds)
}

func (r *registration) put(w Wanted, seconds int) error {
	i := slices.IndexFunc(r.kept, func(c Contact) bool { return r.own(c) && same(c, w) })
	if i < 0 {
		if err := r.makeRoom(); err != nil {
			return err
		}
		c := r.contact(w, seconds, r.now)
		r.kept, r.added = append(r.kept, c), append(r.added, c)
		return nil
	}
	if err := r.inOrder(r.kept[i]); err != nil {
		return err
	}
	old := r.kept[i]
	if old.Expired(r.now) {
		r.kept[i] = r.contact(w, seconds, r.now)
		r.added = append(r.added, r.kept[i])
		return nil
	}
	r.kept[i] = r.contact(w, seconds, time.UnixMilli(old.Since))
	r.refreshed = append(r.refreshed, r.kept[i])
	if old.CallID != r.u.CallID && old.Session == r.u.Session {
		r.restarted = append(r.restarted, r.kept[i])
	}
	return nil
}

func (r *registration) drop(i int) {
	if c := r.kept[i]; !c.Expired(r.now) {
		r.removed = append(r.removed, c)
	}
	r.kept = slices.Delete(r.kept, i, i+1)
}

// inOrder is step 7's test, which step 6 makes too. Contacts that this very
// request has written are not older than it.
func (r *registration) inOrder(c Contact) error {
	fresh := c.Updated == r.now.UnixMilli() && (contains(r.added, c) || contains(r.refreshed, c))
	if c.CallID == r.u.CallID && c.Session == r.u.Session && r.u.CSeq <= c.CSeq && !fresh && !c.Expired(r.now) {
		return ErrOutOfOrder
	}
	return nil
}

func contains(cs []Contact, c Contact) bool {
	return slices.ContainsFunc(cs, func(o Contact) bool { return o.URI == c.URI && o.CSeq == c.CSeq && o.CallID == c.CallID })
}

// own tells whether the credential of the request may change a contact.
func (r *registration) own(c Contact) bool {
	if r.u.Device.MAC.IsZero() {
		return c.MAC == ""
	}
	return c.MAC == r.u.Device.MAC.String() && c.Line == r.u.Line
}

// same tells whether a stored contact is the one asked for: by instance and
// reg-id where both have them (RFC 5626 section 6), else by URI.
func same(c Contact, w Wanted) bool {
	if c.Outbound() && w.outbound() {
		return c.Instance == w.Instance && c.RegID == w.RegID
	}
	if c.URI == w.URI {
		return true
	}
	stored, err := ParseURI(c.URI)
	return err == nil && stored.Equal(w.uri)
}

func (r *registration) contact(w Wanted, seconds int, since time.Time) Contact {
	mac := ""
	if !r.u.Device.MAC.IsZero() {
		mac = r.u.Device.MAC.String()
	}
	return Contact{
		URI: w.URI, Q: w.Q, CallID: r.u.CallID, CSeq: r.u.CSeq,
		Expires: r.now.Add(time.Duration(seconds) * time.Second).UnixMilli(), Granted: seconds,
		Instance: w.Instance, RegID: w.RegID, Path: r.u.Path, UserAgent: r.u.UserAgent,
		AOR: r.u.AOR, Flow: r.u.Flow, MAC: mac, Line: r.u.Line, Session: r.u.Session,
		Since: since.UnixMilli(), Updated: r.now.UnixMilli(), NAT: !r.u.Proxied && behindNAT(r.u.Flow, r.u.SentBy, w.uri),
	}
}

func (r *registration) commit() Commit {
	return Commit{
		Tenant: r.u.Tenant, User: r.u.AOR.User, Set: Set{Rev: r.set.Rev, Contacts: r.kept},
		Now: r.now, Device: r.u.Device, Session: r.u.Session,
		Added: r.added, Removed: r.removed, Refreshed: r.refreshed, Restarted: r.restarted,
		Supersede: r.supersedes(),
	}
}

// supersedes tells a device's first contact under this credential.
func (r *registration) supersedes() bool {
	if r.u.Device.MAC.IsZero() || len(r.added) == 0 {
		return false
	}
	return !slices.ContainsFunc(r.set.Contacts, func(c Contact) bool {
		return r.own(c) && c.Session == r.u.Session && !c.Expired(r.now)
	})
}

// current lists what the 200 lists (step 8), with the seconds each has left.
func (r *registration) current() []Contact {
	out := make([]Contact, 0, len(r.kept))
	for _, c := range r.kept {
		if c.Expired(r.now) {
			continue
		}
		c.Granted = int((c.Expires - r.now.UnixMilli() + 999) / 1000)
		out = append(out, c)
	}
	return out
}
