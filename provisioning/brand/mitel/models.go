package mitel

import (
	"strings"

	"perch/provisioning/brand"
)

// group is a run of keys that are named alike: prgkey1, prgkey2, ...
type group struct {
	name  string
	count int
}

// model is where a model has keys. Lines have keys of their own, so all of these
// are free.
type model struct {
	known     bool
	groups    []group
	modules   int
	perModule int
}

// Expansion modules: three, of which the larger kind has 60 (M675, for 67xx) or
// 84 keys (M685, for 68xx and 69xx); the smaller ones ignore the rest.
const (
	modules67 = 60
	modules68 = 84
)

var models = map[string]model{
	"6730I": prg(8), "6731I": prg(8), "6735I": prg(6).soft(20).with(modules67), "6737I": top(10).soft(20).with(modules67),
	"6739I": model{}.soft(55).with(modules67), "6751I": {}, "6753I": prg(6).with(modules67),
	"6755I": prg(6).soft(20).with(modules67), "6757I": top(10).soft(20).with(modules67),
	// A soft key of the 68xx cannot be a lamp, so theirs are left alone.
	"6863I": prg(3), "6865I": prg(8).with(modules68), "6867I": top(20).with(modules68), "6869I": top(44).with(modules68),
	"6873I": top(48).with(modules68),
	"6905":  prg(3), "6910": prg(8), "6915": top(6).with(modules68), "6920": top(8).with(modules68),
	"6930": top(12).with(modules68), "6940": top(48).with(modules68), "6970": top(6),
	"9143I": prg(7), "9480I": model{}.soft(6),
}

func prg(n int) model { return model{groups: []group{{"prgkey", n}}} }
func top(n int) model { return model{groups: []group{{"topsoftkey", n}}} }

func (m model) soft(n int) model {
	m.groups = append(m.groups, group{"softkey", n})
	return m
}

func (m model) with(perModule int) model {
	m.modules, m.perModule = 3, perModule
	return m
}

// modelOf finds a model by the name that the phone or the directory gives:
// "6867i", "Mitel 6920w", "57i". One that is not known gets keys of each kind, of
// which it ignores those it does not have.
func modelOf(name string) model {
	name = strings.ToUpper(strings.TrimSpace(name))
	for _, maker := range []string{"MITEL", "AASTRA"} {
		name = strings.TrimLeft(strings.TrimPrefix(name, maker), " -")
	}
	if len(name) == 3 && name[0] == '5' { // 57i: the 6757i before it was renamed
		name = "67" + name
	}
	m, ok := models[name]
	if !ok && strings.HasPrefix(name, "69") { // 6920w, 6915d
		m, ok = models[strings.TrimRight(name, "WDT")]
	}
	if !ok {
		return prg(6)
	}
	m.known = true
	return m
}

// layout counts the keys; one is added for the line, which Place leaves out.
func (m model) layout() brand.Layout {
	l := brand.Layout{Known: m.known, Keys: 1, Modules: m.modules, PerModule: m.perModule}
	for _, g := range m.groups {
		l.Keys += g.count
	}
	return l
}
