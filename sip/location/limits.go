package location

import "slices"

// outbound tells whether the contact asked for is one flow of an instance.
func (w Wanted) outbound() bool { return w.Instance != "" && w.RegID != 0 }

// checkContacts refuses what no registrar may take, and forgets the reg-ids of a
// request that is not for outbound (RFC 5626 section 6).
func (r *registration) checkContacts() error {
	flows := 0
	r.u.Contacts = slices.Clone(r.u.Contacts)
	for i := range r.u.Contacts {
		w := &r.u.Contacts[i]
		if !r.u.Outbound || w.Instance == "" {
			w.RegID = 0
		}
		seconds, err := r.grant(*w)
		if err != nil {
			return err
		}
		if seconds == 0 {
			continue
		}
		if leadsBack(w.uri, r.u.AOR) {
			return ErrLoop
		}
		if w.outbound() {
			flows++
		}
	}
	if flows > 1 { // one request is one flow
		return ErrMalformed
	}
	return nil
}

// otherFlow tells a contact that is another flow of the same instance.
func (r *registration) otherFlow(c Contact, w Wanted) bool {
	return c.Outbound() && w.outbound() && c.Instance == w.Instance && c.RegID != w.RegID
}

// makeRoom keeps one more contact of this credential within the bound. What is
// over already is nobody's room.
func (r *registration) makeRoom() error {
	n, oldest := 0, -1
	for i, c := range r.kept {
		if !r.own(c) || c.Expired(r.now) {
			continue
		}
		n++
		if (oldest < 0 || c.Updated < r.kept[oldest].Updated) && !contains(r.added, c) && !contains(r.refreshed, c) {
			oldest = i
		}
	}
	if n < r.rules.MaxContacts {
		return nil
	}
	if !r.rules.PushOut || oldest < 0 {
		return ErrTooMany
	}
	r.drop(oldest)
	return nil
}
