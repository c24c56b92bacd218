package snom

import (
	"strings"

	"perch/provisioning/brand"
)

// d7 is a chain of D3 or D7 modules: up to three with 18 keys each.
var d7 = brand.Layout{Modules: 3, PerModule: 18}

// modelKeys are the function keys by model, all pages counted.
var modelKeys = map[string]int{
	"300": 6, "320": 12, "360": 12, "370": 12, "710": 5, "715": 5, "720": 18, "725": 18, "760": 16,
	"D305": 5, "D315": 5, "D345": 48, "D375": 12, "D385": 48,
	"D710": 5, "D712": 5, "D713": 4, "D715": 5, "D717": 3, "D725": 18, "D735": 32, "D745": 32, "D765": 16, "D785": 24,
	"D812": 28, "D815": 36, "D862": 28, "D865": 36,
}

// guessedKeys is how many keys a phone of unknown model is given; it ignores
// those it does not have, and none of them is waited for.
const guessedKeys = 48

// layoutOf finds a model by the name that the phone or the directory gives:
// "D785", "snomD785", "snom 760". The D8xx take modules whose numbering is not
// known here: their own pages are used, nothing beyond.
func layoutOf(model string) brand.Layout {
	model = strings.ToUpper(strings.TrimSpace(model))
	model = strings.TrimSpace(strings.TrimPrefix(model, "SNOM"))
	keys, ok := modelKeys[model]
	if !ok {
		return brand.Layout{Keys: guessedKeys}
	}
	l := brand.Layout{}
	if !strings.HasPrefix(model, "D8") && model != "300" {
		l = d7
	}
	l.Known, l.Keys = true, keys
	return l
}
