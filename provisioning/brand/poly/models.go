package poly

import (
	"strings"

	"perch/provisioning/brand"
)

// Expansion modules: three of the VVX's with 40 keys each (as many as the paper
// one has), three of the SoundPoint's with 14.
var (
	vvxModules   = brand.Layout{Modules: 3, PerModule: 40}
	soundModules = brand.Layout{Modules: 3, PerModule: 14}
)

// modelKeys are the line keys by model, the first of them being the line.
var modelKeys = map[string]int{
	"SPIP321": 2, "SPIP331": 2, "SPIP335": 2, "SPIP450": 3, "SPIP550": 4, "SPIP560": 4, "SPIP650": 6, "SPIP670": 6,
	"VVX101": 2, "VVX150": 2, "VVX200": 2, "VVX201": 2, "VVX250": 4, "VVX300": 6, "VVX301": 6, "VVX310": 6, "VVX311": 6,
	"VVX350": 6, "VVX400": 12, "VVX401": 12, "VVX410": 12, "VVX411": 12, "VVX450": 12, "VVX500": 12, "VVX501": 12,
	"VVX600": 16, "VVX601": 16, "VVX1500": 6,
}

// guessedKeys is how many keys a phone of unknown model is given (CCX and Edge
// are not in any public table); it ignores those it does not have, and none of
// them is waited for.
const guessedKeys = 12

// layoutOf finds a model by the name that the phone or the directory gives:
// "VVX_400", "VVX 400", "SPIP_335".
func layoutOf(model string) brand.Layout {
	model = strings.ToUpper(strings.TrimSpace(model))
	model = strings.NewReplacer("_", "", "-", "", " ", "", "POLYCOM", "").Replace(model)
	keys, ok := modelKeys[model]
	if !ok {
		return brand.Layout{Keys: guessedKeys}
	}
	var l brand.Layout
	switch model {
	case "SPIP650", "SPIP670":
		l = soundModules
	case "VVX300", "VVX301", "VVX310", "VVX311", "VVX400", "VVX401", "VVX410", "VVX411", "VVX450",
		"VVX500", "VVX501", "VVX600", "VVX601":
		l = vvxModules
	}
	l.Known, l.Keys = true, keys
	return l
}
