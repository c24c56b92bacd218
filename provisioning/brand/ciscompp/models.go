package ciscompp

import (
	"strings"

	"perch/provisioning/brand"
)

// extensions is the number of extensions of the largest model, the 7861.
// Settings of extensions that a model does not have are ignored by it.
const extensions = 16

// lineKeys are the keys beside the screen, by model.
var lineKeys = map[string]int{
	"6821": 2, "6841": 4, "6851": 4, "6861": 4, "6871": 6,
	"7811": 1, "7821": 2, "7832": 1, "7841": 4, "7861": 16,
	"8811": 10, "8832": 1, "8841": 10, "8845": 10, "8851": 10, "8861": 10, "8865": 10,
}

// modules are the expansion modules that a model takes: 28 keys each, on two
// pages of fourteen.
var modules = map[string]int{"6851": 2, "6871": 2, "8851": 2, "8861": 3, "8865": 3}

const perModule = 28

// guessedKeys is how many keys a phone of unknown model is given; it ignores
// those it does not have, and none of them is waited for.
const guessedKeys = 10

// layoutOf finds a model by the name that the phone or the directory gives:
// "8851", "CP-8851-3PCC".
func layoutOf(model string) brand.Layout {
	model = normal(model)
	keys, ok := lineKeys[model]
	if !ok {
		return brand.Layout{Keys: guessedKeys}
	}
	l := brand.Layout{Known: true, Keys: keys, Modules: modules[model]}
	if l.Modules > 0 {
		l.PerModule = perModule
	}
	return l
}

// normal takes the number out of "CP-8851-3PCC".
func normal(model string) string {
	model = strings.ToUpper(strings.TrimSpace(model))
	model = strings.TrimPrefix(strings.TrimPrefix(model, "CISCO-"), "CP-")
	return strings.TrimSuffix(strings.TrimSuffix(model, "-K9"), "-3PCC")
}
