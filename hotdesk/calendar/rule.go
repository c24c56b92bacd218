package calendar

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// rule is an RRULE of daily or weekly frequency (RFC 5545 section 3.3.10).
type rule struct {
	weekly    bool
	interval  int
	count     int       // 0: no end by count
	until     time.Time // as a shift's start is kept; zero: no end by date
	untilUTC  bool      // until is an instant, and not what a wall clock shows
	days      [7]bool
	byDay     bool
	weekStart time.Weekday
}

var weekdays = map[string]time.Weekday{
	"SU": time.Sunday, "MO": time.Monday, "TU": time.Tuesday, "WE": time.Wednesday, "TH": time.Thursday, "FR": time.Friday, "SA": time.Saturday,
}

func parseRule(s string, start time.Time, zone *time.Location) (*rule, error) {
	r := &rule{interval: 1, weekStart: time.Monday}
	seen := map[string]bool{}
	for part := range strings.SplitSeq(s, ";") {
		k, v, _ := strings.Cut(part, "=")
		k = strings.ToUpper(k)
		if seen[k] {
			return nil, fmt.Errorf("RRULE: %s is given twice", clip(k))
		}
		seen[k] = true
		if err := r.set(k, strings.ToUpper(v), zone); err != nil {
			return nil, err
		}
	}
	switch {
	case !seen["FREQ"]:
		return nil, fmt.Errorf("RRULE %s has no FREQ", clip(s))
	case seen["COUNT"] && seen["UNTIL"]:
		return nil, fmt.Errorf("RRULE has both COUNT and UNTIL")
	case r.weekly && !r.byDay:
		r.days[start.Weekday()] = true
	}
	return r, nil
}

func (r *rule) set(k, v string, zone *time.Location) error {
	switch k {
	case "FREQ":
		if v != "DAILY" && v != "WEEKLY" {
			return fmt.Errorf("RRULE: FREQ %s is not understood: DAILY or WEEKLY", clip(v))
		}
		r.weekly = v == "WEEKLY"
	case "INTERVAL":
		return bounded(k, v, maxInterval, &r.interval)
	case "COUNT":
		return bounded(k, v, maxCounted, &r.count)
	case "UNTIL":
		return r.setUntil(v, zone)
	case "BYDAY":
		r.byDay = true
		for d := range strings.SplitSeq(v, ",") {
			day, ok := weekdays[d]
			if !ok {
				return fmt.Errorf("RRULE: BYDAY %s is not a weekday", clip(d))
			}
			r.days[day] = true
		}
	case "WKST":
		day, ok := weekdays[v]
		if !ok {
			return fmt.Errorf("RRULE: WKST %s is not a weekday", clip(v))
		}
		r.weekStart = day
	default:
		return fmt.Errorf("RRULE: %s is not understood", clip(k))
	}
	return nil
}

func (r *rule) setUntil(v string, zone *time.Location) error {
	p := property{}
	if len(v) == 8 {
		p.params = map[string]string{"VALUE": "DATE"}
	}
	t, z, err := parseTime(p, v)
	if err != nil {
		return fmt.Errorf("RRULE: UNTIL: %w", err)
	}
	if len(v) == 8 {
		t = t.Add(24*time.Hour - time.Second) // that day is the last
	}
	r.until, r.untilUTC = t, z != nil && zone != nil
	return nil
}

func bounded(k, v string, most int, into *int) error {
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > most {
		return fmt.Errorf("RRULE: %s is a number from 1 to %d", k, most)
	}
	*into = n
	return nil
}

// first is the instant of DTSTART itself: a time that the clock never shows is
// read with the offset before the change, one that it shows twice is the first
// (RFC 5545 section 3.3.5).
func (s shift) first(zone *time.Location) (time.Time, bool) {
	at, exists := wall(s.start, zone)
	if !exists {
		_, offset := at.Add(-time.Second).Zone()
		at = s.start.Add(-time.Duration(offset) * time.Second).In(zone)
	}
	return at, exists
}

func (s shift) end(from time.Time, zone *time.Location) time.Time {
	if s.days != 0 {
		local := from.In(zone)
		from, _ = wall(shown(local).AddDate(0, 0, s.days), zone)
	}
	return from.Add(s.rest)
}

// NextEnd gives when the first shift that is not over at a time ends: the one
// that is on, or else the one that comes next. ok is false when none comes any
// more. Floating times are in the given zone.
func (c Shifts) NextEnd(now time.Time, zone *time.Location) (end time.Time, ok bool) {
	for _, s := range c.events {
		if t, found := s.nextEnd(now, zone); found && (!ok || t.Before(end)) {
			end, ok = t, true
		}
	}
	return end, ok
}

func (s shift) nextEnd(now time.Time, zone *time.Location) (time.Time, bool) {
	if s.zone != nil {
		zone = s.zone
	}
	if !s.except[s.start] {
		from, _ := s.first(zone)
		if end := s.end(from, zone); end.After(now) {
			return end, true
		}
	}
	if s.rule == nil {
		return time.Time{}, false
	}
	return s.rule.nextEnd(s, now, zone)
}

// nextEnd looks at the days on which the rule may say something: with a COUNT
// all from the start on, otherwise those that can still matter.
func (r *rule) nextEnd(s shift, now time.Time, zone *time.Location) (time.Time, bool) {
	day, n := 1, 1 // days after the start; occurrences so far, DTSTART's included
	if r.count == 0 {
		passed := int(now.Sub(s.start)/(24*time.Hour)) - 10 // seven of the longest shift, and zones
		day = max(day, passed)
	}
	// After an exception the next may be far; no rule is silent for longer than
	// an interval of weeks, of which every one may be excepted.
	last := day + 7*r.interval*(len(s.except)+3) + 20
	if r.count > 0 {
		last = 7 * r.interval * (r.count + 2)
	}
	for ; day <= last; day++ {
		at := s.start.AddDate(0, 0, day)
		if !r.on(s.start, at, day) {
			if skip := r.skip(s.start, at, day); skip > 1 {
				day += skip - 1
			}
			continue
		}
		from, exists := wall(at, zone)
		if !exists {
			continue // RFC 5545 section 3.3.10: ignored and not counted
		}
		if n++; r.count > 0 && n > r.count || r.past(at, from) {
			return time.Time{}, false
		}
		if s.except[at] {
			continue
		}
		if end := s.end(from, zone); end.After(now) {
			return end, true
		}
	}
	return time.Time{}, false
}

func (r *rule) past(at, from time.Time) bool {
	switch {
	case r.until.IsZero():
		return false
	case r.untilUTC:
		return from.After(r.until)
	}
	return at.After(r.until)
}

// on tells whether the rule has an occurrence on a day.
func (r *rule) on(start, at time.Time, day int) bool {
	if (r.weekly || r.byDay) && !r.days[at.Weekday()] {
		return false
	}
	if !r.weekly {
		return day%r.interval == 0
	}
	return r.week(start, day)%r.interval == 0
}

// week counts weeks from the start's, which begin on WKST.
func (r *rule) week(start time.Time, day int) int {
	into := (int(start.Weekday()) - int(r.weekStart) + 7) % 7
	return (into + day) / 7
}

// skip gives how many days can be passed over at least.
func (r *rule) skip(start, at time.Time, day int) int {
	if !r.weekly {
		return r.interval - day%r.interval
	}
	if off := r.week(start, day) % r.interval; off != 0 {
		into := (int(at.Weekday()) - int(r.weekStart) + 7) % 7
		return (r.interval-off)*7 - into
	}
	return 1
}
