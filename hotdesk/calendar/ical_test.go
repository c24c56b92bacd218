package calendar

import (
	"strings"
	"testing"
	"time"
)

func file(events ...string) string {
	out := "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nBEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
	for _, e := range events {
		out += "BEGIN:VEVENT\r\nUID:1\r\n" + strings.ReplaceAll(e, "|", "\r\n") + "\r\nBEGIN:VALARM\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\nEND:VEVENT\r\n"
	}
	return out + "END:VCALENDAR\r\n"
}

const early = "DTSTART;TZID=Europe/Berlin:20260105T060000|DTEND;TZID=Europe/Berlin:20260105T140000|RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"

func TestNextEnd(t *testing.T) {
	for _, c := range []struct{ name, event, now, want string }{
		{"before the first", early, "2026-01-01T00:00:00Z", "2026-01-05T14:00:00+01:00"},
		{"in a shift", early, "2026-01-07T08:00:00+01:00", "2026-01-07T14:00:00+01:00"},
		{"at its end: the next", early, "2026-01-07T14:00:00+01:00", "2026-01-08T14:00:00+01:00"},
		{"over the weekend", early, "2026-01-09T20:00:00+01:00", "2026-01-12T14:00:00+01:00"},
		{"years later", early, "2041-06-05T20:00:00+02:00", "2041-06-06T14:00:00+02:00"},
		{"in summer time", early, "2026-07-01T08:00:00+02:00", "2026-07-01T14:00:00+02:00"},
		{"every second week", early + ";INTERVAL=2", "2026-01-10T00:00:00Z", "2026-01-19T14:00:00+01:00"},
		{"until a day", early + ";UNTIL=20260106", "2026-01-06T13:00:00Z", ""},
		{"until an instant", early + ";UNTIL=20260106T050000Z", "2026-01-06T10:00:00Z", "2026-01-06T14:00:00+01:00"},
		{"until the instant before", early + ";UNTIL=20260106T045959Z", "2026-01-06T10:00:00Z", ""},
		{"counted", early + ";COUNT=3", "2026-01-07T10:00:00Z", "2026-01-07T14:00:00+01:00"},
		{"counted out", early + ";COUNT=3", "2026-01-07T14:00:00Z", ""},
		{"an exception", early + "|EXDATE;TZID=Europe/Berlin:20260107T060000,20260108T060000", "2026-01-07T08:00:00+01:00", "2026-01-09T14:00:00+01:00"},
		{"an exception in UTC", early + "|EXDATE:20260107T050000Z", "2026-01-07T08:00:00+01:00", "2026-01-08T14:00:00+01:00"},
		{"no rule, over", "DTSTART:20260105T060000|DTEND:20260105T140000", "2026-02-01T00:00:00Z", ""},
		{"floating is the site's", "DTSTART:20260105T060000|DTEND:20260105T140000", "2026-01-05T12:00:00Z", "2026-01-05T14:00:00+01:00"},
		{"UTC", "DTSTART:20260105T060000Z|DTEND:20260105T140000Z", "2026-01-05T12:00:00Z", "2026-01-05T15:00:00+01:00"},
		{"a whole day", "DTSTART;VALUE=DATE:20260105|DTEND;VALUE=DATE:20260106", "2026-01-05T12:00:00Z", "2026-01-06T00:00:00+01:00"},
		{"daily with days", "DTSTART:20260105T060000|DURATION:PT8H|RRULE:FREQ=DAILY;BYDAY=SA", "2026-01-06T00:00:00Z", "2026-01-10T14:00:00+01:00"},
		{"every third day", "DTSTART:20260105T060000|DURATION:PT8H|RRULE:FREQ=DAILY;INTERVAL=3", "2026-01-06T00:00:00Z", "2026-01-08T14:00:00+01:00"},
		{"the night of the change: exact", "DTSTART:20260327T220000|DTEND:20260328T060000|RRULE:FREQ=DAILY", "2026-03-28T23:00:00+01:00", "2026-03-29T07:00:00+02:00"},
		{"days are nominal", "DTSTART:20260328T120000|DURATION:P1D", "2026-03-28T23:00:00+01:00", "2026-03-29T12:00:00+02:00"},
		{"a start that is never shown is passed over", "DTSTART:20260328T023000|DURATION:PT1H|RRULE:FREQ=DAILY", "2026-03-29T00:00:00+01:00", "2026-03-30T03:30:00+02:00"},
		{"a first start that is never shown", "DTSTART:20260329T023000|DURATION:PT1H", "2026-03-29T00:00:00+01:00", "2026-03-29T04:30:00+02:00"},
		{"cancelled", early + "|STATUS:CANCELLED", "", "error"},
		{"folded", "DTSTART;TZID=Europe/Berl\r\n in:20260105T060000|DURATION:PT8H", "2026-01-05T06:00:00Z", "2026-01-05T14:00:00+01:00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := Parse(file(c.event))
			if c.want == "error" {
				if err == nil {
					t.Error("a calendar of nothing was taken")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			now, err := time.Parse(time.RFC3339, c.now)
			if err != nil {
				t.Fatal(err)
			}
			end, ok := s.NextEnd(now, zone(t, "Europe/Berlin"))
			if got := end.In(zone(t, "Europe/Berlin")).Format(time.RFC3339); ok != (c.want != "") || ok && got != c.want {
				t.Errorf("%s %v, want %q", got, ok, c.want)
			}
		})
	}
}

func TestTheFirstOfSeveralShifts(t *testing.T) {
	s, err := Parse(file(early, strings.NewReplacer("T06", "T14", "T140000|", "T140000|", "DTEND;TZID=Europe/Berlin:20260105T140000", "DURATION:PT8H").Replace(early)))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 1, 7, 14, 0, 0, 0, zone(t, "Europe/Berlin"))
	if end, ok := s.NextEnd(now, time.UTC); !ok || !end.Equal(now.Add(8*time.Hour)) {
		t.Errorf("%s %v", end, ok)
	}
}

