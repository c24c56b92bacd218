package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// times is a list of durations, filled from any goroutine.
type times struct {
	mu  sync.Mutex
	all []time.Duration
}

func (t *times) add(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = append(t.all, d)
}

func (t *times) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.all)
}

// at gives the value below which a share of all is; zero when there are none.
func (t *times) at(share float64) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.all) == 0 {
		return 0
	}
	slices.Sort(t.all)
	return t.all[min(int(share*float64(len(t.all))), len(t.all)-1)]
}

// row is the list as one line of a table.
func (t *times) row() string {
	return fmt.Sprintf("p50 %8s   p95 %8s   p99 %8s   max %8s   (%d)",
		short(t.at(0.5)), short(t.at(0.95)), short(t.at(0.99)), short(t.at(1)), t.count())
}

// short is a duration with three digits at most.
func short(d time.Duration) string {
	for _, unit := range []time.Duration{time.Second, time.Millisecond, time.Microsecond} {
		if d >= unit {
			return d.Round(max(unit/100, 1)).String()
		}
	}
	return d.String()
}

// median of a list that may be empty.
func median(all []float64) float64 {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

// machine says where a figure comes from.
func machine() string {
	model := "unknown processor"
	text, _ := os.ReadFile("/proc/cpuinfo") // absent elsewhere
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			model = strings.TrimSpace(value)
			break
		}
	}
	load, _ := os.ReadFile("/proc/loadavg")
	head, _ := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	return fmt.Sprintf("%s, %d x %s, %s %s, commit %s, load before: %s", time.Now().UTC().Format(time.DateOnly), runtime.NumCPU(), model,
		runtime.GOOS, runtime.Version(), strings.TrimSpace(string(head)), firstField(string(load)))
}

func firstField(s string) string {
	word, _, _ := strings.Cut(strings.TrimSpace(s), " ")
	return word
}
