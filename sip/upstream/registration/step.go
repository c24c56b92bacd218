package registration

import (
	"slices"
	"time"
)

// Why a registration failed.
const (
	WhyRefused     = "refused"        // the PBX said no
	WhyCredentials = "credentials"    // the PBX did not accept user name and password
	WhySilent      = "silent"         // no answer
	WhyUnreachable = "unreachable"    // no address, no connection
	WhyNoPassword  = "no_password"    // the PBX asked for one, and there is none
	WhyMalformed   = "malformed"      // the answer made no sense
	WhyAway        = "not_configured" // the upstream or the account has gone from the directory
)

// Reasons lists the closed set.
func Reasons() []string {
	return []string{WhyRefused, WhyCredentials, WhySilent, WhyUnreachable, WhyNoPassword, WhyMalformed, WhyAway}
}

// Times of a registration. Ask is what the PBX is asked for: short enough that it
// soon forgets a Perch that is gone, long enough that 10,000 people are some 20
// requests a second.
const (
	Ask          = 10 * time.Minute
	shortest     = time.Minute // however little the PBX grants
	longest      = 2 * time.Hour
	firstRetry   = 4 * time.Second
	lastRetry    = 10 * time.Minute
	wrongRetry   = 5 * time.Minute // a password does not become right by asking
	maxContacts  = 4
	maxGiveUp    = 4 // attempts to unregister before the PBX is left to forget by itself
	refreshAfter = 0.75
)

// Answer is what came of one REGISTER.
type Answer struct {
	Status     int           // 0: none came
	Why        string        // of a failure
	Granted    time.Duration // of a 2xx: how long our contact is held
	RetryAfter time.Duration // what the PBX asked for; 0: nothing
	Hop        string
	Contact    string // the one that was sent
	CSeq       uint32 // of the next request
}

// OK tells a registration, or an unregistration, that the PBX has carried out.
func (a Answer) OK() bool { return a.Status >= 200 && a.Status < 300 }

// Next applies an answer to a record and says when it is due again. random is
// of [0,1). A record that no longer Stays is to be dropped.
func (r Record) Next(a Answer, now time.Time, random float64) (Record, time.Time) {
	r.Contacts = slices.Clone(r.Contacts)
	r.Status, r.Why, r.CSeq = a.Status, a.Why, a.CSeq
	if a.Hop != "" {
		r.Hop = a.Hop
	}
	if !r.Wanted {
		return r.undone(a, now, random)
	}
	if !a.OK() {
		r.Fails++
		r.forget(now)
		return r.to(Failed, now), now.Add(r.retry(a, now, random))
	}
	granted := min(max(a.Granted, shortest), longest)
	r.Why, r.Fails = "", 0
	r.Contacts = []Contact{{a.Contact, now.Add(granted).UnixMilli()}}
	// A tenth more or less, so that those who came in the morning together do not
	// come together all day.
	wait := time.Duration(float64(granted) * refreshAfter * (0.9 + 0.2*random))
	return r.to(Registered, now), now.Add(wait)
}

// undone is an answer to an unregistration. What the PBX will not hear is left
// to its own clock.
func (r Record) undone(a Answer, now time.Time, random float64) (Record, time.Time) {
	refused := a.Status >= 300 && a.Status != 503 && a.Status != 500 && a.Status != 408
	if r.Fails++; a.OK() || refused || r.Fails >= maxGiveUp {
		r.Contacts = nil
		return r.to(Unregistering, now), now
	}
	return r.to(Unregistering, now), now.Add(r.retry(a, now, random))
}

// retry is the pause after a failure: twice the last one, a fifth more or less,
// never before the PBX wants it; sooner while it still holds the contact.
func (r Record) retry(a Answer, now time.Time, random float64) time.Duration {
	pause := min(firstRetry<<min(r.Fails-1, 10), lastRetry)
	if a.Why == WhyCredentials || a.Why == WhyNoPassword {
		pause = max(pause, wrongRetry)
	}
	pause = time.Duration(float64(pause) * (0.8 + 0.4*random))
	if left := r.Expires().Sub(now); r.Wanted && left > 2*firstRetry {
		pause = min(pause, left/2)
	}
	return max(pause, min(a.RetryAfter, lastRetry))
}

// Sent notes the contact of a request that is on its way: the PBX may hold it
// from now on, whatever comes back.
func (r Record) Sent(contact string, now time.Time) Record {
	r.Contacts = slices.Clone(r.Contacts)
	i := slices.IndexFunc(r.Contacts, func(c Contact) bool { return c.URI == contact })
	c := Contact{URI: contact}
	if i >= 0 {
		c = r.Contacts[i]
		r.Contacts = slices.Delete(r.Contacts, i, i+1)
	}
	r.Contacts = slices.Insert(r.Contacts, 0, c)
	r.forget(now)
	return r
}

// forget leaves out contacts that the PBX holds no longer, and bounds the rest.
func (r *Record) forget(now time.Time) {
	for i := len(r.Contacts) - 1; i > 0; i-- {
		if c := r.Contacts[i]; c.Expires > 0 && c.Expires <= now.UnixMilli() || i >= maxContacts {
			r.Contacts = slices.Delete(r.Contacts, i, i+1)
		}
	}
}

func (r Record) to(s State, now time.Time) Record {
	if r.State != s {
		r.State, r.Since = s, now.UnixMilli()
	}
	return r
}
