package hanlong

import (
	"fmt"
	"strconv"

	"perch/hotdesk/directory"
	"perch/provisioning/brand"
)

// Modules is the expansion module: up to six, with two pages of twenty keys.
const (
	Modules   = 6
	PerModule = 40
)

// keyTypes are the values of a key's type. A pick-up key dials its value.
var keyTypes = map[string]int{
	brand.KeyLine: 1, brand.KeySpeedDial: 2, brand.KeyPickup: 2, brand.KeyBLF: 3, brand.KeyVoicemail: 5, brand.KeyPark: 8,
	brand.KeyDTMF: 10, brand.KeyScreen: 14, brand.KeyURL: 35,
}

func keyKnown(k directory.Key) bool { return keyTypes[k.Type] != 0 }

// maxLabel bounds the label of a key; the screens show about ten characters.
const maxLabel = 32

// key is one key as numbered values.
type key struct {
	Para  string // the name that stands beside the numbers
	P     place
	Type  int
	Value string
	Label string
}

// place is where the values of one key are.
type place struct{ Type, Mode, Value, Label, Account int }

// keys numbers the keys: the line, the phone's others, then the modules'. On
// modules, which can have 240 keys, unused ones are switched off by their type
// alone: the numbers of these come apart.
func keys(d brand.Desk, slots []brand.Slot) (written []key, off []int) {
	written = append(make([]key, 0, len(slots)+1), key{Para: "LineKey1", P: linePlace(1), Type: 1, Label: d.Screen()})
	for _, s := range slots {
		if s.Module > 0 && !s.Used {
			off = append(off, modulePlace(s.Module, s.Index).Type)
			continue
		}
		k := key{Para: "LineKey" + strconv.Itoa(s.Index), P: linePlace(s.Index)}
		if s.Module > 0 {
			k = key{Para: fmt.Sprintf("Exp%d_%d", s.Module, s.Index), P: modulePlace(s.Module, s.Index)}
		}
		if s.Used {
			k.Type, k.Value, k.Label = keyTypes[s.Key.Type], s.Text(), s.Key.Label
			if k.Label == "" {
				k.Label = k.Value
			}
			k.Label = brand.ClipTo(k.Label, maxLabel)
		}
		written = append(written, k)
	}
	return written, off
}

// linePlace: four keys stand apart, a hundred between their values; the next 32
// follow each other in groups of five, and from the 37th on elsewhere again,
// without a mode.
func linePlace(n int) place {
	switch {
	case n <= 4:
		return place{Type: 41200 + n - 1, Mode: 20600 + n - 1, Value: 41300 + n - 1, Label: 41400 + n - 1, Account: 41500 + n - 1}
	case n <= 36:
		p := group(20200 + 5*(n-5))
		p.Mode = 20600 + n - 1
		return p
	}
	return group(23000 + 5*(n-37))
}

func modulePlace(module, n int) place {
	return group(60000 + 1000*(module-1) + 100*((n-1)/20) + 5*((n-1)%20))
}

func group(first int) place {
	return place{Type: first, Value: first + 1, Label: first + 2, Account: first + 3}
}
