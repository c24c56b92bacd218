package sim

import (
	"slices"
	"strings"
	"time"
)

// habits are what tells the phones of one brand from another's: who they say
// they are, which files they ask for, and what a NOTIFY makes them do.
type habits struct {
	model, firmware string // of the phone that stands for the brand
	delays          Delays
	httpAgent       func(o *Options) string
	sipAgent        func(o *Options, withMAC bool) string
	load            func(l *loader) (*config, error)
	// obeys tells what an event makes the phone do; asked is reboot=true.
	obeys func(event string, asked bool, rule rebootRule) errand
	// upper: macros for the MAC give it in capitals.
	upper bool
	// remembers: one nonce serves every dialog of a line. No guide tells how a
	// brand keeps nonces and both ways are met in the field.
	remembers bool
}

// brands are those that can be imitated.
func brands() []Brand {
	return []Brand{Yealink, Snom, Grandstream, Poly, Mitel, Fanvil, CiscoSPA, CiscoMPP, Htek, SangomaS, SangomaP, Digium}
}

// Brands lists what can be imitated, in alphabetical order.
func Brands() []Brand {
	b := brands()
	slices.Sort(b)
	return b
}

// Imitated tells whether there are virtual phones of a brand.
func Imitated(b Brand) bool { return slices.Contains(brands(), b) }

// habitsOf gives a brand's habits; false for one that nobody imitates.
func habitsOf(b Brand) (habits, bool) {
	switch b {
	case Yealink:
		return yealinkHabits(), true
	case Snom:
		return snomHabits(), true
	case Grandstream:
		return grandstreamHabits(), true
	case Poly:
		return polyHabits(), true
	case Mitel:
		return mitelHabits(), true
	case Fanvil:
		return fanvilHabits(), true
	case CiscoSPA:
		return spaHabits(), true
	case CiscoMPP:
		return mppHabits(), true
	case Htek:
		return htekHabits(), true
	case SangomaS:
		return sangomaSHabits(), true
	case SangomaP:
		return digiumHabits("Sangoma", "P325", "4_9_2"), true
	case Digium:
		return digiumHabits("Digium", "D50", "1_4_0_0_57389"), true
	}
	return habits{}, false
}

// pauses builds delays from seconds: a reload's effect, and a restart.
func pauses(reload, reloadMost, reboot, rebootMost float64) Delays {
	s := func(f float64) time.Duration { return time.Duration(f * float64(time.Second)) }
	return Delays{
		Fetch:  Span{200 * time.Millisecond, 800 * time.Millisecond},
		Reload: Span{s(reload), s(reloadMost)}, Reboot: Span{s(reboot), s(rebootMost)},
	}
}

// byParameter is the rule of brands where check-sync reloads and the parameter
// asks for a restart.
func byParameter(reloads ...string) func(string, bool, rebootRule) errand {
	return func(event string, asked bool, rule rebootRule) errand {
		switch {
		case !slices.Contains(reloads, event):
			return nothing
		case rule == rebootAlways, rule == rebootWhenAsked && asked && event == "check-sync":
			return reboot
		}
		return reload
	}
}

// restarts is the rule of brands for which check-sync is a restart.
func restarts(event string, _ bool, _ rebootRule) errand {
	if event == "check-sync" {
		return reboot
	}
	return nothing
}

// words joins the parts of a User-Agent.
func words(parts ...string) string { return strings.Join(parts, " ") }
