package brand

import (
	"fmt"
	"testing"
	"time"
)

// What phones are told is what the tz database says, at noon of every day of some
// years; zones with a rule that no phone knows are off by a week at most.
func TestZonesFollowTheDatabase(t *testing.T) {
	for name, off := range map[string]int{ // days per year that may differ
		"Europe/Berlin": 0, "Europe/London": 0, "Europe/Dublin": 0, "America/New_York": 0, "America/St_Johns": 0, "Australia/Sydney": 0, "Australia/Lord_Howe": 0,
		"Pacific/Auckland": 0, "Asia/Kolkata": 0, "Asia/Tokyo": 0, "America/Sao_Paulo": 0, "UTC": 0, "Pacific/Chatham": 0, "Atlantic/Azores": 1,
		"America/Santiago": 14, "Africa/Cairo": 14, "Asia/Jerusalem": 14,
	} {
		z, ok := NewZones().Lookup(name)
		loc, err := time.LoadLocation(name)
		if !ok || err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for year := 2025; year < 2032; year++ {
			wrong := 0
			for day := time.Date(year, 1, 1, 12, 0, 0, 0, time.UTC); day.Year() == year; day = day.AddDate(0, 0, 1) {
				_, want := day.In(loc).Zone()
				if z.at(day) != time.Duration(want)*time.Second {
					wrong++
				}
			}
			if wrong > off {
				t.Errorf("%s: %d days of %d differ, with %+v", name, wrong, year, z)
			}
		}
	}
	for _, name := range []string{"", "Local", "Nowhere/City", "../../etc/passwd"} {
		if z, ok := NewZones().Lookup(name); ok {
			t.Errorf("%q: %+v", name, z)
		}
	}
}

// at is the offset as a phone reckons it from the rule.
func (z Zone) at(utc time.Time) time.Duration {
	if !z.DST {
		return z.Offset
	}
	start := z.Start.in(utc.Year()).Add(-z.Offset)
	end := z.End.in(utc.Year()).Add(-z.Offset - z.Save)
	summer := !utc.Before(start) && utc.Before(end)
	if end.Before(start) {
		summer = !utc.Before(start) || utc.Before(end)
	}
	if summer {
		return z.Offset + z.Save
	}
	return z.Offset
}

// in is the moment of a change in a year, by the clock on the wall before it.
func (c Change) in(year int) time.Time {
	day := time.Date(year, time.Month(c.Month), 1, c.Hour, c.Minute, 0, 0, time.UTC)
	for (int(day.Weekday())+6)%7+1 != c.Weekday {
		day = day.AddDate(0, 0, 1)
	}
	if c.Week < 5 {
		return day.AddDate(0, 0, 7*(c.Week-1))
	}
	for day.AddDate(0, 0, 7).Month() == time.Month(c.Month) {
		day = day.AddDate(0, 0, 7)
	}
	return day
}

func ExampleZones() {
	z, _ := NewZones().Lookup("America/Santiago")
	fmt.Println(z.Offset, z.Save, z.Start, z.End)
	// Output: -4h0m0s 1h0m0s {9 1 7 0 0} {4 1 7 0 0}
}
