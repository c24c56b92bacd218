package schedule

import (
	"testing"
	"time"

	"perch/internal/event"
)

func TestWarningText(t *testing.T) {
	for _, tc := range []struct {
		why      Reason
		left     time.Duration
		language string
		want     string
	}{
		{Expired, 5 * time.Minute, "en", "You will be logged out here in 5 minutes."},
		{Expired, 4*time.Minute + 58*time.Second, "", "You will be logged out here in 5 minutes."},
		{Idle, time.Minute, "en", "You will be logged out here in 60 seconds. Open the login page to stay."},
		{Reserved, time.Second, "fr", "You will be logged out here in 1 second. The desk is reserved from then on."},
		{LogoutAt, 2 * time.Minute, "de", "Sie werden hier in 2 Minuten abgemeldet."},
		{Idle, time.Second, "de", "Sie werden hier in 1 Sekunde abgemeldet. Wer die Anmeldeseite öffnet, bleibt."},
		{Expired, 0, "en", ""},
		{Expired, -time.Hour, "en", ""},
	} {
		e := event.Event{At: noon.UnixMilli(), Millis: time.Hour.Milliseconds(), Reason: string(tc.why)}
		text, ok := WarningText(e, tc.language, noon.Add(time.Hour-tc.left))
		if text != tc.want || ok != (tc.want != "") {
			t.Errorf("%s %s %s: %q, want %q", tc.why, tc.left, tc.language, text, tc.want)
		}
	}
}