func TestParseRefusals(t *testing.T) {
	good := "DTSTART:20260105T060000|DURATION:PT8H"
	for _, c := range []struct{ text, want string }{
		{"", "does not begin"},
		{"BEGIN:VEVENT\nEND:VEVENT", "does not begin"},
		{"BEGIN:VCALENDAR\n", "has no end"},
		{"BEGIN:VCALENDAR\nEND:VCALENDAR\n", "no event"},
		{"BEGIN:VCALENDAR\nEND:VEVENT\n", "what did not begin"},
		{"BEGIN:VCALENDAR\nEND:VCALENDAR\nX:1", "outside"},
		{"BEGIN:VCALENDAR\nrubbish\n", "no colon"},
		{"BEGIN:VCALENDAR\n" + strings.Repeat("BEGIN:X\n", 9), "too deep"},
		{strings.Repeat("x", MaxBytes+1), "larger"},
		{file("DURATION:PT8H"), "no DTSTART"},
		{file("DTSTART:20260105T060000"), "exactly one"},
		{file(good + "|DTEND:20260105T070000"), "exactly one"},
		{file(good + "|DTSTART:20260105T070000"), "twice"},
		{file("DTSTART:20260105T060000|DTEND:20260105T060000"), "longer than nothing"},
		{file("DTSTART:20260105T060000|DURATION:P8D"), "at most seven"},
		{file("DTSTART:20260105T060000|DTEND:20260105T070000Z"), "same kind"},
		{file("DTSTART;TZID=Mars/Olympus:20260105T060000|DURATION:PT8H"), "not a time zone"},
		{file("DTSTART;TZID=Local:20260105T060000|DURATION:PT8H"), "not a time zone"},
		{file("DTSTART:tomorrow|DURATION:PT8H"), "not a time"},
		{file("DTSTART:99990105T060000|DURATION:PT8H"), "not a time"},
		{file("DTSTART:20260105T060000|DURATION:8H"), "not a duration"},
		{file("DTSTART:20260105T060000|DURATION:PT9999999H"), "not a duration"},
		{file(good + "|RRULE:FREQ=MONTHLY"), "not understood"},
		{file(good + "|RRULE:FREQ=DAILY;BYHOUR=3"), "not understood"},
		{file(good + "|RRULE:INTERVAL=2"), "no FREQ"},
		{file(good + "|RRULE:FREQ=DAILY;COUNT=1;UNTIL=20260105"), "both"},
		{file(good + "|RRULE:FREQ=DAILY;INTERVAL=0"), "from 1"},
		{file(good + "|RRULE:FREQ=WEEKLY;BYDAY=1MO"), "not a weekday"},
		{file(good + "|RRULE:FREQ=DAILY;FREQ=DAILY"), "twice"},
		{file(good + "|RDATE:20260106T060000"), "not understood"},
		{file(good+"|RRULE:FREQ=DAILY;COUNT=20000", good+"|RRULE:FREQ=DAILY;COUNT=1"), "counted in all"},
	} {
		if _, err := Parse(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.80q: %v, want %s", c.text, err, c.want)
		}
	}
}

// FuzzParse: whatever the file says, it is read and asked in bounded time, and
// an end is after the time that was asked for.
func FuzzParse(f *testing.F) {
	f.Add(file(early))
	f.Add(file(early + ";INTERVAL=1000|EXDATE:20260107T050000Z"))
	f.Add(file("DTSTART;VALUE=DATE:20260105|DURATION:P1DT1S|RRULE:FREQ=DAILY;COUNT=20000;BYDAY=SU"))
	f.Add("BEGIN:VCALENDAR\nBEGIN:VEVENT\n")
	at := time.Date(2026, 3, 28, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if err != nil {
			return
		}
		began := time.Now()
		for _, now := range []time.Time{at, at.AddDate(30, 0, 0), time.Unix(0, 0)} {
			if end, ok := s.NextEnd(now, time.UTC); ok && !end.After(now) {
				t.Errorf("%s ends at %s", now, end)
			}
		}
		if time.Since(began) > 10*time.Second {
			t.Errorf("took %s", time.Since(began))
		}
	})
}

func BenchmarkNextEnd(b *testing.B) {
	s, err := Parse(file(early))
	if err != nil {
		b.Fatal(err)
	}
	now, z := time.Date(2036, 1, 7, 14, 0, 0, 0, time.UTC), zone(b, "Europe/Berlin")
	b.ReportAllocs()
	for b.Loop() {
		s.NextEnd(now, z)
	}
}
