package feature

import (
	"context"
	"log/slog"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/metrics"
	"perch/sip/handler"
	"perch/sip/media"
)

// tries is how often a person may enter extension and PIN in one call.
const tries = 3

// talk is the conversation of one call.
type talk struct {
	c        *call
	id       handler.Identity
	language string
}

func (c *call) converse(id handler.Identity) *talk {
	return &talk{c: c, id: id, language: id.Tenant.Spoken("")}
}

// speaks tells whether there is anything to speak with; else there are the
// melodies.
func (s *Service) speaks(id handler.Identity) bool {
	if s.Prompts == nil {
		return false
	}
	_, ok := s.Prompts.Sound(id.Tenant.Code, id.Tenant.Spoken(""), "ask_extension", "ask_pin")
	return ok
}

// sound gives what is to be said; fallback names a clip for when not all of it
// is there.
func (t *talk) sound(fallback string, words ...string) (media.Sound, bool) {
	if t.c.s.Prompts == nil {
		return nil, false
	}
	sound, ok := t.c.s.Prompts.Sound(t.id.Tenant.Code, t.language, words...)
	if !ok {
		sound, ok = t.c.s.Prompts.Sound(t.id.Tenant.Code, t.language, fallback)
	}
	return sound, ok
}

// tell says what came of a code, by words or by melody, to the end.
func (t *talk) tell(code Code, a answer, more ...string) {
	t.language = t.id.Tenant.Spoken(a.who.Language)
	fallback := map[bool]string{true: "logged_in", false: "refused"}[a.why == ""]
	words := append(a.words(code, t.language, clock(t.id, t.c.s.Now())), more...)
	sound, ok := t.sound(fallback, words...)
	switch {
	case ok:
	case a.why == "":
		sound = media.Sound{t.c.s.yes}
	default:
		sound = media.Sound{t.c.s.no}
	}
	t.c.voice.play(t.c.talk, sound)
}

// entry asks a question and gives what was typed. ok is false when the call has
// ended.
func (t *talk) entry(words ...string) (typed string, ok bool) {
	question, _ := t.sound(words[len(words)-1], words...)
	e := entry{keys: t.c.voice.keys.Keys(), play: t.c.voice.play, wait: t.c.s.Patience}
	if !e.ask(t.c.talk, question) {
		return "", false
	}
	if e.long {
		return tooLong, true
	}
	return string(e.typed), true
}

// tooLong stands for an entry that nothing can match.
const tooLong = "-"

// login asks for what is missing until it is right, at most three times.
func (t *talk) login(d Dialled) (a answer) {
	var before []string
	for try := 1; ; try++ {
		given, ok := t.complete(d, before)
		if !ok {
			return answer{why: metrics.FeatureAbandoned}
		}
		a = t.enter(given)
		if a.why == string(hotdesk.AskFirst) {
			return t.takeOver(given, a)
		}
		again := a.why == string(hotdesk.BadCredentials) || a.why == whyNothing
		if !again || try == tries {
			return t.finish(d.Code, a, again)
		}
		before = t.again(a)
	}
}

// again gives what is said before the next try. Keys that were typed ahead of
// the refusal belong to what failed.
func (t *talk) again(a answer) []string {
	t.c.voice.keys.Forget()
	return append(a.refusal(), "try_again")
}

// finish says what came of it; goodbye is for who has tried too often.
func (t *talk) finish(code Code, a answer, goodbye bool) answer {
	if goodbye {
		t.tell(code, a, "goodbye")
	} else {
		t.tell(code, a)
	}
	return a
}

// complete asks for the number and the PIN, or the PIN alone.
func (t *talk) complete(d Dialled, before []string) (given Dialled, ok bool) {
	question := "ask_pin"
	if d.Code == Supervised {
		question = "ask_supervisor_pin"
	}
	given, ok = t.credentials(d.Number, before, question)
	given.Code = d.Code
	return given, ok
}

// credentials asks for a number, unless it is known, and for a PIN by the
// question given. ok is false when the call has ended.
func (t *talk) credentials(number string, before []string, question string) (given Dialled, ok bool) {
	given.Number = number
	if number == "" {
		if given.Number, ok = t.entry(append(before, "ask_extension")...); !ok || given.Number == "" {
			return given, ok
		}
		before = nil
	}
	pin, ok := t.entry(append(before, question)...)
	given.PIN = directory.Secret(pin)
	return given, ok
}

// unusable tells what was typed that nothing can match.
func (d Dialled) unusable() answer {
	switch {
	case d.Number == "" || d.PIN == "":
		return answer{why: whyNothing}
	case d.Number == tooLong || d.PIN == tooLong:
		return answer{why: string(hotdesk.BadCredentials)}
	}
	return answer{}
}

// enter logs in with what was typed.
func (t *talk) enter(given Dialled) answer {
	if a := given.unusable(); a.why != "" {
		return a
	}
	return t.c.s.act(t.id, t.c.s.Now(), given)
}

// takeOver says who sits at the desk, and logs in all the same when that is
// wished by pressing 1 (on_occupied: ask).
func (t *talk) takeOver(given Dialled, a answer) answer {
	words := []string{a.why, "ask_takeover"}
	if a.no != nil && a.no.Occupant != "" {
		now := clock(t.id, t.c.s.Now())
		words = append(sitting(a.no.Occupant, a.no.Since.In(now.Location()), t.language, now), "ask_takeover")
	}
	said, ok := t.entry(words...)
	switch {
	case !ok:
		return answer{why: metrics.FeatureAbandoned}
	case said != "1":
		if sound, ok := t.sound("refused", "unchanged", "goodbye"); ok {
			t.c.voice.play(t.c.talk, sound)
		}
		return a
	}
	given.Confirmed = true
	return t.finish(given.Code, t.enter(given), false)
}

// run is the conversation of a call that is up: what was dialled, or what is
// asked for now. first is what came of a code that was dialled whole.
func (t *talk) run(d Dialled, first <-chan answer) answer {
	switch {
	case first == nil && d.Code == NewPIN:
		return t.changePIN()
	case first == nil:
		return t.login(d)
	}
	a := <-first
	if a.why == string(hotdesk.AskFirst) && t.c.s.speaks(t.id) {
		return t.takeOver(d, a)
	}
	t.tell(d.Code, a)
	return a
}

// note writes how the call went into its log line, and gives the metric's
// label.
func note(r *handler.Request, a answer) (result string) {
	switch a.why {
	case "":
		result = metrics.FeatureOK
	case metrics.FeatureAbandoned:
		result = metrics.FeatureAbandoned
	default:
		result = metrics.FeatureRefused
	}
	r.Note(slog.String("result", result))
	if result == metrics.FeatureRefused {
		r.Note(slog.String("reason", a.why))
	}
	return result
}

// bounded ends the conversation after a while, whatever happens.
func (c *call) bounded(d time.Duration) (release context.CancelFunc) {
	timer := time.AfterFunc(d, c.stop)
	return func() { timer.Stop() }
}
