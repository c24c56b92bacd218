package grandstream

import (
	"regexp"
	"strings"

	"perch/provisioning/brand"
)

// model is what differs between models for us.
type model struct {
	named    bool // takes settings by name (config version 2)
	layout   brand.Layout
	virtual  int // keys beside the screen, the first being the line
	accounts int // of which all but the first are cleared
}

// keyCount is the number of virtual and of physical multi-purpose keys of the
// models that take names.
type keyCount struct{ virtual, physical int }

var namedModels = map[string]keyCount{
	"GRP2612": {16, 0}, "GRP2612P": {16, 0}, "GRP2612W": {16, 0}, "GRP2613": {24, 0}, "GRP2614": {16, 24},
	"GRP2615": {40, 0}, "GRP2616": {16, 24}, "GXP2135": {32, 0}, "GXP2170": {48, 0}, "GXP2160": {6, 24},
}

// plainModels have seven or more multi-purpose keys beside their line keys, of
// which the first seven have known P-values; keyless ones have none.
var plainModels = map[string]int{
	"GXP1628": 7, "GXP1630": 7, "GXP2100": 7, "GXP2110": 7, "GXP2120": 7, "GXP2124": 7,
	"GXP1100": 0, "GXP1105": 0, "GXP1160": 0, "GXP1165": 0, "GXP1400": 0, "GXP1405": 0, "GXP1450": 0,
	"GXP1610": 0, "GXP1615": 0, "GXP1620": 0, "GXP1625": 0,
}

// Guesses for models that are in no table: none of their keys is waited for, a
// phone ignores those it does not have.
const (
	guessedVirtual = 16
	plainKeys      = 7
)

// newer are the series whose firmware takes settings by name.
var newer = regexp.MustCompile(`^(GRP26|GXP21[3-7])`)

// modelOf finds a model by the name that the phone or the directory gives:
// "GRP2614", "gxp2170".
func modelOf(name string) model {
	name = strings.ToUpper(strings.TrimSpace(name))
	if newer.MatchString(name) {
		n, known := namedModels[name]
		if !known {
			n.virtual = guessedVirtual
		}
		return model{
			named: true, virtual: n.virtual, accounts: 6,
			layout: brand.Layout{Known: known, Keys: n.virtual + n.physical},
		}
	}
	keys, known := plainModels[name]
	switch {
	case known:
	case strings.HasPrefix(name, "HT"), strings.HasPrefix(name, "WP"), strings.HasPrefix(name, "DP"):
		known = true // adapters and handsets
	default:
		keys = plainKeys
	}
	return model{layout: brand.Layout{Known: known, Keys: keys + 1}, accounts: 4}
}

// spare are the other accounts: their number, or, with P-values, the hundred that
// theirs begin with (account 2 is P401 and on).
func (m model) spare() []int {
	var out []int
	for n := 2; n <= m.accounts; n++ {
		if m.named {
			out = append(out, n)
		} else {
			out = append(out, n+2)
		}
	}
	return out
}
