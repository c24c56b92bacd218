package presence

import "perch/sip/calls"

// hidden is who asked not to be shown (RFC 3323 section 4.1.1.3).
var hidden = Party{URI: "sip:anonymous@anonymous.invalid", Display: "Anonymous"}

// dialogOf gives the one dialog that a call is to an extension, however many of
// its phones are in it and on whichever side: the most advanced counts, and of
// two alike the called one, which rings.
func dialogOf(c *calls.Call, number string) (Dialog, bool) {
	var best *calls.Leg
	for i := range c.Legs {
		l := &c.Legs[i]
		if l.Party.Number != number || !c.Live(l) {
			continue
		}
		if best == nil || !l.Phase.Before(best.Phase) {
			best = l
		}
	}
	if best == nil {
		return Dialog{}, false
	}
	return Dialog{
		ID: string(c.ID), Direction: best.Direction, Phase: best.Phase,
		Local:  Party{URI: best.Party.URI, Display: best.Party.Display},
		Remote: shown(c.Peer(best)),
	}, true
}

// shown is what watchers may know of the other end.
func shown(p calls.Party) Party {
	if p.Private {
		return hidden
	}
	return Party{URI: p.URI, Display: p.Display}
}
