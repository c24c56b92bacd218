package prompts

import (
	"slices"
	"strings"
	"testing"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
)

func TestNumber(t *testing.T) {
	for number, want := range map[string]string{
		"1001":        "n1 n0 n0 n1",
		"7":           "n7",
		"Ada.L-2":     "letter_a letter_d letter_a dot letter_l dash n2",
		"x_9":         "letter_x underscore n9",
		"":            "",
		"1\r\n\x00é2": "n1 n2",
	} {
		if got := strings.Join(Number(number), " "); got != want {
			t.Errorf("%q: %q, want %q", number, got, want)
		}
	}
}

func TestTimeOfDay(t *testing.T) {
	for _, tc := range []struct {
		clock, en, de string
	}{
		{"00:00", "at midnight", "n0 uhr"},
		{"00:05", "at n0 oh n5", "n0 uhr n5"},
		{"01:00", "at n1 oclock", "ein uhr"},
		{"01:01", "at n1 oh n1", "ein uhr n1"},
		{"09:00", "at n9 oclock", "n9 uhr"},
		{"09:30", "at n9 n30", "n9 uhr n30"},
		{"12:00", "at noon", "n12 uhr"},
		{"12:09", "at n12 oh n9", "n12 uhr n9"},
		{"13:00", "at n13 hundred", "n13 uhr"},
		{"14:30", "at n14 n30", "n14 uhr n30"},
		{"21:10", "at n21 n10", "n21 uhr n10"},
		{"23:59", "at n23 n59", "n23 uhr n59"},
	} {
		at, err := time.Parse("15:04", tc.clock)
		if err != nil {
			t.Fatal(err)
		}
		for language, want := range map[string]string{"en": tc.en, "de": tc.de} {
			if got := strings.Join(TimeOfDay(language, at), " "); got != want {
				t.Errorf("%s in %s: %q, want %q", tc.clock, language, got, want)
			}
		}
	}
}

func TestWhen(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		since, now, en, de string
	}{
		{"2026-11-22 14:30", "2026-11-22 17:00", "today at n14 n30", "today n14 uhr n30"},
		{"2026-11-21 23:59", "2026-11-22 00:01", "yesterday at n23 n59", "yesterday n23 uhr n59"},
		{"2026-11-20 09:00", "2026-11-22 00:01", "month11 day20 at n9 oclock", "day20 month11 n9 uhr"},
		{"2026-11-22 09:00", "2027-11-22 10:00", "month11 day22 at n9 oclock", "day22 month11 n9 uhr"},
		{"2026-12-31 23:00", "2027-01-01 01:00", "yesterday at n23 hundred", "yesterday n23 uhr"},
		// The clock goes back: yesterday began 25 hours before.
		{"2026-10-25 00:30", "2026-10-26 00:00", "yesterday at n0 n30", "yesterday n0 uhr n30"},
	} {
		since, err1 := time.ParseInLocation("2006-01-02 15:04", tc.since, berlin)
		now, err2 := time.ParseInLocation("2006-01-02 15:04", tc.now, berlin)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		for language, want := range map[string]string{"en": tc.en, "de": tc.de} {
			if got := strings.Join(When(language, since, now), " "); got != want {
				t.Errorf("since %s at %s in %s: %q, want %q", tc.since, tc.now, language, got, want)
			}
		}
	}
}

func TestMinutes(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "minute", time.Second: "minute", time.Minute: "minute", 61 * time.Second: "n2 minutes",
		15 * time.Minute: "n15 minutes", 3 * time.Hour: "n59 minutes",
	} {
		if got := strings.Join(Minutes(d), " "); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

// TestEverythingCanBeSaid: whatever the grammar puts together, and every reason
// of the hot desk, has a clip in every language.
func TestEverythingCanBeSaid(t *testing.T) {
	for _, language := range directory.Languages() {
		names := Names(language)
		var said []string
		for _, r := range hotdesk.Reasons() {
			said = append(said, string(r))
		}
		now := time.Date(2026, 12, 31, 23, 59, 0, 0, time.UTC)
		for minutes := range 24 * 60 {
			said = append(said, TimeOfDay(language, now.Add(time.Duration(minutes)*time.Minute))...)
		}
		for days := range 366 {
			said = append(said, When(language, now.AddDate(0, 0, -days), now)...)
		}
		said = append(said, Number("abcdefghijklmnopqrstuvwxyz0123456789._-")...)
		for n := range 70 {
			said = append(said, Minutes(time.Duration(n)*time.Minute)...)
		}
		slices.Sort(said)
		for _, name := range slices.Compact(said) {
			if !slices.Contains(names, name) {
				t.Errorf("%s.txt has no %q", language, name)
			}
		}
		sorted := slices.Sorted(slices.Values(names))
		if len(slices.Compact(sorted)) != len(names) {
			t.Errorf("%s.txt has a name twice", language)
		}
	}
}
