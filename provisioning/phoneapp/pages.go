package phoneapp

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"perch/hotdesk"
	"perch/provisioning/brand"
)

// exit is the soft key that leaves the pages.
func exit() brand.Item { return brand.Item{Label: "Exit", Exit: true} }

// link is a page below the menu.
func (v *visit) link(parts ...string) string {
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return v.home + strings.Join(parts, "/")
}

// menu is the page that the Login/Logout key opens.
func (h *Handler) menu(v *visit) {
	who, seated, err := h.Desk.WhoSits(v.ctx, v.seat())
	if err != nil {
		h.away(v, err)
		return
	}
	mark := stamp(h.Now())
	p := brand.Page{Title: "Free desk", Text: []string{"Nobody is logged in"}}
	if seated {
		p.Title, p.Text = person(who), []string{person(who) + " is logged in"}
		p.Items = append(p.Items, brand.Item{Label: "Log out", URL: v.link("logout", mark, who.Binding.Number)})
	}
	p.Items = append(p.Items,
		brand.Item{Label: "Log in", URL: v.link("login")},
		brand.Item{Label: "Who is here", URL: v.link("who")},
		brand.Item{Label: "Reload phone", URL: v.link("reload", mark)})
	v.show(p)
}

// person is number and name.
func person(w hotdesk.Who) string { return strings.TrimSpace(w.Binding.Number + " " + w.Name) }

// loginForm asks for extension and PIN, with a word about the last try.
func (h *Handler) loginForm(v *visit, word string) brand.Page {
	title := "Log in"
	if word != "" {
		title = word // the one line that every dialect shows above a form
	}
	return brand.Page{Title: title, Text: []string{"Extension and PIN"}, Form: &brand.Form{
		URL: v.link("login", stamp(h.Now())), Submit: "Log in",
		Fields: []brand.Field{{Label: "Extension", Name: "ext"}, {Label: "PIN", Name: "pin", Hidden: true}},
	}}
}

// pinForm asks for the PIN alone: the number is known.
func (h *Handler) pinForm(v *visit, number string) brand.Page {
	return brand.Page{Title: "Log in " + number, Text: []string{"PIN of " + number}, Form: &brand.Form{
		URL: v.link("login", stamp(h.Now()), number), Submit: "Log in",
		Fields: []brand.Field{{Label: "PIN", Name: "pin", Hidden: true}},
	}}
}

// askPage asks whether to take the desk over.
func (h *Handler) askPage(v *visit, no *hotdesk.Refused, word string) brand.Page {
	name := no.Occupant
	if who, ok, err := h.Desk.WhoSits(v.ctx, v.seat()); err == nil && ok && who.Binding.Number == no.Occupant {
		name = person(who)
	}
	text := name + " sits here since " + h.clock(v, no.Since)
	return brand.Page{Title: text, Text: []string{text, "Take the desk over?"}, Items: []brand.Item{
		{Label: "Take over", URL: v.link("take", word)},
		{Label: "Leave it", URL: v.home},
	}}
}

// who tells who sits here, and which desk this is.
func (h *Handler) who(v *visit) {
	who, seated, err := h.Desk.WhoSits(v.ctx, v.seat())
	if err != nil {
		h.away(v, err)
		return
	}
	p := brand.Page{Title: "Who is here", Keys: []brand.Item{{Label: "Menu", URL: v.home}, exit()}}
	p.Text = []string{"Nobody is logged in."}
	if seated {
		p.Text = []string{person(who) + " is logged in since " + h.clock(v, who.Binding.SinceTime()) + "."}
		if who.Binding.Until > 0 {
			p.Text = append(p.Text, "Until "+h.clock(v, time.UnixMilli(who.Binding.Until))+".")
		}
	}
	if v.device.Desk != "" {
		p.Text = append(p.Text, "Desk "+v.device.Desk+".")
	}
	v.show(p)
}

// clock writes a time as it is at the desk; with the day when it is not today.
// A zone that is not known is UTC, and says so.
func (h *Handler) clock(v *visit, t time.Time) string {
	layout, zone := "15:04 UTC", time.UTC
	if tenant, err := h.Records.Tenant(v.ctx, v.device.ID.Tenant); err == nil {
		site, _ := tenant.Site(v.device.Site)
		if z, err := time.LoadLocation(site.TimeZone); err == nil && site.TimeZone != "" {
			layout, zone = "15:04", z
		}
	}
	t, now := t.In(zone), h.Now().In(zone)
	if t.YearDay() != now.YearDay() || t.Year() != now.Year() {
		layout = "2 Jan " + layout
	}
	return t.Format(layout)
}

// refusal says no in plain words, with the code that finds the trace.
func (h *Handler) refusal(v *visit, no *hotdesk.Refused) brand.Page {
	text := words(no)
	if no.Why == hotdesk.DeskTaken {
		text = no.Occupant + " sits here since " + h.clock(v, no.Since) + ". They have to log out first."
	}
	again := brand.Item{Label: "Again", URL: v.link("login")}
	if no.Why == hotdesk.NobodyHere {
		again = brand.Item{Label: "Menu", URL: v.home}
	}
	return brand.Page{Title: "Not done", Text: []string{text, supportCode(v.trace)}, Keys: []brand.Item{again, exit()}}
}

// words are the reasons as a person reads them.
func words(no *hotdesk.Refused) string {
	switch no.Why {
	case hotdesk.BadCredentials:
		return "Extension or PIN is not right."
	case hotdesk.Locked:
		minutes := max(1, int((no.RetryAfter+time.Minute-1)/time.Minute))
		if minutes == 1 {
			return "Too many wrong PINs. Try again in a minute."
		}
		return "Too many wrong PINs. Try again in " + strconv.Itoa(minutes) + " minutes."
	case hotdesk.Elsewhere:
		return "You are logged in at another desk. Log out there first."
	case hotdesk.SiteForbidden:
		return "Your extension cannot be used at this site."
	case hotdesk.EmergencyOnly:
		return "This phone is for emergencies. Nobody logs in here."
	case hotdesk.NotOwner:
		return "This desk is somebody's own."
	case hotdesk.Reserved:
		return "This desk is reserved for others now."
	case hotdesk.NotValid:
		return "Your extension is not valid at this time."
	case hotdesk.WeakPIN:
		return "That PIN is too easy. Choose another."
	case hotdesk.PINFixed:
		return "Your PIN cannot be changed here. Ask your administrator."
	case hotdesk.UnknownDevice:
		return "This phone is no longer known. Ask your administrator."
	case hotdesk.NobodyHere:
		return "Somebody else or nobody is logged in here now."
	}
	return "This is not allowed here. Ask your administrator."
}

// codeLength is how many characters of a trace id a person reads out.
const codeLength = 8

func supportCode(id string) string { return "Code " + id[:min(len(id), codeLength)] + "." }
