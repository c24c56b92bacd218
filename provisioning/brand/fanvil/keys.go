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
	Index        int // on its page, from 1
	Type         int // 0 none, 1 memory, 2 line
	Value, Title string
}

// The values of Type.
const (
	typeNone   = 0
	typeMemory = 1
	typeLine   = 2
)

// memory are the letters behind the number of a memory key, which say what it
// does with it: a lamp whose press calls anew, a speed dial, a park.
var memory = map[string]string{
	brand.KeyBLF: "bc", brand.KeySpeedDial: "f", brand.KeyPickup: "f", brand.KeyVoicemail: "f", brand.KeyPark: "c",
}

func keyKnown(k directory.Key) bool {
	return memory[k.Type] != "" && (k.Type != brand.KeyVoicemail || k.Value != "")
}

// pages lays the keys out: the line first, then the person's, beside the screen
// before the others. Unused ones are emptied.
func (m model) pages(d brand.Desk, slots []brand.Slot) (side, inner []page) {
	keys := []key{{Type: typeLine, Value: "SIP1", Title: d.Screen()}}
	for _, s := range slots {
		k := key{Type: typeNone}
		if s.Used {
			k = key{Type: typeMemory, Value: s.Text() + "@1/" + memory[s.Key.Type], Title: brand.Clip(s.Key.Label)}
			if k.Title == "" {
				k.Title = s.Text()
			}
		}
		keys = append(keys, k)
	}
	return m.side.split(keys[:m.side.size()]), m.inner.split(keys[m.side.size():])
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
