package history

import (
	"testing"
	"time"
)

func TestAt(t *testing.T) {
	day := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	at := func(minute int) int64 { return day.Add(time.Duration(minute) * time.Minute).UnixMilli() }
	all := []Entry{
		{At: at(0), File: "a.cfg", Digest: "aaaaaa1"},
		{At: at(3), File: "b.xml", Digest: "bbbbbb1"},
		{At: at(5), File: "a.cfg", Digest: "aaaaaa2", Body: "cccccc2"},
		{At: at(9), File: "a.cfg", Digest: "aaaaaa1"},
	}
	for minute, want := range map[int]string{-1: "", 0: "aaaaaa1", 4: "bbbbbb1 aaaaaa1", 5: "aaaaaa2 bbbbbb1", 8: "aaaaaa2 bbbbbb1", 60: "aaaaaa1 bbbbbb1"} {
		got := ""
		for _, e := range At(all, day.Add(time.Duration(minute)*time.Minute)) {
			if got != "" {
				got += " "
			}
			got += e.Digest
		}
		if got != want {
			t.Errorf("10:%02d: %q, want %q", minute, got, want)
		}
	}
	for digest, want := range map[string]int64{"aaaaaa1": at(9), "AAAAAA2": at(5), "cccccc": at(5), "aaaaa": 0, "": 0, "zzzzzz": 0} {
		e, ok := Find(all, digest)
		if ok != (want != 0) || e.At != want {
			t.Errorf("%q: %+v %v", digest, e, ok)
		}
	}
}
