package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Linux counts processor time in hundredths of a second, on every platform
// that Go runs on.
const tick = 10 * time.Millisecond

// cpuOf is the processor time that a process has used.
func cpuOf(pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11]) // proc(5): utime and stime
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * tick
}

// cpuOfSelf is the processor time of this process.
func cpuOfSelf() time.Duration { return cpuOf(os.Getpid()) }

// memory is what a process holds, and held at most, in MiB.
type memory struct{ now, peak float64 }

func memoryOf(pid int) memory {
	var m memory
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)) // gone: zero
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		kib, _ := strconv.ParseFloat(firstField(value), 64)
		switch name {
		case "VmRSS":
			m.now = kib / 1024
		case "VmHWM":
			m.peak = kib / 1024
		}
	}
	return m
}

// childrenOf lists the processes that a process started.
func childrenOf(pid int) []int {
	var all []int
	tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	for _, t := range tasks {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, t.Name()))
		for word := range strings.FieldsSeq(string(text)) {
			if n, err := strconv.Atoi(word); err == nil {
				all = append(all, n)
			}
		}
	}
	return all
}
