package phoneapp

import (
	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/provisioning/brand"
)

// pin lets who is logged in change their PIN: the old one, the new one, and the
// new one again. A phone that asks for one value at a time brings the earlier ones
// sealed: /pin/<stamp>/<sealed>.
func (h *Handler) pin(v *visit) {
	if h.PINs == nil {
		v.notFound()
		return
	}
	who, seated, err := h.Desk.WhoSits(v.ctx, v.seat())
	switch {
	case err != nil:
		h.away(v, err)
		return
	case !seated:
		h.menu(v)
		return
	case !fresh(v.target.arg(0), h.Now()):
		v.show(h.changeForm(v, "", who.Binding.Number, "", ""))
		return
	}
	number, old, next := who.Binding.Number, v.target.typed("old"), v.target.typed("new")
	if words, _, ok := h.seals.reveal(v.device.ID, "pin", v.target.arg(1), h.Now(), 3); ok {
		if words[0] != number {
			h.menu(v) // somebody else sits here by now
			return
		}
		old = words[1]
		if words[2] != "" {
			next = words[2]
		}
	}
	again := v.target.typed("again")
	switch {
	case len(old) > maxPIN || len(next) > maxPIN || len(again) > maxPIN:
		v.show(h.changeForm(v, v.say("That is too long"), number, "", ""))
	case old == "":
		v.show(h.changeForm(v, v.say("Type it in full"), number, "", ""))
	case next == "" || again == "":
		v.show(h.changeForm(v, "", number, old, next))
	case next != again:
		v.show(h.changeForm(v, v.say("The new PINs differ"), number, old, ""))
	default:
		h.change(v, number, old, next)
	}
}

func (h *Handler) change(v *visit, number, old, next string) {
	v.trace, v.typed = h.seals.id(v.device.ID, "pin", v.target.arg(0), number), []string{number, old, next}
	err := h.PINs.ChangePIN(v.ctx, hotdesk.PINChange{
		ID: v.trace, Door: hotdesk.PhoneApp, Device: v.device.ID, Old: directory.Secret(old), New: directory.Secret(next),
		Extension: directory.ExtensionID{Tenant: v.device.ID.Tenant, Number: number}, Source: "device:" + v.device.ID.MAC.String(),
	})
	if err != nil {
		h.outcome(v, err)
		return
	}
	v.result = "ok"
	v.show(brand.Page{
		Title: v.say("Change PIN"), Text: []string{v.say("Your PIN is changed.")},
		Keys: []brand.Item{{Label: v.say("Menu"), URL: v.home}, v.exit()},
	})
}

// changeForm asks for what is not known yet.
func (h *Handler) changeForm(v *visit, word, number, old, next string) brand.Page {
	title := v.say("Change PIN")
	if word != "" {
		title = word
	}
	url := v.link("pin", stamp(h.Now()))
	if old != "" {
		url = v.link("pin", stamp(h.Now()), h.seals.hide(v.device.ID, "pin", h.Now().Add(good).Unix(), number, old, next))
	}
	f := &brand.Form{URL: url, Submit: v.say("Change PIN")}
	for _, field := range []struct {
		label, name string
		known       bool
	}{{"Old PIN", "old", old != ""}, {"New PIN", "new", next != ""}, {"New PIN again", "again", false}} {
		if !field.known {
			f.Fields = append(f.Fields, brand.Field{Label: v.say(field.label), Name: field.name, Hidden: true})
		}
	}
	return brand.Page{Title: title, Text: []string{v.say("PIN of %s", number)}, Form: f}
}
