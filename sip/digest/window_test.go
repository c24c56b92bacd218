package digest

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func testNonces(now *time.Time) *Nonces {
	return NewNonces([]byte("k"), "n", "b", time.Hour, func() time.Time { return *now })
}

func TestWindowCounts(t *testing.T) {
	now := epoch
	w := NewWindow(10)
	a := testNonces(&now).Issue()
	for i, step := range []struct {
		nc   uint32
		want bool
	}{
		{5, true},
		{5, false},
		{1, true},
		{0, true},
		{0, false},
		{64, true},
		{1, false},
		{0, false}, // 64 behind
		{2, true},
		{65, true},
		{1, false},
		{4000, true},
		{3999, true},
		{3936, false},
		{3937, true},
		{1<<32 - 1, true},
		{1<<32 - 1, false},
		{4001, false},
	} {
		if got := w.Use(a, step.nc); got != step.want {
			t.Errorf("step %d: Use(%d) = %t", i, step.nc, got)
		}
	}
	if w.Use("not a nonce", 1) {
		t.Error("a text that is no nonce was used")
	}
}

// A count is accepted at most once whatever the order, and always accepted when
// it is new and within reach of the highest.
func TestWindowModel(t *testing.T) {
	now := epoch
	nonces := testNonces(&now)
	rapid.Check(t, func(t *rapid.T) {
		w, nonce := NewWindow(1), nonces.Issue()
		seen, highest := map[uint32]bool{}, int64(-1)
		for _, nc := range rapid.SliceOf(rapid.Uint32Range(0, 200)).Draw(t, "counts") {
			want := !seen[nc] && int64(nc) > highest-Counts
			if got := w.Use(nonce, nc); got != want {
				t.Fatalf("Use(%d) = %t with highest %d", nc, got, highest)
			}
			seen[nc], highest = true, max(highest, int64(nc))
		}
	})
}

func TestWindowForgetsSafely(t *testing.T) {
	now := epoch
	n := testNonces(&now)
	w := NewWindow(2)
	issue := func() string { now = now.Add(time.Second); return n.Issue() }
	a, unused, b, c := issue(), issue(), issue(), issue()
	for _, nonce := range []string{b, a, c} { // b goes: it was used least recently
		if !w.Use(nonce, 1) {
			t.Fatal("a first use was refused")
		}
	}
	if w.Len() != 2 {
		t.Errorf("%d nonces kept, want 2", w.Len())
	}
	if w.Use(b, 1) || w.Use(b, 2) {
		t.Error("a forgotten nonce was usable again")
	}
	if w.Use(unused, 1) {
		t.Error("a nonce older than a forgotten one was usable")
	}
	if !w.Use(a, 2) || w.Use(a, 2) {
		t.Error("a nonce still remembered lost its counts")
	}
	if !w.Use(issue(), 1) {
		t.Error("a newer nonce was refused")
	}
}

func TestWindowIsUsedByManyAtOnce(t *testing.T) {
	now := epoch
	n := testNonces(&now)
	w := NewWindow(4)
	nonce := n.Issue()
	var accepted atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for nc := range uint32(60) {
				if w.Use(nonce, nc) {
					accepted.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if accepted.Load() != 60 {
		t.Errorf("%d uses of 60 counts accepted", accepted.Load())
	}
}
