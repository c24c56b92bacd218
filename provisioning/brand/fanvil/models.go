package fanvil

import (
	"regexp"
	"strings"

	"perch/provisioning/brand"
)

// model is what differs between models for us. Keys come in two banks, each with
// pages: those beside the screen, whose first is the line, and all others.
type model struct {
	known   bool
	modules bool // takes the older form, VOIP_CONFIG_FILE, in which keys have no pages
	lines   int
	side    bank
	inner   bank
}

type bank struct{ perPage, pages int }

// keyed are the models whose keys are known. On the V series only the first page
// of keys beside the screen is, save the V62's three.
var keyed = map[string]model{
	"X4U":  {side: bank{3, 1}, inner: bank{6, 5}},
	"X5U":  {side: bank{4, 1}, inner: bank{6, 5}},
	"X6U":  {side: bank{5, 1}, inner: bank{12, 5}},
	"X210": {side: bank{10, 1}, inner: bank{32, 3}}, "X210I": {side: bank{10, 1}, inner: bank{32, 3}},
	"V62": {side: bank{5, 3}}, "V64": {side: bank{8, 1}}, "V65": {side: bank{10, 1}}, "V67": {side: bank{29, 1}},
}

// older are the models that take VOIP_CONFIG_FILE: the X series before the U.
var older = regexp.MustCompile(`^X[1-6][SGPC]*$`)

// Numbers of the largest models of either form. Lines and keys that a model does
// not have are ignored by it.
const (
	systemLines  = 20
	modulesLines = 6
	guessedKeys  = 30
)

// modelOf finds a model by the name that the phone or the directory gives:
// "X6U Pro", "V65", "X5U-V2". A model that is in no table gets keys as most have
// them, and none of them is waited for.
func modelOf(name string) model {
	name = strings.ToUpper(strings.TrimSpace(name))
	name = strings.TrimLeft(strings.TrimPrefix(name, "FANVIL"), " -")
	if i := strings.IndexAny(name, " -"); i >= 0 {
		name = name[:i]
	}
	if older.MatchString(name) {
		return model{modules: true, lines: modulesLines, side: bank{guessedKeys, 1}}
	}
	m, ok := keyed[name]
	if !ok {
		m = model{side: bank{4, 1}, inner: bank{6, 5}}
	}
	m.known, m.lines = ok, systemLines
	return m
}

func (m model) layout() brand.Layout {
	return brand.Layout{Known: m.known, Keys: m.side.size() + m.inner.size()}
}

func (b bank) size() int { return b.perPage * b.pages }
