package fanvil

import (
	"perch/hotdesk/directory"
	"perch/provisioning/brand"
)

// page is one page of keys.
type page struct {
	Index int // from 1
	Keys  []key
}

// key is one key of a page.
type key struct {
	Index        int    // on its page, from 1
	Type         string // see the constants
	Value, Title string
}

// The values of Type.
const (
	typeNone    = "0"
	typeMemory  = "1"
	typeLine    = "2"
	typeBrowser = "21" // of a page; in the older form 7
	typeOlder   = "7"
)

// memory are the letters behind the number of a memory key, which say what it
// does with it: a lamp whose press calls anew, a speed dial, a park.
var memory = map[string]string{
	brand.KeyBLF: "bc", brand.KeySpeedDial: "f", brand.KeyPickup: "f", brand.KeyVoicemail: "f", brand.KeyPark: "c",
}

func keyKnown(k directory.Key) bool {
	return k.Type == brand.KeyScreen || memory[k.Type] != "" && (k.Type != brand.KeyVoicemail || k.Value != "")
}

// pages lays the keys out: the line first, then the person's, beside the screen
// before the others. Unused ones are emptied.
func (m model) pages(d brand.Desk, slots []brand.Slot) (side, inner []page) {
	keys := []key{{Type: typeLine, Value: "SIP1", Title: d.Screen()}}
	for _, s := range slots {
		k := key{Type: typeNone}
		if s.Used {
			k = m.key(d, s)
			if k.Title == "" {
				k.Title = s.Text()
			}
		}
		keys = append(keys, k)
	}
	return m.side.split(keys[:m.side.size()]), m.inner.split(keys[m.side.size():])
}

// key is one of the person's. Makers' templates differ in the type of memory keys
// and in the letters of those with a lamp: see docs/phones/fanvil.md.
func (m model) key(d brand.Desk, s brand.Slot) key {
	k := key{Type: d.Setting("fanvil_key_type", typeMemory, typeLine), Title: brand.Clip(s.Key.Label)}
	letters := memory[s.Key.Type]
	switch s.Key.Type {
	case brand.KeyScreen:
		if k.Type, k.Value = typeBrowser, s.Text(); m.modules {
			k.Type = typeOlder
		}
		return k
	case brand.KeyBLF:
		letters = d.Setting("fanvil_lamp", "bc", "ba", "bb")
	}
	k.Value = s.Text() + "@1/" + letters
	return k
}

func (b bank) split(keys []key) []page {
	var out []page
	for n := range b.pages {
		p := page{Index: n + 1}
		for i, k := range keys[n*b.perPage : (n+1)*b.perPage] {
			k.Index = i + 1
			p.Keys = append(p.Keys, k)
		}
		out = append(out, p)
	}
	return out
}
