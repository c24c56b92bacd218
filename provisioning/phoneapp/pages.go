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
func (v *visit) exit() brand.Item { return brand.Item{Label: v.say("Exit"), Exit: true} }

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
	p := brand.Page{Title: v.say("Free desk"), Text: []string{v.say("Nobody is logged in")}}
	if seated {
		p.Title, p.Text = person(who), []string{v.say("%s is logged in", person(who))}
		p.Items = append(p.Items, brand.Item{Label: v.say("Log out"), URL: v.link("logout", mark, who.Binding.Number)})
	}
	if h.Places == nil {
		p.Items = append(p.Items, brand.Item{Label: v.say("Log in"), URL: v.link("login")})
	} else {
		p.Items = append(p.Items, brand.Item{Label: v.say("Log in (internal)"), URL: v.link("login-internal")},
			brand.Item{Label: v.say("Log in (external)"), URL: v.link("login-external")})
	}
	if h.Codes != nil && *v.policy.QRLogin {
		p.Items = append(p.Items, brand.Item{Label: v.say("Log in by code"), URL: v.link("qr", mark)})
	}
	if seated && h.People != nil && *v.policy.Directory {
		p.Items = append(p.Items, brand.Item{Label: v.say("Directory"), URL: v.link("dir")})
	}
	if seated && h.PINs != nil {
		p.Items = append(p.Items, brand.Item{Label: v.say("Change PIN"), URL: v.link("pin")})
	}
	p.Items = append(p.Items,
		brand.Item{Label: v.say("Who is here"), URL: v.link("who")},
		brand.Item{Label: v.say("Reload phone"), URL: v.link("reload", mark)})
	page := 0
	if v.target.action == "menu" {
		page = number(v.target.arg(0))
	}
	p.Items = v.paged(p.Items, page, func(n int) string { return v.link("menu", strconv.Itoa(n)) })
	v.show(p)
}

// paged gives one page of a long menu, with a way to the next.
func (v *visit) paged(items []brand.Item, page int, link func(int) string) []brand.Item {
	if len(items) <= v.items {
		return items
	}
	each := max(v.items-1, 1)
	first := page * each
	if first >= len(items) {
		first, page = 0, 0
	}
	out := append([]brand.Item(nil), items[first:min(first+each, len(items))]...)
	if first+each < len(items) {
		return append(out, brand.Item{Label: v.say("More"), URL: link(page + 1)})
	}
	return append(out, brand.Item{Label: v.say("Back"), URL: link(0)})
}

// number reads the number of a page; 0 where there is none.
func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > maxPages {
		return 0
	}
	return n
}

// maxPages bounds the pages of a list.
const maxPages = 1000

// person is number and name.
func person(w hotdesk.Who) string { return strings.TrimSpace(w.Binding.Number + " " + w.Name) }

// loginForm asks for extension and PIN, with a word about the last try.
func (h *Handler) loginForm(v *visit, word string) brand.Page {
	title := v.say("Log in")
	if word != "" {
		title = word // the one line that every dialect shows above a form
	}
	return brand.Page{Title: title, Text: []string{v.say("Extension and PIN")}, Form: &brand.Form{
		URL: v.link(v.entrance(), stamp(h.Now())), Submit: v.say("Log in"),
		Fields: []brand.Field{{Label: v.say("Extension"), Name: "ext"}, {Label: v.say("PIN"), Name: "pin", Hidden: true}},
	}}
}

// pinForm asks for the PIN alone: the number is known.
func (h *Handler) pinForm(v *visit, number string) brand.Page {
	return brand.Page{Title: v.say("Log in %s", number), Text: []string{v.say("PIN of %s", number)}, Form: &brand.Form{
		URL: v.link(v.entrance(), stamp(h.Now()), number), Submit: v.say("Log in"),
		Fields: []brand.Field{{Label: v.say("PIN"), Name: "pin", Hidden: true}},
	}}
}

// entrance is the action of the login button that was pressed.
func (v *visit) entrance() string {
	if v.place == "" {
		return "login"
	}
	return "login-" + v.place
}

// askPage asks whether to take the desk over.
func (h *Handler) askPage(v *visit, no *hotdesk.Refused, word string) brand.Page {
	name := no.Occupant
	if who, ok, err := h.Desk.WhoSits(v.ctx, v.seat()); err == nil && ok && who.Binding.Number == no.Occupant {
		name = person(who)
	}
	text := v.say("%s sits here since %s", name, h.clock(v, no.Since))
	return brand.Page{Title: text, Text: []string{text, v.say("Take the desk over?")}, Items: []brand.Item{
		{Label: v.say("Take over"), URL: v.link("take", word)},
		{Label: v.say("Leave it"), URL: v.home},
	}}
}

