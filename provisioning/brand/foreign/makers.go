package foreign

import (
	"regexp"
	"time"

	"perch/provisioning/brand"
)

// Forms of a MAC in a User-Agent: with colons or dashes, or bare.
const macForm = `(?P<mac>[0-9A-Fa-f]{2}(?:[:-]?[0-9A-Fa-f]{2}){5})`

// byWord is the form of makers whose User-Agent nobody has published: their own
// word first, then a model, and behind it a firmware and a MAC where there are
// such.
func byWord(word string) *regexp.Regexp {
	return regexp.MustCompile(`^(?i:` + word + `)[ /_-]+(?P<model>[\w-]+)(?:[ /]+[Vv]?(?P<fw>\d+(?:\.[\w-]+)+))?(?:.*?\b` + macForm + `\)?)?`)
}

func forms(patterns ...string) []*regexp.Regexp {
	var out []*regexp.Regexp
	for _, p := range patterns {
		out = append(out, regexp.MustCompile(p))
	}
	return out
}

// How long they take to come for their files, from the makers' guides: a reload
// of the settings, and a restart.
const (
	settles  = 20 * time.Second
	restarts = 2 * time.Minute
)

// plain is `check-sync` without parameters, for phones that decide themselves
// what it takes.
func plain(event string, reboot bool) brand.Recipe {
	wait := settles
	if reboot {
		wait = restarts
	}
	a := brand.Attempt{Event: event, Reboot: reboot, Wait: wait}
	return brand.Recipe{Attempts: []brand.Attempt{a, a}}
}

