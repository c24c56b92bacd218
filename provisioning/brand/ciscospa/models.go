package ciscospa

import (
	"strings"

	"perch/provisioning/brand"
)

// lines is the number of lines of the largest model, the SPA509G. Settings of
// lines that a model does not have are ignored by it.
const lines = 12

// console is what an SPA500S or SPA932 adds: up to two, with 32 keys each.
const consoles, perConsole = 2, 32

// lineKeys are the keys beside the screen, by model; all of them lines at the
// factory.
var lineKeys = map[string]int{
	"SPA301": 1, "SPA303": 3, "SPA501G": 8, "SPA502G": 1, "SPA504G": 4, "SPA508G": 8, "SPA509G": 12,
	"SPA512G": 1, "SPA514G": 4, "SPA525G": 5, "SPA525G2": 5,
	"SPA901": 1, "SPA921": 1, "SPA922": 1, "SPA941": 4, "SPA942": 4, "SPA962": 6,
}

// guessedKeys is how many keys a phone of unknown model is given; it ignores
// those it does not have, and none of them is waited for.
const guessedKeys = 12

// layoutOf finds a model by the name that the phone or the directory gives:
// "SPA504G", "SPA-962", "504G".
func layoutOf(model string) brand.Layout {
	model = normal(model)
	if strings.HasPrefix(model, "ATA") || strings.HasPrefix(model, "PAP") {
		return brand.Layout{Known: true, Keys: 1}
	}
	keys, ok := lineKeys[model]
	if !ok {
		keys, ok = lineKeys["SPA"+model]
	}
	if !ok {
		return brand.Layout{Keys: guessedKeys}
	}
	l := brand.Layout{Known: true, Keys: keys}
	if strings.HasPrefix(model, "SPA5") || strings.HasPrefix(model, "5") || strings.HasSuffix(model, "962") {
		l.Modules, l.PerModule = consoles, perConsole
	}
	return l
}

// normal writes a model as one word: "SPA-962" is "SPA962".
func normal(model string) string {
	return strings.ReplaceAll(strings.ToUpper(strings.TrimSpace(model)), "-", "")
}
