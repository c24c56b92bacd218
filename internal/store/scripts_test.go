package store

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"perch/sip/location"
)

// TestScriptHeaders: what a script says of its KEYS is what it is given.
func TestScriptHeaders(t *testing.T) {
	headerKeys := regexp.MustCompile(`\d+(?:\.\.\.)?\s+([a-z-]+)`)
	for _, tc := range []struct {
		sc    script
		body  string
		extra int // keys per call, named after the others
	}{
		{bindScript, luaBind, 1},
		{unbindScript, luaUnbind, 1},
		{contactUpdateScript, luaContactUpdate, 1},
		{expireScript, luaExpire, 0},
		{subscriptionSaveScript, luaSubscriptionSave, 1},
		{subscriptionLitScript, luaSubscriptionLit, 0},
		{subscriptionEndScript, luaSubscriptionEnd, 1},
		{traceSaveScript, luaTraceSave, 0},
		{reloadOpenScript, luaReloadOpen, 0},
		{reloadClaimScript, luaReloadClaim, 0},
		{reloadSaveScript, luaReloadSave, 1},
		{reloadCloseScript, luaReloadClose, 1},
		{reloadArmScript, luaReloadArm, 1},
		{callSaveScript, luaCallSave, 0},
		{callClaimScript, luaCallClaim, 0},
		{attemptScript, luaAttempt, 3},
		{attemptGoodScript, luaAttemptGood, 3},
		{fetchedScript, luaFetched, 0},
		{timerClaimScript, luaTimerClaim, 0},
		{timerSetScript, luaTimerSet, 0},
		{timerEndScript, luaTimerEnd, 0},
		{deskScript, luaDeskPut, 0},
		{pinSetScript, luaPINSet, 0},
		{touchScript, luaTouch, 0},
		{auditAppendScript, luaAuditAppend, 0},
		{auditTrimScript, luaAuditTrim, 0},
		{auditEraseScript, luaAuditErase, 0},
		{historyEraseScript, luaHistoryErase, 1},
		{lockoutLiftScript, luaLockoutLift, 1},
	} {
		_, rest, _ := strings.Cut(tc.body, "-- KEYS")
		header, _, ok := strings.Cut(rest, "-- ARGV")
		var named []string
		for _, m := range headerKeys.FindAllStringSubmatch(header, -1) {
			named = append(named, m[1])
		}
		if !ok || len(named) != len(tc.sc.keys)+tc.extra || !slices.Equal(named[:len(tc.sc.keys)], tc.sc.keys) {
			t.Errorf("%s: the header names %v, given are %v and %d more", tc.sc.op, named, tc.sc.keys, tc.extra)
		}
		for _, word := range []string{"-- Returns ", "-- Invariant: "} {
			if !strings.Contains(tc.body, word) {
				t.Errorf("%s: the header lacks %q", tc.sc.op, word)
			}
		}
	}
}

// TestScriptsKeepForeignText: whatever a phone sends comes back the same, also
// where a script had to write it anew.
func TestScriptsKeepForeignText(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		rapid.Check(t, func(rt *rapid.T) {
			text := rapid.String()
			kept := o.contact("sip:"+text.Draw(rt, "uri"), desk(1), "")
			kept.UserAgent, kept.CallID = text.Draw(rt, "agent"), text.Draw(rt, "call")
			kept.Path = rapid.SliceOfN(text, 1, 3).Draw(rt, "path")
			kept.CSeq = rapid.Uint32().Draw(rt, "cseq")
			gone := o.contact("gone", desk(1), "")
			gone.Expires = o.now.UnixMilli()
			set, err := s.Contacts(background, acme, "1001")
			must(rt, err)
			set.Contacts = []location.Contact{gone, kept}
			must(rt, s.CommitContacts(background, location.Commit{Tenant: acme, User: "1001", Set: set, Now: o.now}))
			_, _, err = s.Expire(background, o.now, 10)
			must(rt, err)
			set, err = s.Contacts(background, acme, "1001")
			must(rt, err)
			same(rt, "contacts", []location.Contact{kept}, set.Contacts)
			same(rt, "index", []string{"1001\x00" + kept.URI}, members(rt, s, key(acme, kContactExpiry)))
		})
	})
}

func must(f failer, err error) {
	f.Helper()
	if err != nil {
		f.Fatalf("%v", err)
	}
}

func members(f failer, s *Store, k string) []string {
	f.Helper()
	var out []string
	for _, z := range readScores(f, s, k) {
		m, _ := z.Member.(string)
		out = append(out, m)
	}
	return out
}
