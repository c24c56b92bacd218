package calendar

import "time"

// Clock is a time of day, to the minute.
type Clock struct{ Hour, Minute int }

// ParseClock reads HH:MM; ok is false for anything else.
func ParseClock(s string) (c Clock, ok bool) {
	t, err := time.Parse("15:04", s)
	if err != nil || len(s) != 5 {
		return Clock{}, false
	}
	return Clock{t.Hour(), t.Minute()}, true
}

// On gives the instant at which a wall clock in the zone shows the time on a
// day. A time that the clock shows twice, when it is set back, is the first of
// the two. A time that it never shows, when it is set forward, is the instant of
// the change. So every day has each time exactly once. Days and months outside
// their range are carried over, as time.Date does.
func On(year int, month time.Month, day int, c Clock, zone *time.Location) time.Time {
	at, _ := wall(time.Date(year, month, day, c.Hour, c.Minute, 0, 0, time.UTC), zone)
	return at
}

// wall gives the instant at which a clock in the zone shows what the UTC clock
// of t shows, with the rules of On; exists is false where it never does.
func wall(t time.Time, zone *time.Location) (at time.Time, exists bool) {
	// Two offsets come into question: those in force on either side of any change
	// that is near. No zone is further from UTC than a day.
	guess := time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, zone)
	start, end := guess.ZoneBounds()
	var best time.Time
	for _, at := range []time.Time{start.Add(-time.Second), guess, end} {
		if at.IsZero() || (start.IsZero() && at.Before(guess)) {
			continue
		}
		_, offset := at.In(zone).Zone()
		candidate := t.Add(-time.Duration(offset) * time.Second).In(zone)
		if sameClock(candidate, t) && (best.IsZero() || candidate.Before(best)) {
			best = candidate
		}
	}
	switch {
	case !best.IsZero():
		return best, true
	case shown(guess).Before(shown(t)): // the clock jumps over t at the end of guess's span
		return end.In(zone), false
	default:
		return start.In(zone), false
	}
}

// shown is what the wall clock of t shows, as a UTC time to compare.
func shown(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
}

func sameClock(a, b time.Time) bool { return shown(a).Equal(shown(b)) }

// Next gives the first instant after now at which a clock in the zone shows c:
// today's or tomorrow's. A doubled time counts once a day: between the two, next
// is tomorrow.
func Next(now time.Time, c Clock, zone *time.Location) time.Time {
	local := now.In(zone)
	for day := local.Day() - 1; ; day++ { // yesterday's may have been put off by a change
		if t := On(local.Year(), local.Month(), day, c, zone); t.After(now) {
			return t
		}
	}
}
