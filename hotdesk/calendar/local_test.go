package calendar

import (
	"testing"
	"time"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// The daylight-saving days of three zones, one of half an hour in the southern
// half of the world: a time that is shown twice is the first of the two, one that
// is never shown is the moment of the change, and every other time is itself.
func TestOnDaylightSavingDays(t *testing.T) {
	for _, c := range []struct {
		zone      string
		y, mo, d  int
		at        string
		want, why string
	}{
		{"Europe/Berlin", 2026, 3, 29, "01:59", "2026-03-29T00:59:00Z", "before the change"},
		{"Europe/Berlin", 2026, 3, 29, "02:00", "2026-03-29T01:00:00Z", "the change itself"},
		{"Europe/Berlin", 2026, 3, 29, "02:30", "2026-03-29T01:00:00Z", "never shown"},
		{"Europe/Berlin", 2026, 3, 29, "03:00", "2026-03-29T01:00:00Z", "after the change"},
		{"Europe/Berlin", 2026, 3, 29, "18:30", "2026-03-29T16:30:00Z", "the evening of it"},
		{"Europe/Berlin", 2026, 10, 25, "02:00", "2026-10-25T00:00:00Z", "shown twice"},
		{"Europe/Berlin", 2026, 10, 25, "02:59", "2026-10-25T00:59:00Z", "shown twice"},
		{"Europe/Berlin", 2026, 10, 25, "03:00", "2026-10-25T02:00:00Z", "shown once again"},
		{"America/New_York", 2026, 3, 8, "02:30", "2026-03-08T07:00:00Z", "never shown"},
		{"America/New_York", 2026, 11, 1, "01:30", "2026-11-01T05:30:00Z", "shown twice"},
		{"America/New_York", 2026, 11, 1, "02:00", "2026-11-01T07:00:00Z", "shown once again"},
		{"Australia/Lord_Howe", 2026, 4, 5, "01:45", "2026-04-04T14:45:00Z", "half an hour, shown twice"},
		{"Australia/Lord_Howe", 2026, 4, 5, "02:00", "2026-04-04T15:30:00Z", "shown once again"},
		{"Australia/Lord_Howe", 2026, 10, 4, "02:15", "2026-10-03T15:30:00Z", "half an hour, never shown"},
		{"Australia/Lord_Howe", 2026, 10, 4, "02:30", "2026-10-03T15:30:00Z", "after the change"},
		{"America/Havana", 2026, 3, 8, "00:30", "2026-03-08T05:00:00Z", "a day that begins at one"},
		{"Pacific/Apia", 2011, 12, 30, "12:00", "2011-12-30T10:00:00Z", "a day that never was"},
		{"UTC", 2026, 3, 29, "02:30", "2026-03-29T02:30:00Z", "no change at all"},
	} {
		clock, ok := ParseClock(c.at)
		if !ok {
			t.Fatal(c.at)
		}
		got := On(c.y, time.Month(c.mo), c.d, clock, zone(t, c.zone))
		if got.UTC().Format(time.RFC3339) != c.want {
			t.Errorf("%s %d-%02d-%02d %s (%s): %s, want %s", c.zone, c.y, c.mo, c.d, c.at, c.why, got.UTC().Format(time.RFC3339), c.want)
		}
	}
}

func TestNext(t *testing.T) {
	for _, c := range []struct{ name, zone, now, at, want string }{
		{"later today", "Europe/Berlin", "2026-01-05T09:00:00+01:00", "18:30", "2026-01-05T18:30:00+01:00"},
		{"tomorrow", "Europe/Berlin", "2026-01-05T18:30:00+01:00", "18:30", "2026-01-06T18:30:00+01:00"},
		{"over the year", "Europe/Berlin", "2026-12-31T23:00:00+01:00", "22:00", "2027-01-01T22:00:00+01:00"},
		{"into summer time", "Europe/Berlin", "2026-03-28T23:00:00+01:00", "22:00", "2026-03-29T22:00:00+02:00"},
		{"before the time that never comes", "Europe/Berlin", "2026-03-29T01:30:00+01:00", "02:30", "2026-03-29T03:00:00+02:00"},
		{"after it", "Europe/Berlin", "2026-03-29T03:00:00+02:00", "02:30", "2026-03-30T02:30:00+02:00"},
		{"before the doubled time", "Europe/Berlin", "2026-10-25T01:30:00+02:00", "02:30", "2026-10-25T02:30:00+02:00"},
		{"between the two: tomorrow", "Europe/Berlin", "2026-10-25T02:30:00+02:00", "02:30", "2026-10-26T02:30:00+01:00"},
		{"in the second of the two", "America/New_York", "2026-11-01T01:15:00-05:00", "01:30", "2026-11-02T01:30:00-05:00"},
		{"half an hour", "Australia/Lord_Howe", "2026-10-04T01:59:00+10:30", "02:10", "2026-10-04T02:30:00+11:00"},
	} {
		now, _ := time.Parse(time.RFC3339, c.now)
		clock, _ := ParseClock(c.at)
		if got := Next(now, clock, zone(t, c.zone)); got.Format(time.RFC3339) != c.want {
			t.Errorf("%s: %s, want %s", c.name, got.Format(time.RFC3339), c.want)
		}
	}
}

// Whatever the zone, next is after now, within two days, and comes once a day.
func TestNextMovesOn(t *testing.T) {
	for _, name := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Asia/Tehran", "Africa/Casablanca", "UTC"} {
		z := zone(t, name)
		at := time.Date(2025, 12, 30, 12, 0, 0, 0, time.UTC)
		n := 0
		for at.Year() < 2027 {
			next := Next(at, Clock{2, 15}, z)
			if d := next.Sub(at); d <= 0 || d > 49*time.Hour {
				t.Fatalf("%s: from %s to %s", name, at, next)
			}
			at, n = next, n+1
		}
		if n < 367 || n > 369 {
			t.Errorf("%s: %d times in a year and a day or two", name, n)
		}
	}
}

