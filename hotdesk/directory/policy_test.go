package directory

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Each setting set at one level wins over the level above it and leaves the
// others alone.
func TestResolve(t *testing.T) {
	two, three, on := 2, 3, true
	four, warn := 4, Duration(5*time.Minute)
	hour, day := Duration(time.Hour), Duration(24*time.Hour)
	tenant := Policy{MaxLogins: &two, OnConflict: Deny, OnOccupied: Ask, MaxSession: &day, LogoutAt: "18:30", Sites: []string{"berlin"}, PINSource: []string{PINTenant}}
	site := Policy{IdleLogout: &hour, MaxDefer: &hour}
	extension := Policy{MaxLogins: &three, Sites: []string{}, Supervisors: &on}
	want := Policy{
		MaxLogins: &three, OnConflict: Deny, OnOccupied: Ask, MaxSession: &day, LogoutAt: "18:30", IdleLogout: &hour, MaxDefer: &hour,
		Sites: []string{}, PINSource: []string{PINTenant}, Supervisors: &on, LoginKey: &on, Screen: DefaultScreen(),
		WarnBefore: &warn, PINChange: &on, PINMin: &four, PINWeak: Deny,
	}
	if d := cmp.Diff(want, Resolve(tenant, site, extension, Policy{})); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(DefaultPolicy(), Resolve()); d != "" {
		t.Error(d)
	}
}

// A list that is empty on purpose must not come back from the store as one that
// was never set: it would inherit again.
func TestPolicyKeepsEmptyLists(t *testing.T) {
	b, err := json.Marshal(Policy{Sites: []string{}})
	if err != nil {
		t.Fatal(err)
	}
	var p Policy
	if err := json.Unmarshal(b, &p); err != nil || p.Sites == nil || p.PINSource != nil {
		t.Errorf("%s came back as %+v, %v", b, p, err)
	}
}
