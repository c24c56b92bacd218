package prompts

import (
	"strconv"
	"strings"
	"time"
)

// Number says an extension's number as people do: digit by digit, letters by
// their names.
func Number(number string) []string {
	var names []string
	for _, r := range strings.ToLower(number) {
		switch {
		case r >= '0' && r <= '9':
			names = append(names, "n"+string(r))
		case r >= 'a' && r <= 'z':
			names = append(names, "letter_"+string(r))
		case r == '.':
			names = append(names, "dot")
		case r == '-':
			names = append(names, "dash")
		case r == '_':
			names = append(names, "underscore")
		}
	}
	return names
}

// When says a day and a time of day, as it is spoken at now in the same zone:
// today and yesterday by that name, else the day and the month.
func When(language string, t, now time.Time) []string {
	return append(day(language, t, now), TimeOfDay(language, t)...)
}

// TimeOfDay says hours and minutes on the clock of 24 hours.
func TimeOfDay(language string, t time.Time) []string {
	if language == "de" {
		return germanTime(t.Hour(), t.Minute())
	}
	return englishTime(t.Hour(), t.Minute())
}

func day(language string, t, now time.Time) []string {
	y, m, d := t.Date()
	for ago, name := range []string{"today", "yesterday"} {
		if ny, nm, nd := now.AddDate(0, 0, -ago).Date(); y == ny && m == nm && d == nd {
			return []string{name}
		}
	}
	date, month := "day"+strconv.Itoa(d), "month"+strconv.Itoa(int(m))
	if language == "de" {
		return []string{date, month} // dem zwanzigsten November
	}
	return []string{month, date} // November the twentieth
}

// germanTime: vierzehn Uhr dreißig; ein Uhr, not eins.
func germanTime(hour, minute int) []string {
	names := []string{count(hour), "uhr"}
	if hour == 1 {
		names[0] = "ein"
	}
	if minute > 0 {
		names = append(names, count(minute))
	}
	return names
}

// englishTime: at fourteen thirty, at nine oh five, at nine o'clock, at
// fourteen hundred, at noon.
func englishTime(hour, minute int) []string {
	names := []string{"at"}
	switch {
	case minute == 0 && hour == 0:
		return append(names, "midnight")
	case minute == 0 && hour == 12:
		return append(names, "noon")
	case minute == 0 && hour < 12:
		return append(names, count(hour), "oclock")
	case minute == 0:
		return append(names, count(hour), "hundred")
	case minute < 10:
		return append(names, count(hour), "oh", count(minute))
	}
	return append(names, count(hour), count(minute))
}

// Minutes says how long to wait, rounded up: to be put behind "try_in".
func Minutes(d time.Duration) []string {
	n := int((d + time.Minute - 1) / time.Minute)
	switch {
	case n <= 1:
		return []string{"minute"}
	case n > 59:
		n = 59
	}
	return []string{count(n), "minutes"}
}

// count is the clip of a number from 0 to 59.
func count(n int) string { return "n" + strconv.Itoa(n) }
