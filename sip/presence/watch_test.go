package presence

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"perch/hotdesk/directory"
)

func TestWatchTellsNothingOfUnknownTargets(t *testing.T) {
	var lamps Lamps
	known := lamps.Watch(directory.AOR{User: "1001", Domain: "acme.test"})
	unknown := lamps.Watch(directory.AOR{User: "no such", Domain: "acme.test"})
	if known.Entity.User != "1001" || unknown.Entity.User != "no such" {
		t.Errorf("the state is of %v and %v", known.Entity, unknown.Entity)
	}
	known.Entity, unknown.Entity = directory.AOR{}, directory.AOR{}
	if d := cmp.Diff(known, unknown); d != "" {
		t.Error(d)
	}
}
