package calendar

import "time"

// Window is a span of some days of the week by the wall clock. Where To is not
// after From it ends on the day after; From equal to To is a whole day.
type Window struct {
	Days     [7]bool // by time.Weekday; none set: every day
	From, To Clock
}

func (w Window) on(d time.Weekday) bool { return w.Days[d] || w.Days == [7]bool{} }

func (w Window) span(year int, month time.Month, day int, zone *time.Location) (from, to time.Time) {
	from = On(year, month, day, w.From, zone)
	if w.To.Hour < w.From.Hour || (w.To.Hour == w.From.Hour && w.To.Minute <= w.From.Minute) {
		day++
	}
	return from, On(year, month, day, w.To, zone)
}

// Covers tells whether the window is open at a time: from its beginning on, and
// before its end.
func (w Window) Covers(t time.Time, zone *time.Location) bool {
	local := t.In(zone)
	for back := range 2 {
		from, to := w.span(local.Year(), local.Month(), local.Day()-back, zone)
		if w.on(weekday(local, -back)) && !t.Before(from) && t.Before(to) {
			return true
		}
	}
	return false
}

// NextStart gives when the window opens next after a time.
func (w Window) NextStart(t time.Time, zone *time.Location) time.Time {
	local := t.In(zone)
	for ahead := 0; ahead <= 8; ahead++ {
		from, to := w.span(local.Year(), local.Month(), local.Day()+ahead, zone)
		if w.on(weekday(local, ahead)) && from.After(t) && to.After(from) {
			return from
		}
	}
	return time.Time{}
}

// weekday is that of the day which is so many days after t's.
func weekday(t time.Time, days int) time.Weekday {
	return time.Date(t.Year(), t.Month(), t.Day()+days, 12, 0, 0, 0, time.UTC).Weekday()
}

// Overlaps tells whether two windows are open at the same time of some week.
func (w Window) Overlaps(o Window) bool {
	// A week of UTC has no daylight-saving days: overlap is a matter of the clock.
	sunday := time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC)
	for d := range 7 {
		at := sunday.AddDate(0, 0, d)
		if w.on(at.Weekday()) {
			if from, _ := w.span(at.Year(), at.Month(), at.Day(), time.UTC); o.Covers(from, time.UTC) {
				return true
			}
		}
		if o.on(at.Weekday()) {
			if from, _ := o.span(at.Year(), at.Month(), at.Day(), time.UTC); w.Covers(from, time.UTC) {
				return true
			}
		}
	}
	return false
}
