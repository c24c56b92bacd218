package feature

import (
	"slices"
	"testing"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/sip/media/prompts"
)

// TestEveryAnswerHasWords: whatever comes of a code can be said in every
// language.
func TestEveryAnswerHasWords(t *testing.T) {
	now := time.Now()
	who := hotdesk.Who{Binding: hotdesk.Binding{Number: "ada.1-x_2", Since: now.UnixMilli()}}
	var answers []answer
	for _, r := range hotdesk.Reasons() {
		answers = append(answers, answer{why: string(r)}, answer{why: string(r), no: &hotdesk.Refused{Why: r, RetryAfter: 90 * time.Second}})
	}
	for _, why := range []string{whyMalformed, whyNothing, whyMismatch, whyNoDevice, whyUnavailable, whyError, whyNobody} {
		answers = append(answers, answer{why: why})
	}
	answers = append(answers, answer{who: who}, answer{plain: true})
	for _, language := range directory.Languages() {
		names := prompts.Names(language)
		said := []string{"ask_extension", "ask_pin", "ask_supervisor_pin", "ask_old_pin", "ask_new_pin", "ask_pin_again", "ask_takeover", "try_again", "goodbye", "unchanged", "refused"}
		for _, code := range []Code{Login, Supervised, Logout, WhoAmI, Reload, NewPIN} {
			for _, a := range answers {
				said = append(said, a.words(code, language, now)...)
			}
		}
		for _, name := range said {
			if !slices.Contains(names, name) {
				t.Errorf("%s.txt has no %q", language, name)
			}
		}
	}
}
