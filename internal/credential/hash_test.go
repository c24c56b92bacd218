package credential

import (
	"context"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"perch/hotdesk/directory"
)

var _ directory.Keeper = (*Key)(nil)

func TestPIN(t *testing.T) {
	k := testKey(t)
	bob := directory.ExtensionID{Tenant: acme, Number: "1002"}
	kept := directory.Kept{Value: k.PIN(ada, "4321")}
	if is, whole := directory.AtRest(kept.Value); !is || !whole {
		t.Errorf("kept as %q", kept.Value)
	}
	tests := []struct {
		name string
		kept directory.Kept
		id   directory.ExtensionID
		pin  directory.Secret
		want bool
	}{
		{"right", kept, ada, "4321", true},
		{"wrong", kept, ada, "4322", false},
		{"empty", kept, ada, "", false},
		{"another's", kept, bob, "4321", false},
		{"number and PIN shifted", directory.Kept{Value: k.PIN(directory.ExtensionID{Tenant: acme, Number: "100"}, "14321")}, ada, "4321", false},
		{"none kept", directory.Kept{}, ada, "4321", false},
		{"none kept, none given", directory.Kept{}, ada, "", false},
		{"kept form cut", directory.Kept{Value: kept.Value[:40]}, ada, "4321", false},
		{"kept form not hex", directory.Kept{Value: directory.HashedForm + strings.Repeat("g", 64)}, ada, "4321", false},
		{"the kept text itself", kept, ada, directory.Secret(kept.Value), false},
	}
	for _, tc := range tests {
		if got := k.CheckPIN(tc.kept, tc.id, tc.pin); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
	if keyOf(t, 8).CheckPIN(kept, ada, "4321") {
		t.Error("another server key accepts the PIN")
	}
}

func TestPINsOfOtherKindsDiffer(t *testing.T) {
	k := testKey(t)
	tenant := directory.Kept{Value: k.TenantPIN(acme, "4321")}
	boss := directory.Kept{Value: k.SupervisorPIN(acme, "frontdesk", "4321")}
	if !k.CheckTenantPIN(tenant, acme, "4321") || !k.CheckSupervisorPIN(boss, acme, "frontdesk", "4321") {
		t.Error("a right PIN was refused")
	}
	if k.CheckPIN(tenant, ada, "4321") || k.CheckTenantPIN(boss, acme, "4321") ||
		k.CheckSupervisorPIN(boss, acme, "other", "4321") || k.CheckSupervisorPIN(boss, "acme2", "frontdesk", "4321") {
		t.Error("a PIN of one kind passed as another")
	}
}

func TestPassword(t *testing.T) {
	k, ctx := testKey(t), t.Context()
	slow, err := k.HashPassword(ctx, ada, "correct-horse")
	if err != nil {
		t.Fatal(err)
	}
	if is, whole := directory.AtRest(slow); !is || !whole {
		t.Errorf("kept as %q", slow)
	}
	initial := directory.Kept{Value: k.InitialPassword(ada, "correct-horse")}
	final := directory.Kept{Value: slow}
	if !NeedsUpgrade(initial) || NeedsUpgrade(final) || NeedsUpgrade(directory.Kept{}) {
		t.Error("NeedsUpgrade is wrong")
	}
	tests := []struct {
		name string
		kept directory.Kept
		id   directory.ExtensionID
		pw   directory.Secret
		want bool
	}{
		{"initial right", initial, ada, "correct-horse", true},
		{"initial wrong", initial, ada, "correct-hors", false},
		{"right", final, ada, "correct-horse", true},
		{"wrong", final, ada, "battery", false},
		{"another's", final, directory.ExtensionID{Tenant: "acme2", Number: "1001"}, "correct-horse", false},
		{"none kept", directory.Kept{}, ada, "", false},
		{"salt alone", directory.Kept{Value: strings.Split(slow, ".")[0]}, ada, "correct-horse", false},
	}
	for _, tc := range tests {
		got, err := k.CheckPassword(ctx, tc.kept, tc.id, tc.pw)
		if err != nil || got != tc.want {
			t.Errorf("%s: %v, %v", tc.name, got, err)
		}
	}
}

func TestPasswordWaitsItsTurn(t *testing.T) {
	k := testKey(t)
	for range cap(k.argon) {
		k.argon <- struct{}{}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if ok, err := k.CheckPassword(ctx, directory.Kept{}, ada, "x"); ok || !errors.Is(err, context.Canceled) {
		t.Errorf("CheckPassword = %v, %v", ok, err)
	}
	if _, err := k.HashPassword(ctx, ada, "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("HashPassword: %v", err)
	}
}

func TestSeal(t *testing.T) {
	k := testKey(t)
	rapid.Check(t, func(t *rapid.T) {
		where := rapid.String().Draw(t, "context")
		s := directory.Secret(rapid.SliceOfN(rapid.Byte(), 0, directory.MaxText).Draw(t, "secret"))
		a, err := k.Seal(where, s)
		if err != nil {
			t.Fatal(err)
		}
		if is, whole := directory.AtRest(a); !is || !whole {
			t.Errorf("sealed as %q", a)
		}
		if b, _ := k.Seal(where, s); a == b {
			t.Error("sealed twice alike")
		}
		if got, err := k.Open(where, a); err != nil || got != s {
			t.Errorf("Open: %v", err)
		}
		if _, err := k.Open(where+"x", a); err == nil {
			t.Error("opened in another place")
		}
	})
	if _, err := k.Seal("x", directory.Secret(strings.Repeat("s", directory.MaxText+1))); err == nil {
		t.Error("sealed a secret without bound")
	}
}

func TestOpenRefuses(t *testing.T) {
	k := testKey(t)
	good, err := k.Seal("here", "secret")
	if err != nil {
		t.Fatal(err)
	}
	flipped := []byte(good)
	flipped[len(flipped)-6] ^= 1
	foreign, err := keyOf(t, 8).Seal("here", "secret")
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "sealed:", "sealed:AAAA", "sealed:!!!", strings.TrimPrefix(good, "sealed:"), string(flipped), good + "\n", foreign} {
		if s, err := k.Open("here", bad); err == nil || s != "" {
			t.Errorf("Open(%q) = %q, %v", bad, s, err)
		}
	}
}

func TestOrigin(t *testing.T) {
	k := testKey(t)
	first, again := k.Origin("a", "4321"), testKey(t).Origin("a", "4321")
	if first != again {
		t.Error("equal values, two origins")
	}
	seen := map[string]bool{first: true}
	for _, o := range []string{k.Origin("a", "4322"), k.Origin("b", "4321"), k.Origin("a4", "321"), keyOf(t, 8).Origin("a", "4321"), k.Hash("a", "4321")} {
		if seen[o] {
			t.Error("two values, one origin")
		}
		seen[o] = true
	}
}

func FuzzOpen(f *testing.F) {
	k := testKey(f)
	good, err := k.Seal("here", "secret")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add("sealed:")
	f.Add("argon2id:AAAA.BBBB")
	f.Fuzz(func(t *testing.T, text string) {
		if s, err := k.Open("here", text); err == nil && s != "secret" {
			t.Errorf("forged %q", text)
		}
		parseSlow(text)
		k.CheckPIN(directory.Kept{Value: text}, ada, "1")
	})
}

func BenchmarkCheckPIN(b *testing.B) {
	k := testKey(b)
	kept := directory.Kept{Value: k.PIN(ada, "4321")}
	b.ReportAllocs()
	for b.Loop() {
		k.CheckPIN(kept, ada, "4321")
	}
}
