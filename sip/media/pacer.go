package media

import (
	"sync"
	"time"
)

const (
	// beat is the step of the pacer's clock. Sessions that begin at different
	// beats send at different ones, so that calls do not come in bursts.
	beat = 5 * time.Millisecond
	// beats is the size of the wheel: more than the longest packet time.
	beats = 16
	// tooLate is a delay that is not made up for by a burst: the machine slept.
	tooLate = 200 * time.Millisecond
)

// Pacer sends the packets of all sessions from one goroutine, which runs while
// there is a session and is asleep but for a moment of each beat. Beats are
// counted from a fixed start: a late one delays a packet and none that follow.
type Pacer struct {
	mu      sync.Mutex
	wheel   [beats][]*Session // by the beat at which they are due
	now     int               // the beat in hand
	members int
	running bool
	loop    sync.WaitGroup
	late    time.Duration // the latest beat so far
}

// NewPacer makes one. It needs no end but Wait.
func NewPacer() *Pacer { return &Pacer{} }

// Wait blocks until the last session has left, after its Close.
func (p *Pacer) Wait() { p.loop.Wait() }

// Latest is the longest that a beat has been late since the start.
func (p *Pacer) Latest() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.late
}

// join has a session sent from the next beat on, until its frame says no more.
func (p *Pacer) join(s *Session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.members++
	p.at(p.now+1, s)
	if !p.running {
		p.running = true
		p.loop.Go(p.run)
	}
}

// at notes when a session is due. p.mu is held.
func (p *Pacer) at(beat int, s *Session) { p.wheel[beat%beats] = append(p.wheel[beat%beats], s) }

func (p *Pacer) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	next := time.Now()
	var due []*Session
	for {
		timer.Reset(time.Until(next))
		<-timer.C
		late := time.Since(next)
		if next = next.Add(beat); late > tooLate {
			next = next.Add(late)
		}
		var more bool
		if due, more = p.turn(due[:0], late); !more {
			return
		}
		for _, s := range due {
			p.again(s, s.frame())
		}
	}
}

// turn goes on by a beat and gives who is due; more is false when nobody is
// left.
func (p *Pacer) turn(due []*Session, late time.Duration) (_ []*Session, more bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.members == 0 {
		p.running = false
		return nil, false
	}
	p.now++
	p.late = max(p.late, late)
	slot := &p.wheel[p.now%beats]
	due = append(due, *slot...)
	clear(*slot)
	*slot = (*slot)[:0]
	return due, true
}

// again notes when a session's next packet is due, or that it has left.
func (p *Pacer) again(s *Session, after time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if after == 0 {
		p.members--
		return
	}
	p.at(p.now+int(after/beat), s)
}
