package audit

import (
	"cmp"
	"slices"
)

// Seated is who sat at one seat at a moment, as the records tell.
type Seated struct {
	MAC    string
	Line   int
	Desk   string
	Site   string
	Number string // empty: nobody
	Door   string
	By     string
	Since  int64 // Unix ms: of the login, or of the end of the one before
	Until  int64 // Unix ms: when that changed; 0: it has not since
	Trace  string
}

// At finds out who sat at the seats that match, at a moment. It is fed records
// from the newest to the oldest; Done tells that no older one matters.
type At struct {
	moment int64
	match  Match
	later  map[seat]int64
	found  map[seat]Seated
	want   map[string]bool // devices of which a record is still sought; nil: not known
}

type seat struct {
	mac  string
	line int
}

// NewAt begins to look for a moment (Unix ms). macs are the devices that are at
// the desk now: once each of them was found, older records are not looked at. With
// none, all records are.
func NewAt(moment int64, m Match, macs []string) *At {
	a := &At{moment: moment, match: Match{MAC: m.MAC, Desk: m.Desk}, later: map[seat]int64{}, found: map[seat]Seated{}}
	if len(macs) > 0 {
		a.want = map[string]bool{}
		for _, mac := range macs {
			a.want[mac] = true
		}
	}
	return a
}

// See takes the next older record.
func (a *At) See(r Record) {
	if (r.Act != Login && r.Act != Logout) || r.MAC == "" || !a.match.Takes(r) {
		return
	}
	s := seat{r.MAC, max(r.Line, 1)}
	if r.At > a.moment {
		a.later[s] = r.At
		return
	}
	// A login that replaces somebody is recorded after that one's logout, in the
	// same millisecond: of two, the first that is seen is the last that happened.
	if known, ok := a.found[s]; ok && known.Since >= r.At {
		return
	}
	out := Seated{MAC: s.mac, Line: s.line, Desk: r.Desk, Site: r.Site, Since: r.At, Until: a.later[s]}
	if r.Act == Login {
		out.Number, out.Door, out.By, out.Trace = r.Number, r.Door, r.By, r.Trace
	}
	a.found[s] = out
	delete(a.want, r.MAC)
}

// Done tells that every device that was asked for was found.
func (a *At) Done() bool { return a.want != nil && len(a.want) == 0 }

// Seats are the answers, in the order of desk, MAC and line.
func (a *At) Seats() []Seated {
	out := make([]Seated, 0, len(a.found))
	for _, s := range a.found {
		out = append(out, s)
	}
	slices.SortFunc(out, func(x, y Seated) int {
		return cmp.Or(cmp.Compare(x.Desk, y.Desk), cmp.Compare(x.MAC, y.MAC), cmp.Compare(x.Line, y.Line))
	})
	return out
}
