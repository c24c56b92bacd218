package phoneapp

import (
	"crypto/rand"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"rsc.io/qr"

	"perch/provisioning/brand"
)

// A code has codeSize of the letters and digits that nobody mixes up: 40 bits. It
// lives for two minutes, and whoever confirms it has signed in.
const (
	codeSize    = 8
	codeLetters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ" // Crockford's base 32
)

func newCode() string {
	b := make([]byte, codeSize)
	rand.Read(b) //nolint:errcheck // never fails, by its contract
	for i := range b {
		b[i] = codeLetters[b[i]%32]
	}
	return string(b)
}

// spaced makes a code readable: ABCD-EFGH.
func spaced(code string) string { return code[:codeSize/2] + "-" + code[codeSize/2:] }

func isCode(s string) bool { return len(s) == codeSize && strings.Trim(s, codeLetters) == "" }

// qr makes a code for this desk: /qr/<stamp>. The same page shows it until it is
// confirmed: /code/<code>/<count>, its picture being /code/<code>.png.
func (h *Handler) qr(v *visit) {
	if h.Codes == nil || !*v.policy.QRLogin {
		v.notFound()
		return
	}
	if !fresh(v.target.arg(0), h.Now()) {
		h.menu(v)
		return
	}
	code := newCode()
	v.trace = h.codeID(v, code)
	err := h.Codes.New(v.ctx, v.seat(), code, v.trace)
	if errors.Is(err, ErrTooMany) {
		v.result = "too_many_codes"
		v.show(brand.Page{
			Title: v.say("Not done"), Text: []string{v.say("Too many codes. Wait a minute.")},
			Keys: []brand.Item{{Label: v.say("Menu"), URL: v.home}, v.exit()},
		})
		return
	}
	if err != nil {
		h.away(v, err)
		return
	}
	v.result = "ok"
	v.show(h.codePage(v, code, 0, false))
}

// codeID is the trace id of the login that a code leads to.
func (h *Handler) codeID(v *visit, code string) string { return h.seals.id(v.device.ID, "code", code) }

// code shows a code again, its picture, or what came of it.
func (h *Handler) code(v *visit) {
	code, isPicture := strings.CutSuffix(v.target.arg(0), ".png")
	if h.Codes == nil || !isCode(code) {
		v.notFound()
		return
	}
	if isPicture {
		h.picture(v, code)
		return
	}
	v.trace = h.codeID(v, code)
	waits, err := h.Codes.Waits(v.ctx, v.device.ID.Tenant, code)
	if err != nil {
		h.away(v, err)
		return
	}
	word, asText := strings.CutPrefix(v.target.arg(1), "t")
	switch {
	case waits:
		v.show(h.codePage(v, code, number(word), asText))
	default:
		h.confirmed(v)
	}
}

// confirmed follows the login that the code led to; a code that led to none has
// run out.
func (h *Handler) confirmed(v *visit) {
	t, err := h.Records.Trace(v.ctx, v.device.ID)
	if err == nil && strings.HasPrefix(t.ID, v.trace) { // confirmed twice, it has another end
		v.show(waiting(v, t.ID, 0, v.say("Confirmed. The desk changes hands.")))
		return
	}
	v.show(brand.Page{
		Title: v.say("Log in by code"), Text: []string{v.say("The code has run out.")},
		Keys: []brand.Item{{Label: v.say("Again"), URL: v.link("qr", stamp(h.Now()))}, v.exit()},
	})
}

// codeLook is how often the page asks whether somebody has confirmed.
const codeLook = 3 * time.Second

func (h *Handler) codePage(v *visit, code string, count int, asText bool) brand.Page {
	form := ""
	if asText {
		form = "t"
	}
	next := v.link("code", code, form+strconv.Itoa(count+1))
	p := brand.Page{
		Title: v.say("Log in by code"), Text: []string{v.say("Scan the picture, or confirm code %s where you are signed in.", spaced(code))},
		Next: &brand.Next{After: codeLook, URL: next}, Keys: []brand.Item{{Label: v.say("Refresh"), URL: next}},
	}
	if !asText && h.address(v, code) != "" {
		p.Picture = &brand.Picture{URL: v.link("code", code+".png"), Size: pictureSize}
		p.Keys = append(p.Keys, brand.Item{Label: v.say("As text"), URL: v.link("code", code, "t0")})
	}
	p.Keys = append(p.Keys, v.exit())
	return p
}

func (h *Handler) address(v *visit, code string) string {
	return h.Codes.Address(v.device.ID.Tenant, code)
}

// pictureSize is about the side of a picture, in pixels: what the smallest colour
// screen of a phone has room for.
const pictureSize = 160

// picture is the code as a QR code: the address where it is confirmed. It is drawn
// for any code, since it says no more than the code does.
func (h *Handler) picture(v *visit, code string) {
	address := h.address(v, code)
	if address == "" {
		v.notFound()
		return
	}
	c, err := qr.Encode(address, qr.L)
	if err != nil {
		v.notFound()
		return
	}
	c.Scale = max(1, pictureSize/(c.Size+8)) // four modules of white on each side (ISO/IEC 18004)
	v.write(http.StatusOK, "image/png", c.PNG())
}
