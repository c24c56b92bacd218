// Package history says what a phone's configuration was at any time: which file
// was served when, and what stood in it. It knows no HTTP and no store. Bodies
// are named by their content and kept once however often they were served; their
// secrets are masked before they are kept, so that nobody who reads the store or
// a copy of it gets into an account. What was served to the last byte is told by
// its digest.
package history

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"perch/hotdesk/directory"
)

// Entry is one file that a phone was served, from At until the next entry of the
// same file.
type Entry struct {
	At     int64  `json:"at"` // Unix ms
	File   string `json:"file"`
	Digest string `json:"digest"`           // SHA-256 of what was served, in hex
	Body   string `json:"body"`             // SHA-256 of the same with its secrets masked
	Number string `json:"number,omitempty"` // whose account it carries; empty: the device's own
	Node   string `json:"node,omitempty"`
}

// Time is At as a time.
func (e Entry) Time() time.Time { return time.UnixMilli(e.At) }

// Served is a file as it goes into the history.
type Served struct {
	Device directory.DeviceID
	At     time.Time
	File   string
	Digest string
	Number string
	Masked []byte // the file with its secrets masked
}

// Name is the name of a body.
func Name(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// At gives what a phone ran at a time: of each file the newest entry that is not
// younger, the newest first.
func At(entries []Entry, t time.Time) []Entry {
	var out []Entry
	seen := map[string]bool{}
	for _, e := range newestFirst(entries) {
		if e.At <= t.UnixMilli() && !seen[e.File] {
			seen[e.File] = true
			out = append(out, e)
		}
	}
	return out
}

// minPrefix is how much of a digest names an entry at least.
const minPrefix = 6

// Find gives the newest entry whose digest, of the file or of the masked body,
// begins so.
func Find(entries []Entry, digest string) (Entry, bool) {
	digest = strings.ToLower(digest)
	if len(digest) < minPrefix {
		return Entry{}, false
	}
	for _, e := range newestFirst(entries) {
		if strings.HasPrefix(e.Digest, digest) || strings.HasPrefix(e.Body, digest) {
			return e, true
		}
	}
	return Entry{}, false
}

func newestFirst(entries []Entry) []Entry {
	out := slices.Clone(entries)
	slices.SortStableFunc(out, func(a, b Entry) int { return int(max(-1, min(1, b.At-a.At))) })
	return out
}
