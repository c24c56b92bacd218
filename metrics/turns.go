package metrics

import "github.com/prometheus/client_golang/prometheus"

// Turns counts how the tokens and passwords of phones' files change.
type Turns struct{ steps counters }

// Steps of a change.
const (
	turnHanded = "handed" // a file with a new one was written
	turnShown  = "shown"  // the phone came with it: the former opens nothing any more
)

func newTurns(reg prometheus.Registerer) *Turns {
	return &Turns{newCounters(reg, "perch_provisioning_rotations_total", "Changes of the tokens and passwords by which phones fetch their files: handed out, and shown by the phone.",
		[]string{"step"}, newSet(turnHanded, turnShown))}
}

// Handed counts one that was written into a file.
func (t *Turns) Handed() {
	if t != nil {
		t.steps.count(turnHanded)
	}
}

// Shown counts one that a phone came with for the first time.
func (t *Turns) Shown() {
	if t != nil {
		t.steps.count(turnShown)
	}
}
