package e2e

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// TestHistory: what a phone ran is told afterwards, without its secrets.
func TestHistory(t *testing.T) {
	t.Parallel()
	o := open(t)
	type row struct {
		At                time.Time
		File, Digest      string
		Extension         *string
		Text, Tenant, MAC string
	}
	list := func(args ...string) (rows []row) {
		t.Helper()
		out := o.admin("history", append([]string{"--mac", yealinkDesk, "--json"}, args...)...)
		if err := json.Unmarshal([]byte(out), &rows); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return rows
	}
	if rows := list(); len(rows) != 0 {
		t.Fatalf("%+v", rows)
	}
	idle := o.yealinkFile(yealinkDesk)
	eventually(t, "the first file is remembered", time.Minute, func() bool { return len(list()) == 1 })
	if got := o.rest().login(t.Context(), "1001", yealinkDesk); got != 200 {
		t.Fatalf("login: %d", got)
	}
	between := time.Now()
	bound := o.yealinkFile(yealinkDesk)
	o.yealinkFile(yealinkDesk) // the same once more
	eventually(t, "the second file is remembered", time.Minute, func() bool { return len(list()) == 2 })
	rows := list()
	if rows[0].Extension == nil || *rows[0].Extension != "1001" || rows[1].Extension != nil || rows[0].File != yealinkDesk+".cfg" || len(rows[0].Digest) != 64 {
		t.Errorf("%+v", rows)
	}
	if then := list("--at", between.Format(time.RFC3339Nano)); len(then) != 1 || then[0].Digest != rows[1].Digest {
		t.Errorf("between the two it ran %+v", then)
	}
	if before := list("--at", between.Add(-time.Hour).Format(time.RFC3339)); len(before) != 0 {
		t.Errorf("an hour ago it ran %+v", before)
	}
	shown := o.admin("history", "--mac", yealinkDesk, "--show", rows[0].Digest[:8])
	if !strings.Contains(shown, "account.1.user_name = 1001") || !strings.Contains(shown, "account.1.password = ********") {
		t.Errorf("shown:\n%s", shown)
	}
	diff := o.admin("history", "--mac", yealinkDesk, "--diff", rows[1].Digest[:8], rows[0].Digest[:8])
	if !strings.Contains(diff, "-account.1.user_name = "+yealinkDesk) || !strings.Contains(diff, "+account.1.user_name = 1001") || strings.Contains(diff, "password") {
		t.Errorf("diff:\n%s", diff)
	}
	everything := o.redis("KEYS", "*") + shown + diff
	for _, key := range strings.Fields(o.redis("KEYS", "{acme}:rendering:*")) {
		everything += o.redis("GET", key)
	}
	for _, secret := range []string{idle.password, bound.password, secretOf(yealinkDesk).Reveal()} {
		if strings.Contains(everything, secret) {
			t.Error("a secret is kept")
		}
	}
}
