package phoneapp

import (
	"bytes"
	"net/url"
	"strings"
	"testing"
	"time"

	"perch/hotdesk/directory"
)

var someDevice = directory.DeviceID{Tenant: "acme", MAC: directory.MAC{0, 0x15, 0x65, 0xaa, 0xbb, 1}}

func FuzzTarget(f *testing.F) {
	for _, s := range []string{
		"/app/token/001565aabb01/", "/app/token/001565aabb01/login/1a-ABCDEFGHIJ/1001?ext=1&pin=2", "/app/../001565aabb01/x",
		"/app/t/001565aabb01/wait/%2e%2e/%00", "//app//001565aabb01", "/app/t/001565aabb01/a/b/c/d?%zz&;",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := url.ParseRequestURI(text)
		if err != nil {
			return
		}
		got, ok := parseTarget(u)
		if !ok {
			return
		}
		if got.token == "" || len(got.token) > maxToken || got.mac.IsZero() && !strings.Contains(u.Path, "000000000000") || len(got.args) > 2 {
			t.Errorf("%q: %+v", text, got)
		}
		if strings.ContainsFunc(got.action+got.arg(0)+got.arg(1), foreign) {
			t.Errorf("%q let a foreign character in", text)
		}
	})
}

func FuzzSeal(f *testing.F) {
	s, err := newSeals(bytes.Repeat([]byte{1}, 32))
	if err != nil {
		f.Fatal(err)
	}
	now := time.Unix(1_800_000_000, 0)
	word := s.seal(someDevice, takeover{Number: "1001", PIN: "4321", Until: now.Unix() + 60})
	for _, seed := range []string{word, word[1:], "", "AAAA", strings.Repeat("A", 400), "%"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if got, ok := s.open(someDevice, text, now); ok && got.Number != "1001" {
			t.Errorf("%q opened to %+v", text, got)
		}
		if _, ok := s.open(someDevice, text, now.Add(time.Hour)); ok {
			t.Errorf("%q opened too late", text)
		}
		other := someDevice
		other.MAC[5] = 9
		if _, ok := s.open(other, text, now); ok {
			t.Errorf("%q opened for another device", text)
		}
	})
}

func FuzzStamp(f *testing.F) {
	now := time.Unix(1_800_000_000, 0)
	for _, seed := range []string{stamp(now), "", "-", "zzzzzzzzzzzzzzzz-ABCDEFGHIJ", "-1-ABCDEFGHIJ", "1-ABCDEFGHIJ"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if fresh(text, now) && fresh(text, now.Add(2*good)) {
			t.Errorf("%q never ages", text)
		}
	})
}
