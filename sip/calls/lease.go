package calls

import "time"

// How long a call lives of which nothing is heard. A call without session
// timers (RFC 4028) is silent for as long as people talk, so that it is asked
// for by a probe before it is ended.
const (
	setUp     = 4 * time.Minute  // longer than timer C (RFC 3261 section 16.6)
	talking   = 15 * time.Minute // between probes
	minTimer  = 90 * time.Second // RFC 4028 section 4
	timerSlop = 40 * time.Second // a refresh that is late, and its retransmissions
	// suspected is after how long a call is asked for that may be gone: its
	// phone has started anew or its connection was lost.
	suspected = 3 * time.Second
	// Probing is how long one node has a call to itself to ask its phones.
	Probing = 45 * time.Second
	// Remembered is how long an ended call is kept: for its trace, and so that
	// nothing late brings it back.
	Remembered = 15 * time.Minute
)

// span is the lease of the call as it is now.
func (c *Call) span() int64 {
	switch {
	case c.Answered == 0:
		return setUp.Milliseconds()
	case c.Session > 0:
		return (max(time.Duration(c.Session)*time.Second, minTimer) + timerSlop).Milliseconds()
	}
	return talking.Milliseconds()
}

// prolong gives the call its lease anew; false when that would hardly change
// it, so that a busy dialog is not written for each of its requests.
func (c *Call) prolong(at int64) bool {
	span := c.span()
	if by := at + span - c.Lease; by > -span && by < span/8 {
		return false
	}
	c.Lease = at + span
	return true
}

// Due is when the call is to be looked at: when its lease is over, or, where
// its phones can be asked, early enough to ask them.
func (c *Call) Due() int64 {
	if c.Answered == 0 || c.CallID == "" {
		return c.Lease
	}
	return c.Lease - Probing.Milliseconds()
}
