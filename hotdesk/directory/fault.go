package directory

import (
	"cmp"
	"fmt"
	"slices"
)

// Fault is something wrong, or as a warning something doubtful, in a directory
// file. Its message says what to do and never holds a secret.
type Fault struct {
	File    string `json:"file"`
	Line    int    `json:"line"` // 0: the file as a whole
	Key     string `json:"key"`  // path: tenants[0].extensions[3].pin
	Message string `json:"message"`
}

// String gives "file:line: key: message", the form editors can jump to.
func (f Fault) String() string {
	at := f.File
	if f.Line > 0 {
		at = fmt.Sprintf("%s:%d", at, f.Line)
	}
	if f.Key != "" {
		at += ": " + f.Key
	}
	return at + ": " + f.Message
}

// maxFaults bounds a report: whoever has more wrong than this has one thing
// wrong many times.
const maxFaults = 1000

// report collects faults up to its bound and counts the rest.
type report struct {
	file string
	list []Fault
	more int
}

func (r *report) add(line int, key, format string, args ...any) {
	if len(r.list) >= maxFaults {
		r.more++
		return
	}
	r.list = append(r.list, Fault{File: r.file, Line: line, Key: key, Message: fmt.Sprintf(format, args...)})
}

// full is the report in the order of the file, with a last entry for what did
// not fit.
func (r *report) full() []Fault {
	slices.SortStableFunc(r.list, func(a, b Fault) int { return cmp.Compare(a.Line, b.Line) })
	if r.more == 0 {
		return r.list
	}
	return append(r.list, Fault{File: r.file, Message: fmt.Sprintf("and %d more of the kind", r.more)})
}
