package sangomap

import (
	"strings"

	"perch/hotdesk/directory"
	"perch/provisioning/brand"
)

// contactsName ends the name of the file of contacts.
const contactsName = "-contacts.xml"

// maxContacts is to how many contacts a phone subscribes.
const maxContacts = 40

// keys are the keys of a model: lines first, then those for contacts, which also
// fill the lines that are not used.
var keys = map[string]int{"D40": 2, "D45": 2, "D50": 14, "D60": 2, "D62": 2, "D65": 6, "D70": maxContacts + 1}

// layoutOf finds a model by the name that the phone or the directory gives. For
// a model that is not in the table as many contacts are written as a phone
// subscribes to; none of them is waited for.
func layoutOf(model string) brand.Layout {
	n, ok := keys[strings.ToUpper(strings.TrimSpace(model))]
	if !ok {
		return brand.Layout{Keys: maxContacts + 1}
	}
	return brand.Layout{Known: true, Keys: n}
}

// keyKnown tells the types that a contact can be: it dials, and may watch.
func keyKnown(k directory.Key) bool {
	switch k.Type {
	case brand.KeyBLF, brand.KeySpeedDial, brand.KeyPark, brand.KeyPickup:
		return true
	case brand.KeyVoicemail:
		return k.Value != ""
	}
	return false
}

// contact is one entry, in the order of the keys.
type contact struct {
	ID     int
	Name   string
	Number string
	Watch  string // whom its lamp shows; empty without a lamp
}

// list is what the template of the contacts sees.
type list struct{ Contacts []contact }

// maxName bounds the name of a contact. The screens show about 15 characters.
const maxName = 32

func contacts(d brand.Desk, slots []brand.Slot) list {
	var out list
	for _, s := range slots {
		if !s.Used {
			continue
		}
		c := contact{ID: len(out.Contacts) + 1, Name: s.Key.Label, Number: s.Text()}
		if c.Name == "" {
			c.Name = c.Number
		}
		c.Name = brand.ClipTo(c.Name, maxName)
		if s.Target != "" {
			c.Watch = "sip:" + s.Target + "@" + d.Domain
		}
		out.Contacts = append(out.Contacts, c)
	}
	return out
}
