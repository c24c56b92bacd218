package feature

import (
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/sip/handler"
	"perch/sip/media"
	"perch/sip/media/prompts"
)

// Prompts gives what is said: clips put together, by tenant and language; ok is
// false when one of them is missing.
type Prompts interface {
	Sound(tenant directory.TenantCode, language string, names ...string) (media.Sound, bool)
}

// answer is what came of what a person wanted.
type answer struct {
	why   string           // empty: it was done
	no    *hotdesk.Refused // where the hot desk refused
	who   hotdesk.Who      // who sits at the desk, where that was asked
	plain bool             // a contact without a desk
}

// words says what came of a code, in clips. What cannot be said is said with
// less.
func (a answer) words(code Code, language string, now time.Time) []string {
	switch {
	case a.plain:
		return []string{whyNoDevice}
	case a.why != "":
		return a.refusal()
	}
	switch code {
	case Login, Supervised:
		return append([]string{"logged_in"}, prompts.Number(a.who.Binding.Number)...)
	case Logout:
		return []string{"logged_out"}
	case WhoAmI:
		return sitting(a.who.Binding.Number, a.who.Binding.SinceTime().In(now.Location()), language, now)
	case NewPIN:
		return []string{"pin_changed"}
	case Reload:
		return []string{"reloading"}
	}
	return []string{whyError}
}

// sitting says who sits at a desk and since when.
func sitting(number string, since time.Time, language string, now time.Time) []string {
	words := append([]string{"extension"}, prompts.Number(number)...)
	return append(append(words, "since_here"), prompts.When(language, since, now)...)
}

// refusal says why not. The reasons' names are those of the clips.
func (a answer) refusal() []string {
	switch {
	case a.no != nil && a.no.Why == hotdesk.Locked && a.no.RetryAfter > 0:
		return append([]string{a.why, "try_in"}, prompts.Minutes(a.no.RetryAfter)...)
	case a.why == whyUnavailable:
		return []string{a.why, "try_later"}
	}
	return []string{a.why}
}

// clock is the time at a device's desk; the server's own where its site has no
// zone.
func clock(id handler.Identity, now time.Time) time.Time {
	site, _ := id.Tenant.Site(id.Device.Site)
	if site.TimeZone == "" {
		return now
	}
	zone, err := time.LoadLocation(site.TimeZone)
	if err != nil {
		return now
	}
	return now.In(zone)
}
