package phoneapp

import (
	"encoding/base64"
	"strconv"
	"strings"
	"unicode"

	"perch/provisioning/brand"
)

// maxSearch bounds what is searched for, in bytes.
const maxSearch = 64

// directory asks for whom to search. It is for who is logged in: a free desk calls
// nobody, and strangers who pass it need no list of names.
func (h *Handler) directory(v *visit) {
	if !h.listed(v) {
		return
	}
	v.show(brand.Page{Title: v.say("Directory"), Text: []string{v.say("Number, or the name by its keys")}, Form: &brand.Form{
		URL: v.link("find"), Submit: v.say("Search"), Fields: []brand.Field{{Label: v.say("Search"), Name: "q", Text: true}},
	}})
}

// listed tells whether this desk may see the directory now, and answers where it
// may not.
func (h *Handler) listed(v *visit) bool {
	if h.People == nil || !*v.policy.Directory {
		v.notFound()
		return false
	}
	_, seated, err := h.Desk.WhoSits(v.ctx, v.seat())
	switch {
	case err != nil:
		h.away(v, err)
	case !seated:
		h.menu(v)
	}
	return err == nil && seated
}

// find lists who matches: /find?q=<typed>, then /find/<page>/<what was typed>.
func (h *Handler) find(v *visit) {
	if !h.listed(v) {
		return
	}
	asked := v.target.typed("q")
	if raw, err := base64.RawURLEncoding.DecodeString(v.target.arg(1)); err == nil && len(raw) > 0 {
		asked = string(raw)
	}
	if len(asked) > maxSearch {
		asked = ""
	}
	people, err := h.People.People(v.ctx, v.device.ID.Tenant)
	if err != nil {
		h.away(v, err)
		return
	}
	p := brand.Page{Title: v.say("Directory")}
	for _, one := range people {
		if dialled(one.Number) && one.matches(asked) {
			p.Items = append(p.Items, brand.Item{Label: strings.TrimSpace(one.Name + " " + one.Number), Dial: one.Number})
		}
		if len(p.Items) == maxListed {
			break
		}
	}
	if len(p.Items) == 0 {
		v.show(brand.Page{
			Title: v.say("Directory"), Text: []string{v.say("No entry for %s", asked)},
			Keys: []brand.Item{{Label: v.say("Again"), URL: v.link("dir")}, v.exit()},
		})
		return
	}
	word := base64.RawURLEncoding.EncodeToString([]byte(asked))
	if word == "" {
		word = base64.RawURLEncoding.EncodeToString([]byte(" ")) // everybody, and an argument all the same
	}
	p.Items = v.paged(p.Items, number(v.target.arg(0)), func(n int) string { return v.link("find", strconv.Itoa(n), word) })
	v.show(p)
}

// maxListed bounds what one search gives.
const maxListed = 500

// dialled tells numbers that a phone's Dial: takes.
func dialled(number string) bool { return number != "" && strings.Trim(number, "0123456789*#+") == "" }

// matches compares by the beginning of the number, by a part of the name, and by
// the keys on which the beginning of one of its words stands (ITU-T E.161): 232 is
// Ada, since these fields hold digits on most phones.
func (p Person) matches(asked string) bool {
	asked = strings.ToLower(strings.TrimSpace(asked))
	if asked == "" || strings.HasPrefix(p.Number, asked) {
		return true
	}
	name := strings.ToLower(p.Name)
	if strings.Trim(asked, "0123456789") != "" {
		return strings.Contains(name, asked)
	}
	for word := range strings.FieldsFuncSeq(name, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) }) {
		if strings.HasPrefix(keysOf(word), asked) {
			return true
		}
	}
	return false
}

// keysOf are the keys of a phone under which a word stands; what stands on none is
// left out.
func keysOf(word string) string {
	return strings.Map(func(c rune) rune {
		c = plainLetter(c)
		switch {
		case c >= '0' && c <= '9':
			return c
		case c >= 'a' && c <= 'z':
			return rune("22233344455566677778889999"[c-'a'])
		}
		return -1
	}, word)
}

// plainLetter takes the marks off the letters of Europe.
func plainLetter(c rune) rune {
	for plain, marked := range map[rune]string{
		'a': "àáâãäåāăąæ", 'c': "çćč", 'd': "ďđð", 'e': "èéêëēęě", 'g': "ğ", 'i': "ìíîïīı", 'l': "ł", 'n': "ñńň",
		'o': "òóôõöøōőœ", 'r': "ř", 's': "śşšß", 't': "ţťþ", 'u': "ùúûüūůű", 'y': "ýÿ", 'z': "źżž",
	} {
		if strings.ContainsRune(marked, c) {
			return plain
		}
	}
	return c
}
