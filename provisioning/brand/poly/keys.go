package poly

import (
	"strings"

	"perch/hotdesk/directory"
	"perch/provisioning/brand"
)

// registrations of the largest models; settings of those that a model does not
// have are ignored by it.
const registrations = 16

// maxMacros is the number of entries of efk.efklist.
const maxMacros = 50

// lineKey is one key: a lamp, or a macro, by its number in its own list.
type lineKey struct {
	Index    int // from 1, the phone's before the modules'
	Category string
	Entry    int
}

// watched is an entry of attendant.resourceList, a busy lamp field.
type watched struct {
	Entry          int
	Address, Label string
}

// macro is an entry of efk.efklist, an enhanced feature key.
type macro struct {
	Entry         int
	Label, Action string
}

// verbs end the macro of a key: what is done with the digits before.
var verbs = map[string]string{
	brand.KeySpeedDial: "$Tinvite$", brand.KeyPark: "$Tinvite$", brand.KeyPickup: "$Tinvite$",
	brand.KeyVoicemail: "$Tinvite$", brand.KeyDTMF: "$Tdtmf$", brand.KeyURL: "",
}

// fitting tells which keys the phone can show: lamps, and macros until their
// list is full. A dollar sign in an URL would begin a command of a macro.
func fitting() func(directory.Key) bool {
	macros := 0
	return func(k directory.Key) bool {
		if k.Type == brand.KeyBLF {
			return true
		}
		if _, ok := verbs[k.Type]; !ok || k.Value == "" || strings.Contains(k.Value, "$") || macros == maxMacros {
			return false
		}
		macros++
		return true
	}
}

// number gives each key its number on the phone and in its list. Keys that are
// not used are not written: the phone forgets what its files no longer say.
func (v *view) number(l brand.Layout, slots []brand.Slot) {
	for _, s := range slots {
		if !s.Used {
			continue
		}
		k := lineKey{Index: s.Index}
		if s.Module > 0 {
			k.Index = l.Keys + (s.Module-1)*l.PerModule + s.Index
		}
		label := brand.Clip(s.Key.Label)
		if label == "" {
			label = s.Text()
		}
		if s.Key.Type == brand.KeyBLF {
			k.Category, k.Entry = "BLF", len(v.Watched)+1
			v.Watched = append(v.Watched, watched{Entry: k.Entry, Address: s.Target, Label: label})
		} else {
			k.Category, k.Entry = "EFK", len(v.Macros)+1
			v.Macros = append(v.Macros, macro{Entry: k.Entry, Label: label, Action: s.Text() + verbs[s.Key.Type]})
		}
		v.Keys = append(v.Keys, k)
	}
}