// makers are the rows. Those with a form of their own come before those that go
// by a word.
func makers() []maker {
	checkSync := brand.CheckSync(settles, restarts)
	return []maker{
		{
			// Enterprise firmware sends no User-Agent for its files, and takes only
			// service-control from the server it registers with, whose body names the
			// Call-ID of its registration: not built, so check-sync, which old 7940
			// and 7960 take.
			name: brand.CiscoSEP, recipe: plain("check-sync", true),
			agents: forms(`^Cisco-(?P<model>CP-?\d{4}\w*)/(?P<fw>[\w.()-]+)$`, `^Cisco-SIP(?P<model>IPPhone|GW)`),
			files: forms(`^(?:sep|ctlsep|itlsep)[0-9a-f]{12}\.(?:cnf\.xml|tlv)(?:\.sgn)?$`, `^sip[0-9a-f]{12}\.cnf$`,
				`^(?:xmldefault\.cnf\.xml|sipdefault\.cnf|itlfile\.tlv|syncinfo\.xml)(?:\.sgn)?$`),
		},
		{
			name: brand.Gigaset, recipe: plain("check-sync", false), ouis: []string{"7c2f80", "589ec6", "002104", "14b370"},
			agents: forms(
				`^(?:Gigaset )?(?P<model>N\d{3}(?:[ -](?:IP|DM))?(?:[ -]PRO)?)/(?P<fw>[\d.Vv+a-z-]+?)(?:;(?P<mac>[0-9A-F]{12}))?$`,
				`^(?i:Gigaset)[ /_-]+(?P<model>[\w-]+)(?:[ /]+(?P<fw>[\d.]+))?`),
			shared: forms(`^[0-9a-f]{12}\.xml$`),
		},
		{
			name: brand.Panasonic, recipe: plain("check-sync", false), ouis: []string{"0080f0", "bcc342", "080023"},
			agents: forms(`^(?i:Panasonic)[_ -](?P<model>[\w-]+)/(?P<fw>[\w.]+)(?: \((?P<mac>[0-9A-Fa-f]{12})?[0-9A-Fa-f]*\))?`),
			files:  forms(`^config(?:common|[0-9a-f]{12}|kx-[\w-]+)\.cfg$`),
			shared: forms(`^[0-9a-f]{12}\.xml$`),
		},
		{
			name: brand.AudioCodes, recipe: checkSync, ouis: []string{"00908f"},
			agents: forms(
				`^AUDC-IPPhone/(?P<fw>[\w.]+)(?: \((?P<model>[\w]+)-Rev\w*; (?P<mac>[0-9A-Fa-f]{12})\))?`,
				`^(?:AUDC/[\w.]+ )?AUDC-IPPhone-(?P<model>\w+?)(?:_UC)?_(?P<fw>[\d.]+)`),
			shared: forms(`^[0-9a-f]{12}\.cfg$`),
		},
		{
			name: brand.Obihai, recipe: plain("resync", true), ouis: []string{"9cadef"},
			agents: forms(`^(?i:OBIHAI)/(?P<model>OBi\w+|VVX\w+)-(?P<fw>[\d.]+)`), shared: forms(`^[0-9a-f]{12}\.xml$`),
		},
		{
			name: brand.Algo, recipe: checkSync, ouis: []string{"0022ee"},
			agents: []*regexp.Regexp{byWord("Algo")}, files: forms(`^algo(?:m|p\w+)?[0-9a-f]{12}\.conf$`, `^algop\d{4}\.conf$`),
		},
		{
			name: brand.Alcatel, recipe: checkSync, // the bare MAC stands last
			agents: forms(`^(?i:ALE|Alcatel(?:-Lucent)?(?: Enterprise)?)[ /_-]+(?P<model>(?:Deskphone )?[\w-]+?)(?:[ /]+[vV]?(?P<fw>[\d.]+))?(?:[ /]+(?P<mac>[0-9A-Fa-f]{12}))?$`),
			files:  forms(`^config\.[0-9a-f]{12}\.xml$`),
		},
		{
			name: brand.Avaya, recipe: checkSync,
			agents: forms(
				`^Mozilla/\S+ .*\bAvaya\b[ /]?(?P<model>J\d{3}\w*)?.*?\(MAC:(?P<mac>[0-9A-Fa-f:]{12,17})\)`,
				`^AVAYA/(?P<model>[^/ ]+)/(?P<fw>[\d.]+)$`,
				`^Avaya (?:(?P<model>[JK]\d{3}\w*|\d{4}\w*) )?.*?(?P<fw>\d+(?:\.\d+)+)`),
			files: forms(`^(?:[jk]100supgrade|96x1supgrade|46xxsettings)\.txt$`, `^sip[0-9a-f]{12}\.cfg$`),
		},
		{name: brand.Bittel, recipe: checkSync, ouis: []string{"f00786"}, agents: []*regexp.Regexp{byWord("Bittel")}, shared: forms(`^(?:cfg)?[0-9a-f]{12}\.(?:xml|cfg)$`)},
		{name: brand.Akuvox, recipe: checkSync, ouis: []string{"0c1105", "9c7514"}, agents: []*regexp.Regexp{byWord("Akuvox")}, shared: forms(`^[0-9a-f]{12}\.cfg$`)},
		{name: brand.Escene, recipe: checkSync, ouis: []string{"00268b"}, agents: []*regexp.Regexp{byWord("Escene")}, shared: forms(`^[0-9a-f]{12}\.xml$`, `^[0-9a-f]{12}\.cfg$`)},
		{name: brand.Flyingvoice, recipe: checkSync, ouis: []string{"0021f2"}, agents: []*regexp.Regexp{byWord("Flying ?voice")}, shared: forms(`^[0-9a-f]{12}\.(?:cfg|xml)$`)},
		{name: brand.Konftel, recipe: checkSync, ouis: []string{"00177d"}, agents: []*regexp.Regexp{byWord("Konftel")}, files: forms(`^kt?\d{3}\w*-[0-9a-f]{12}\.xml$`)},
		{name: brand.Nethesis, recipe: checkSync, ouis: []string{"e0e656"}, agents: []*regexp.Regexp{byWord("Nethesis")}, shared: forms(`^[0-9a-f]{12}\.cfg$`)},
		{name: brand.Patton, recipe: checkSync, ouis: []string{"00a0ba"}, agents: []*regexp.Regexp{byWord("Patton")}, shared: forms(`^[0-9a-f]{12}\.cfg$`)},
		{name: brand.Zenitel, recipe: checkSync, agents: []*regexp.Regexp{byWord("Zenitel|Vingtor|Stentofon")}},
		{name: brand.Technicolor, recipe: checkSync, agents: []*regexp.Regexp{byWord("Technicolor|THOMSON")}},
	}
}