// who tells who sits here, and which desk this is.
func (h *Handler) who(v *visit) {
	who, seated, err := h.Desk.WhoSits(v.ctx, v.seat())
	if err != nil {
		h.away(v, err)
		return
	}
	p := brand.Page{Title: v.say("Who is here"), Keys: []brand.Item{{Label: v.say("Menu"), URL: v.home}, v.exit()}}
	p.Text = []string{v.say("Nobody is logged in.")}
	if seated {
		p.Text = []string{v.say("%s is logged in since %s.", person(who), h.clock(v, who.Binding.SinceTime()))}
		if who.Binding.Until > 0 {
			p.Text = append(p.Text, v.say("Until %s.", h.clock(v, time.UnixMilli(who.Binding.Until))))
		}
	}
	if v.device.Desk != "" {
		p.Text = append(p.Text, v.say("Desk %s.", v.device.Desk))
	}
	v.show(p)
}

// clock writes a time as it is at the desk; with the day when it is not today.
// A zone that is not known is UTC, and says so.
func (h *Handler) clock(v *visit, t time.Time) string {
	layout, zone := "15:04 UTC", time.UTC
	site, _ := v.tenant.Site(v.device.Site)
	if z, err := time.LoadLocation(site.TimeZone); err == nil && site.TimeZone != "" {
		layout, zone = "15:04", z
	}
	t, now := t.In(zone), h.Now().In(zone)
	if t.YearDay() != now.YearDay() || t.Year() != now.Year() {
		layout = "2006-01-02 " + layout
	}
	return t.Format(layout)
}

// refusal says no in plain words, with the code that finds the trace.
func (h *Handler) refusal(v *visit, no *hotdesk.Refused) brand.Page {
	text := v.words(no)
	if no.Why == hotdesk.DeskTaken && no.Occupant != "" {
		text = v.say("%s sits here since %s. They have to log out first.", no.Occupant, h.clock(v, no.Since))
	}
	again := brand.Item{Label: v.say("Again"), URL: v.link("login")}
	switch {
	case no.Why == hotdesk.NobodyHere:
		again = brand.Item{Label: v.say("Menu"), URL: v.home}
	case v.target.action == "pin":
		again.URL = v.link("pin")
	}
	return brand.Page{Title: v.say("Not done"), Text: []string{text, v.supportCode()}, Keys: []brand.Item{again, v.exit()}}
}

// words are the reasons as a person reads them.
func (v *visit) words(no *hotdesk.Refused) string {
	if no.Why == hotdesk.Locked {
		minutes := max(1, int((no.RetryAfter+time.Minute-1)/time.Minute))
		if minutes == 1 {
			return v.say("Too many wrong PINs. Try again in a minute.")
		}
		return v.say("Too many wrong PINs. Try again in %d minutes.", minutes)
	}
	if least, ok := strings.CutPrefix(no.Rule, "pin_min: "); ok && no.Why == hotdesk.WeakPIN {
		least, _, _ = strings.Cut(least, " ")
		return v.say("A PIN has at least %s digits.", least)
	}
	if text, ok := reasons()[no.Why]; ok {
		return v.say(text)
	}
	return v.say("This is not allowed here. Ask your administrator.")
}

// reasons are the texts of the refusals that need no number.
func reasons() map[hotdesk.Reason]string {
	return map[hotdesk.Reason]string{
		hotdesk.BadCredentials: "Extension or PIN is not right.",
		hotdesk.Elsewhere:      "You are logged in at another desk. Log out there first.",
		hotdesk.DeskTaken:      "This desk belongs to somebody else.",
		hotdesk.SiteForbidden:  "Your extension cannot be used at this site.",
		hotdesk.UnknownDevice:  "This phone is no longer known. Ask your administrator.",
		hotdesk.NobodyHere:     "Somebody else or nobody is logged in here now.",
		hotdesk.EmergencyOnly:  "This desk is for emergency calls only.",
		hotdesk.NotOwner:       "This desk belongs to somebody else.",
		hotdesk.Reserved:       "This desk is reserved for others now.",
		hotdesk.NotValid:       "Your extension cannot be used today. Ask your administrator.",
		hotdesk.WeakPIN:        "Choose another PIN: this one is too easy.",
		hotdesk.NotUnderstood:  "A setting of this desk is wrong. Ask your administrator.",
		hotdesk.PINFixed:       "Your PIN cannot be changed here. Ask your administrator.",
	}
}

// codeLength is how many characters of a trace id a person reads out.
const codeLength = 8

func (v *visit) supportCode() string {
	return v.say("Code %s.", v.trace[:min(len(v.trace), codeLength)])
}
