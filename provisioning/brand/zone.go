package brand

import (
	"sync"
	"time"
)

// Zone is a time zone as phones are told it: an offset and a yearly rule. It is
// taken from the tz database of the machine and depends on no clock.
type Zone struct {
	Offset time.Duration // of standard time from UTC
	DST    bool          // summer time follows a rule that repeats every year
	Save   time.Duration // what summer time adds
	Start  Change        // in standard time
	End    Change        // in summer time
}

// Change is the moment, by the clock on the wall before it, at which summer
// time begins or ends.
type Change struct {
	Month   int
	Week    int // 1 to 4; 5 is the last
	Weekday int // Monday is 1, Sunday 7
	Hour    int
	Minute  int
}

// Rules are read off these years. They lie in the past and the near future,
// and are many enough to tell "fourth" from "last".
const firstYear, lastYear = 2024, 2034

// Zones remembers the zones of the tz database that were asked for. Safe for
// use by several goroutines. It holds only names that exist, a few hundred.
type Zones struct {
	mu    sync.Mutex
	known map[string]Zone
}

// NewZones returns an empty memory.
func NewZones() *Zones { return &Zones{known: make(map[string]Zone)} }

// Lookup finds a zone by its IANA name; false when there is none of that name.
// A zone whose summer time follows no weekly rule in most years is given without
// it.
func (z *Zones) Lookup(name string) (Zone, bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if known, ok := z.known[name]; ok {
		return known, true
	}
	if name == "" || name == "Local" {
		return Zone{}, false
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return Zone{}, false
	}
	found := zoneOf(loc)
	z.known[name] = found
	return found, true
}

// zoneOf derives the rule of a location.
func zoneOf(loc *time.Location) Zone {
	var z Zone
	var starts, ends []moment
	for year := firstYear; year <= lastYear; year++ {
		up, down, ok := changes(loc, year)
		if !ok {
			return Zone{Offset: standard(loc)}
		}
		starts, ends = append(starts, up), append(ends, down)
		if year == firstYear {
			z.Offset, z.Save = up.before, up.after-up.before
		}
		if up.before != z.Offset || up.after-up.before != z.Save {
			return Zone{Offset: standard(loc)}
		}
	}
	var ok1, ok2 bool
	z.Start, ok1 = rule(starts)
	z.End, ok2 = rule(ends)
	if !ok1 || !ok2 {
		return Zone{Offset: standard(loc)}
	}
	z.DST = true
	return z
}

// standard is the smaller of the offsets of January and July. (The tz database
// calls Dublin's winter the exception; phones do not.)
func standard(loc *time.Location) time.Duration {
	_, january := time.Date(lastYear, time.January, 15, 0, 0, 0, 0, time.UTC).In(loc).Zone()
	_, july := time.Date(lastYear, time.July, 15, 0, 0, 0, 0, time.UTC).In(loc).Zone()
	return time.Duration(min(january, july)) * time.Second
}

// moment is one change of offset, on the wall clock before it.
type moment struct {
	wall          time.Time
	before, after time.Duration
}

// changes gives the one change forward and the one back of a year.
func changes(loc *time.Location, year int) (up, down moment, ok bool) {
	t := time.Date(year, time.January, 1, 0, 0, 0, 0, time.UTC).In(loc)
	limit := time.Date(year+1, time.January, 1, 0, 0, 0, 0, time.UTC)
	n := 0
	for {
		_, end := t.ZoneBounds()
		if end.IsZero() || !end.Before(limit) {
			break
		}
		_, before := end.Add(-time.Second).Zone()
		_, after := end.Zone()
		m := moment{
			wall:   end.UTC().Add(time.Duration(before) * time.Second),
			before: time.Duration(before) * time.Second, after: time.Duration(after) * time.Second,
		}
		if after > before {
			up = m
		} else {
			down = m
		}
		t = end
		n++
	}
	return up, down, n == 2 && !up.wall.IsZero() && !down.wall.IsZero()
}

// rule finds the weekly rule of the moments of all years. A few zones have one
// that no phone can be told, such as Chile's "the first Sunday from the 2nd on";
// they get the rule that is right in most years, which is off by a week in the
// others. One that is right less often is none.
func rule(moments []moment) (Change, bool) {
	var best Change
	most := 0
	for _, candidate := range candidates(moments) {
		n := 0
		for _, m := range moments {
			if candidate.on(m.wall) {
				n++
			}
		}
		if n > most {
			best, most = candidate, n
		}
	}
	return best, most*4 >= len(moments)*3
}

// candidates are the rules that give at least one of the moments: by the week of
// its month, and as the last of it.
func candidates(moments []moment) []Change {
	var out []Change
	for _, m := range moments {
		c := Change{
			Month: int(m.wall.Month()), Week: 5, Weekday: (int(m.wall.Weekday())+6)%7 + 1, Hour: m.wall.Hour(), Minute: m.wall.Minute(),
		}
		if m.wall.AddDate(0, 0, 7).Month() != m.wall.Month() {
			out = append(out, c)
		}
		if c.Week = (m.wall.Day() + 6) / 7; c.Week < 5 {
			out = append(out, c)
		}
	}
	return out
}

// on tells whether the rule gives this moment.
func (c Change) on(w time.Time) bool {
	if int(w.Month()) != c.Month || (int(w.Weekday())+6)%7+1 != c.Weekday || w.Hour() != c.Hour || w.Minute() != c.Minute {
		return false
	}
	if c.Week == 5 {
		return w.AddDate(0, 0, 7).Month() != w.Month()
	}
	return (w.Day()+6)/7 == c.Week
}
