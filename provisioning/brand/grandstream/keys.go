package grandstream

import (
	"fmt"

	"perch/provisioning/brand"
)

// Lengths of a key's texts in the maker's templates, in characters.
const (
	maxLabel = 32
	maxValue = 64
)

// key is one multi-purpose key as items of the file.
type key struct {
	Name    string // "pks.vpk.2", "pks.mpk.1"; of models that take names
	Mode    string
	Account string // "0" or "Account1": the two kinds of key name the first account differently

	// The P-values that hold the same on other models, and the mode's number.
	PMode, PAccount, PLabel, PValue int
	PType                           int

	Label, Value string
}

// keys writes all places of the model, so that what is not used is emptied.
// Skipping one of the virtual keys would remove every one after it.
func (m model) keys(d brand.Desk, slots []brand.Slot) []key {
	out := make([]key, 0, len(slots)+1)
	if m.named {
		out = append(out, key{Name: "pks.vpk.1", Mode: "Line", Account: "0", Label: brand.ClipTo(d.Screen(), maxLabel)})
	}
	for _, s := range slots {
		k := m.place(s.Index)
		k.Mode, k.PType = "None", -1
		if s.Used {
			mode := modes[s.Key.Type]
			k.Mode, k.PType, k.Value = mode.name, mode.number, brand.ClipTo(s.Text(), maxValue)
			if k.Label = brand.ClipTo(s.Key.Label, maxLabel); k.Label == "" {
				k.Label = brand.ClipTo(k.Value, maxLabel)
			}
		}
		out = append(out, k)
	}
	return out
}

// place names the key of an index, the first after the line being 2.
func (m model) place(index int) key {
	switch {
	case !m.named:
		n := index - 1
		return key{PMode: 322 + n, PAccount: 298 + 3*n, PLabel: 299 + 3*n, PValue: 300 + 3*n}
	case index <= m.virtual:
		return key{Name: fmt.Sprintf("pks.vpk.%d", index), Account: "0"}
	default:
		return key{Name: fmt.Sprintf("pks.mpk.%d", index-m.virtual), Account: "Account1"}
	}
}
