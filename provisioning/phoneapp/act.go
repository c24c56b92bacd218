package phoneapp

import (
	"errors"
	"strings"

	"perch/hotdesk"
	"perch/hotdesk/directory"
)

// maxPIN bounds what is taken for a PIN, in bytes; no phone's field holds more.
const maxPIN = 64

// login: without a stamp the form; with one what was typed into it. A phone that
// asks for one value at a time brings the number first, and then again in the
// path.
func (h *Handler) login(v *visit) {
	if h.Places != nil {
		v.place = strings.TrimPrefix(strings.TrimPrefix(v.target.action, "login"), "-")
	}
	if !fresh(v.target.arg(0), h.Now()) {
		v.show(h.loginForm(v, ""))
		return
	}
	number, pin := v.target.arg(1), v.target.typed("pin")
	if number == "" {
		number = v.target.typed("ext")
	}
	_, err := directory.ParseNumber(number)
	switch {
	case number == "":
		v.show(h.loginForm(v, v.say("Type your extension")))
	case pin == "" && err != nil:
		v.show(h.loginForm(v, v.say("This is no extension")))
	case pin == "":
		v.show(h.pinForm(v, number))
	case len(number) > maxPIN || len(pin) > maxPIN:
		v.show(h.loginForm(v, v.say("That is too long")))
	default:
		h.enter(v, h.seals.id(v.device.ID, "login", v.target.arg(0), number), number, pin, false)
	}
}

// enter asks the engine, and shows where it leads.
func (h *Handler) enter(v *visit, id, number, pin string, confirmed bool) {
	v.trace, v.typed = id, []string{number, pin}
	_, err := h.Desk.Login(v.ctx, hotdesk.LoginRequest{
		ID: id, At: v.start, Door: hotdesk.PhoneApp, Device: v.device.ID, Number: number,
		PIN: directory.Secret(pin), Source: "device:" + v.device.ID.MAC.String(), Confirmed: confirmed,
	})
	if no, ok := errors.AsType[*hotdesk.Refused](err); ok && no.Why == hotdesk.AskFirst {
		h.ask(v, number, pin, no)
		return
	}
	if err == nil && v.place != "" {
		if err := h.Places.Choose(v.ctx, v.device.ID, v.place); err != nil {
			v.err = err // the login stands; the phone keeps the address that it has
		}
	}
	h.outcome(v, err)
}

// ask shows who sits there. The yes comes back sealed and with an id of its own.
func (h *Handler) ask(v *visit, number, pin string, no *hotdesk.Refused) {
	v.result = string(no.Why)
	word := h.seals.seal(v.device.ID, takeover{
		Number: number, PIN: pin, Occupant: no.Occupant, Place: v.place, Until: h.Now().Add(good).Unix(),
	})
	v.show(h.askPage(v, no, word))
}

// take is the yes. Somebody else may have sat down since the question: then it
// is asked again.
func (h *Handler) take(v *visit) {
	t, ok := h.seals.open(v.device.ID, v.target.arg(0), h.Now())
	if !ok {
		v.show(h.loginForm(v, v.say("That took too long")))
		return
	}
	if h.Places != nil {
		v.place = t.Place
	}
	who, seated, err := h.Desk.WhoSits(v.ctx, v.seat())
	if err != nil {
		h.away(v, err)
		return
	}
	// Whoever logs in is there already when the page is fetched again.
	same := !seated || who.Binding.Number == t.Occupant || who.Binding.Number == t.Number
	id := h.seals.id(v.device.ID, "take", v.target.arg(0))
	if !same {
		id = h.seals.id(v.device.ID, "again", stamp(h.Now()))
	}
	h.enter(v, id, t.Number, t.PIN, same)
}

// logout frees the desk of the person whom the menu named.
func (h *Handler) logout(v *visit) {
	if !fresh(v.target.arg(0), h.Now()) {
		h.menu(v)
		return
	}
	number := v.target.arg(1)
	if _, err := directory.ParseNumber(number); err != nil {
		h.menu(v)
		return
	}
	v.trace = h.seals.id(v.device.ID, "logout", v.target.arg(0), number)
	_, err := h.Desk.Logout(v.ctx, hotdesk.LogoutRequest{
		ID: v.trace, At: v.start, Door: hotdesk.PhoneApp, Device: v.device.ID, Number: number,
	})
	h.outcome(v, err)
}

// reload makes this phone take its configuration again.
func (h *Handler) reload(v *visit) {
	if !fresh(v.target.arg(0), h.Now()) {
		h.menu(v)
		return
	}
	v.trace = h.seals.id(v.device.ID, "reload", v.target.arg(0))
	h.outcome(v, h.Reloads.Reload(v.ctx, v.trace, v.device.ID))
}

// outcome leads to the page that follows the trace, or says why not.
func (h *Handler) outcome(v *visit, err error) {
	if no, ok := errors.AsType[*hotdesk.Refused](err); ok {
		v.result = string(no.Why)
		v.show(h.refusal(v, no))
		return
	}
	if err != nil {
		h.away(v, err)
		return
	}
	v.result = "ok"
	v.show(waiting(v, v.trace, 0, v.say("Please wait")))
}

func (v *visit) seat() directory.Seat { return directory.Seat{Device: v.device.ID, Line: 1} }
