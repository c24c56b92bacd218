package yealink

import (
	"strconv"
	"strings"

	"perch/provisioning/brand"
)

// model is what differs between models for us.
type model struct {
	layout   brand.Layout
	accounts int // upper bound of accounts to clear
}

// Expansion modules, as many as can be chained.
var (
	exp40 = brand.Layout{Modules: 6, PerModule: 40}
	exp43 = brand.Layout{Modules: 3, PerModule: 60}
	exp50 = brand.Layout{Modules: 3, PerModule: 60}
)

// maxAccounts is the number of accounts of the largest models. Settings of
// accounts that a model does not have are ignored by it.
const maxAccounts = 16

// lineKeys are the line keys by family: the number in the model's name. Keys on
// further pages of the screen count.
var lineKeys = map[int]int{
	18: 0, 19: 0, 20: 2, 21: 2, 22: 3, 23: 3, 26: 3, 27: 21, 28: 6, 29: 27,
	30: 0, 31: 2, 32: 3, 33: 12, 34: 12, 38: 6,
	40: 3, 41: 15, 42: 15, 43: 15, 44: 24, 46: 27, 48: 29,
	52: 21, 53: 21, 54: 27, 56: 27, 57: 29, 58: 27,
}

// guessedKeys is how many keys a phone of unknown model is given; it ignores
// those it does not have, and none of them is waited for.
const guessedKeys = 27

// modelOf finds a model by the name that the phone or the directory gives:
// "T46U", "SIP-T21P_E2".
func modelOf(name string) model {
	name = strings.TrimPrefix(strings.ToUpper(name), "SIP-")
	series, family, suffix := splitModel(name)
	switch series {
	case "CP", "W", "AX", "VP": // no line keys to program
		return model{layout: brand.Layout{Known: true}, accounts: maxAccounts}
	}
	keys, known := lineKeys[family]
	if series != "T" || !known {
		return model{layout: brand.Layout{Keys: guessedKeys}, accounts: maxAccounts}
	}
	l := expansion(family, suffix)
	l.Known, l.Keys = true, keys
	return model{layout: l, accounts: maxAccounts}
}

// expansion is the module that a family takes, if any.
func expansion(family int, suffix string) brand.Layout {
	switch {
	case suffix == "U" && (family == 43 || family == 46 || family == 48):
		return exp43
	case family == 27 && suffix == "G", family == 29, family == 46, family == 48:
		return exp40
	case family >= 52 && family <= 58:
		return exp50
	}
	return brand.Layout{}
}

// splitModel takes "T21P_E2" apart: "T", 21, "P_E2".
func splitModel(name string) (series string, family int, suffix string) {
	i := strings.IndexAny(name, "0123456789")
	if i <= 0 {
		return name, 0, ""
	}
	end := i
	for end < len(name) && name[end] >= '0' && name[end] <= '9' {
		end++
	}
	family, err := strconv.Atoi(name[i:end])
	if err != nil {
		return name, 0, ""
	}
	return name[:i], family, name[end:]
}
