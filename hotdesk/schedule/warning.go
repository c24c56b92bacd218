package schedule

import (
	"fmt"
	"strings"
	"time"

	"perch/internal/event"
)

// WarningText is what the phone's screen says before a session ends by itself,
// in one of directory.Languages; ok is false when it is too late to say so.
func WarningText(e event.Event, language string, now time.Time) (text string, ok bool) {
	left := e.Time().Add(time.Duration(e.Millis) * time.Millisecond).Sub(now)
	if left <= 0 {
		return "", false
	}
	say := english
	if language == "de" {
		say = german
	}
	return say(Reason(e.Reason), left), true
}

func english(why Reason, left time.Duration) string {
	text := "You will be logged out here in " + amount(left, "second", "minute", "s", "s") + "."
	switch why {
	case Idle:
		text += " Open the login page to stay."
	case Reserved:
		text += " The desk is reserved from then on."
	}
	return text
}

func german(why Reason, left time.Duration) string {
	text := "Sie werden hier in " + amount(left, "Sekunde", "Minute", "n", "n") + " abgemeldet."
	switch why {
	case Idle:
		text += " Wer die Anmeldeseite öffnet, bleibt."
	case Reserved:
		text += " Der Platz ist danach reserviert."
	}
	return text
}

// amount writes a time in whole minutes, or below one and a half in seconds.
func amount(d time.Duration, second, minute, seconds, minutes string) string {
	n, unit, plural := int((d+30*time.Second)/time.Minute), minute, minutes
	if d < 90*time.Second {
		n, unit, plural = max(1, int((d+time.Second/2)/time.Second)), second, seconds
	}
	if n != 1 {
		unit += plural
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s", n, unit))
}
