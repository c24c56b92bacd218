package ratelimit

import "time"

// Rate is what a bucket allows: Burst at once, PerSecond in the long run.
type Rate struct{ PerSecond, Burst float64 }

// Bucket is a token bucket; the zero value is full. It is not safe for use by
// several goroutines.
type Bucket struct {
	used float64 // tokens taken and not yet given back by time
	at   int64   // Unix ns of the last take
}

// Take takes n tokens if they are there.
func (b *Bucket) Take(n float64, r Rate, now time.Time) bool {
	b.refill(r, now)
	if b.used+n > r.Burst {
		return false
	}
	b.used += n
	return true
}

// Wait takes n tokens, there or not, and tells for how long the taker must
// pause to keep to the rate.
func (b *Bucket) Wait(n float64, r Rate, now time.Time) time.Duration {
	b.refill(r, now)
	b.used += n
	if over := b.used - r.Burst; over > 0 {
		return time.Duration(over / r.PerSecond * float64(time.Second))
	}
	return 0
}

func (b *Bucket) refill(r Rate, now time.Time) {
	at := now.UnixNano()
	if past := at - b.at; past > 0 {
		b.used = max(0, b.used-float64(past)/float64(time.Second)*r.PerSecond)
		b.at = at
	}
}
