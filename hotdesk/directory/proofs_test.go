package directory

import (
	"testing"

	"pgregory.net/rapid"
)

// However logins, fetches and lost answers follow each other, what the phone
// holds opens its files, and the same session gives the same file.
func TestAPhoneIsNeverLockedOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		steady := rapid.Bool().Draw(t, "steady")
		var p Proofs
		held := 0 // by the phone
		session := SessionID("")
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "login or logout") {
				session = SessionID(rapid.SampledFrom([]string{"", "a", "b", "c", "d"}).Draw(t, "session"))
				continue
			}
			if held != p.Used && held != p.Handed {
				t.Fatalf("the phone has %d, and only %d and %d are good", held, p.Used, p.Handed)
			}
			p.Used = max(p.Used, held)
			p = p.Next(session, steady, true)
			if again := p.Next(session, steady, true); again != p {
				t.Fatalf("the same session, another file: %+v, %+v", p, again)
			}
			if p.Handed != p.Used && p.Handed != p.Used+1 {
				t.Fatalf("%+v", p)
			}
			if steady && p.Handed > 1 {
				t.Fatalf("not steady: %+v", p)
			}
			if rapid.Bool().Draw(t, "the answer arrives") {
				held = p.Handed
			}
		}
	})
}

func TestProofs(t *testing.T) {
	first := Proofs{}.Next("", false, true)
	if first.Handed != 1 || first.Used != 0 || first.Made != 1 || first.For != IdleProof {
		t.Errorf("the first file keeps the proof of the enrolment: %+v", first)
	}
	if second := first.Next("s1", false, true); second.Handed != 1 || second.For != "s1" {
		t.Errorf("one more before the phone has shown the last: %+v", second)
	}
	first.Used = 1
	if second := first.Next("s1", false, false); second.Handed != 2 || second.Made != 1 {
		t.Errorf("a login changes nothing: %+v", second)
	}
	if got := first.Within(0); got != first {
		t.Errorf("%+v", got)
	}
	if got := first.Within(1); got != (Proofs{Token: 1}) {
		t.Errorf("an admin's renewal does not begin anew: %+v", got)
	}
	if (Device{Secret: Kept{Value: "x", From: "y"}}).MadeSecret() || !(Device{Secret: Kept{Value: "x"}}).MadeSecret() {
		t.Error("a secret of a file counts as made")
	}
}
