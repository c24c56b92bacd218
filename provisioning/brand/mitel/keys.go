package mitel

import (
	"fmt"

	"perch/hotdesk/directory"
	"perch/provisioning/brand"
)

// key is one key as lines of the file.
type key struct {
	Name  string // "prgkey2", "expmod1 key7"
	Used  bool
	Type  string
	Value string
	Label string
}

// keyTypes are the values of "... type".
var keyTypes = map[string]string{
	brand.KeyBLF: "blf", brand.KeySpeedDial: "speeddial", brand.KeyPickup: "speeddial", brand.KeyVoicemail: "speeddial",
	brand.KeyPark: "park", brand.KeyScreen: "xml",
}

func keyKnown(k directory.Key) bool {
	return keyTypes[k.Type] != "" && (k.Type != brand.KeyVoicemail || k.Value != "")
}

// keys names all keys of the model; those that are not used are switched off.
func (m model) keys(slots []brand.Slot) []key {
	out := make([]key, 0, len(slots))
	for _, s := range slots {
		k := key{Name: m.place(s), Used: s.Used, Type: "none"}
		if s.Used {
			k.Type, k.Value = keyTypes[s.Key.Type], s.Text()
			if k.Label = brand.ClipTo(s.Key.Label, maxName); k.Label == "" {
				k.Label = brand.ClipTo(k.Value, maxName)
			}
			if k.Type == "park" {
				k.Value = "asterisk;" + k.Value // the kind of server: a call is parked by dialling the number
			}
		}
		out = append(out, k)
	}
	return out
}

// place names a slot: the groups of the model in order, then the modules.
func (m model) place(s brand.Slot) string {
	if s.Module > 0 {
		return fmt.Sprintf("expmod%d key%d", s.Module, s.Index)
	}
	n := s.Index - 1
	for _, g := range m.groups {
		if n <= g.count {
			return fmt.Sprintf("%s%d", g.name, n)
		}
		n -= g.count
	}
	return ""
}