func TestWindow(t *testing.T) {
	week := func(days ...time.Weekday) (d [7]bool) {
		for _, x := range days {
			d[x] = true
		}
		return d
	}
	office := Window{week(time.Monday, time.Friday), Clock{9, 0}, Clock{17, 0}}
	night := Window{week(time.Friday), Clock{22, 0}, Clock{6, 0}}
	always := Window{}
	berlin := zone(t, "Europe/Berlin")
	for _, c := range []struct {
		name string
		w    Window
		at   string
		in   bool
		next string
	}{
		{"Monday at nine", office, "2026-01-05T09:00:00+01:00", true, "2026-01-09T09:00:00+01:00"},
		{"before nine", office, "2026-01-05T08:59:59+01:00", false, "2026-01-05T09:00:00+01:00"},
		{"at five", office, "2026-01-05T17:00:00+01:00", false, "2026-01-09T09:00:00+01:00"},
		{"Tuesday", office, "2026-01-06T10:00:00+01:00", false, "2026-01-09T09:00:00+01:00"},
		{"Friday night", night, "2026-01-09T23:00:00+01:00", true, "2026-01-16T22:00:00+01:00"},
		{"into Saturday", night, "2026-01-10T05:59:00+01:00", true, "2026-01-16T22:00:00+01:00"},
		{"Saturday at six", night, "2026-01-10T06:00:00+01:00", false, "2026-01-16T22:00:00+01:00"},
		{"Friday morning", night, "2026-01-09T05:00:00+01:00", false, "2026-01-09T22:00:00+01:00"},
		{"a whole day", always, "2026-01-06T10:00:00+01:00", true, "2026-01-07T00:00:00+01:00"},
		{"the short night", Window{week(time.Sunday), Clock{1, 0}, Clock{4, 0}}, "2026-03-29T03:30:00+02:00", true, "2026-04-05T01:00:00+02:00"},
		{"another zone's clock", office, "2026-01-05T08:00:00Z", true, "2026-01-09T09:00:00+01:00"},
	} {
		at, _ := time.Parse(time.RFC3339, c.at)
		if got := c.w.Covers(at, berlin); got != c.in {
			t.Errorf("%s: covers %v", c.name, got)
		}
		if got := c.w.NextStart(at, berlin).Format(time.RFC3339); got != c.next {
			t.Errorf("%s: next %s, want %s", c.name, got, c.next)
		}
	}
	for _, c := range []struct {
		a, b Window
		want bool
	}{
		{office, night, false},
		{office, always, true},
		{night, Window{week(time.Saturday), Clock{5, 0}, Clock{7, 0}}, true},
		{night, Window{week(time.Saturday), Clock{6, 0}, Clock{7, 0}}, false},
		{office, Window{week(time.Monday), Clock{10, 0}, Clock{11, 0}}, true},
	} {
		if c.a.Overlaps(c.b) != c.want || c.b.Overlaps(c.a) != c.want {
			t.Errorf("%v and %v: want %v", c.a, c.b, c.want)
		}
	}
}
