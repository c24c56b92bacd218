package store

import (
	"context"
	"crypto/rand"
	_ "embed" // the scripts
	"fmt"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
)

// The one lockout, for every door.
const (
	lockAfter    = 5
	lockFor      = 15 * time.Minute
	guessWindow  = time.Hour
	guessNews    = 11 // failures from all sources within the window that are told of
	rememberGood = 30 * 24 * time.Hour
)

var (
	//go:embed lua/attempt.lua
	luaAttempt string
	//go:embed lua/attempt_good.lua
	luaAttemptGood string

	attemptScript     = newScript("attempt", luaAttempt, []string{kEvents, kExtensions, kLockouts, kGuessed}, "lock", "guesses", "good")
	attemptGoodScript = newScript("attempt_good", luaAttemptGood, []string{kLockouts, kGuessed}, "lock", "guesses", "good")
)

var _ hotdesk.Attempts = (*Store)(nil)

func attemptKeys(e directory.ExtensionID, source string) []string {
	return []string{keyLock(e, source), keyGuesses(e), keyGood(e, source)}
}

// Begin counts an attempt at an extension from a source as failed. Five
// failures lock the pair for 15 minutes from the fifth; attempts meanwhile do
// not prolong that. An extension that does not exist is counted alike.
func (s *Store) Begin(ctx context.Context, e directory.ExtensionID, source string, now time.Time) (hotdesk.Attempt, error) {
	v, err := s.change(ctx, attemptScript, e.Tenant, now, attemptKeys(e, source),
		rand.Text(), lockAfter, lockFor.Milliseconds(), guessWindow.Milliseconds(), e.Number, source, guessNews)
	if err != nil {
		return hotdesk.Attempt{}, err
	}
	a, ok := v.([]any)
	if !ok || len(a) != 4 {
		return hotdesk.Attempt{}, fmt.Errorf("store: attempt: answer %v", v)
	}
	n := [4]int64{}
	for i := range n {
		n[i], _ = a[i].(int64)
	}
	return hotdesk.Attempt{
		Failures: int(n[0]), LockedFor: time.Duration(n[1]) * time.Millisecond, AllSources: int(n[2]), KnownGood: n[3] == 1,
	}, nil
}

// Succeeded takes the attempt back, clears the failures of the source and
// remembers it as good for 30 days.
func (s *Store) Succeeded(ctx context.Context, e directory.ExtensionID, source string, now time.Time) error {
	_, err := s.change(ctx, attemptGoodScript, e.Tenant, now, attemptKeys(e, source),
		rememberGood.Milliseconds(), guessWindow.Milliseconds(), e.Number, source)
	return err
}
