package siptrace

import (
	"bytes"
	"strconv"
	"strings"
)

// maxPending bounds what a Stream holds of a message that is not whole yet.
const maxPending = 70_000

// Stream finds the messages in what is read from one connection (RFC 3261
// section 18.3). It is for looking on only: what it does not understand it
// forgets, and begins anew at the next first line. The zero value is ready.
type Stream struct {
	pending []byte
	need    int // bytes below which pending is not whole
}

// Feed gives each message that b completes to f, which may keep nothing of it.
func (s *Stream) Feed(b []byte, f func(msg []byte)) {
	s.pending = append(s.pending, b...)
	for len(s.pending) >= s.need {
		s.pending, s.need = bytes.TrimLeft(s.pending, "\r\n"), 0
		n, ok := whole(s.pending)
		if !ok {
			s.pending = nil
			return
		}
		if n == 0 || n > len(s.pending) {
			s.need = n
			break
		}
		f(s.pending[:n])
		s.pending = s.pending[n:]
	}
	if len(s.pending) == 0 || len(s.pending) > maxPending {
		s.pending, s.need = nil, 0
	}
}

// whole gives the length of the message that b begins with, 0 while that is
// not known; it is not ok when b begins none.
func whole(b []byte) (n int, ok bool) {
	line, _, complete := bytes.Cut(b, crlf)
	if complete && !IsFirstLine(line) {
		return 0, false
	}
	i := bytes.Index(b, endOfHead)
	if i < 0 {
		return 0, true
	}
	length := 0
	for line := range strings.SplitSeq(string(b[:i]), "\r\n") {
		if name, value := field(line); name == "content-length" || name == "l" {
			v, err := strconv.Atoi(value)
			if err != nil || v < 0 || v > maxPending {
				return 0, false
			}
			length = v
		}
	}
	return i + len(endOfHead) + length, true
}

// IsFirstLine tells whether a line begins a SIP message, roughly.
func IsFirstLine(line []byte) bool {
	return bytes.HasPrefix(line, []byte("SIP/")) || bytes.Contains(line, []byte(" SIP/"))
}
