package feature

import (
	"context"
	"time"

	"perch/sip/media"
)

// Patience is how long a conversation waits for a person. Zero values are the
// defaults.
type Patience struct {
	First time.Duration // for the first key after a question; 8 s
	Next  time.Duration // after a key, until what was typed counts as whole; 4 s
	Whole time.Duration // for the whole call; 3 min
}

func (p Patience) orDefault() Patience {
	set := func(d *time.Duration, otherwise time.Duration) {
		if *d <= 0 {
			*d = otherwise
		}
	}
	set(&p.First, 8*time.Second)
	set(&p.Next, 4*time.Second)
	set(&p.Whole, 3*time.Minute)
	return p
}

// entry is one question and what is typed to it.
//
// The question stops at the first key, and is not even begun when keys were
// typed ahead. The entry ends with #, or a while after its last key: never by its
// length, which a person who listens could learn. * takes back what was typed;
// with nothing typed it has the question asked again.
type entry struct {
	keys  <-chan media.Key
	play  func(context.Context, media.Sound)
	wait  Patience
	typed []byte
	long  bool // more was typed than anything could be
}

// ask asks and reads. ok is false when the call has ended; what is typed is
// empty when nothing came in time.
func (e *entry) ask(ctx context.Context, question media.Sound) (ok bool) {
	for {
		again, ok := e.round(ctx, question)
		if !again {
			return ok
		}
	}
}

// round is the question once. again says that it was wished for.
func (e *entry) round(ctx context.Context, question media.Sound) (again, ok bool) {
	asked, hush := e.begin(ctx, question)
	defer func() {
		hush()
		<-asked
	}()
	speaking := asked
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-speaking:
			speaking = nil
			if len(e.typed) == 0 {
				timer.Reset(e.wait.First)
			}
		case k := <-e.keys:
			hush()
			switch {
			case k == '#':
				return false, true
			case k == '*' && len(e.typed) == 0:
				return true, true
			case k == '*':
				e.typed, e.long = e.typed[:0], false
				timer.Reset(e.wait.First)
			default:
				e.add(k)
				timer.Reset(e.wait.Next)
			}
		case <-timer.C:
			return false, true
		case <-ctx.Done():
			return false, false
		}
	}
}

// begin speaks the question, unless an answer is there already; asked closes
// when it has been spoken or hushed.
func (e *entry) begin(ctx context.Context, question media.Sound) (asked chan struct{}, hush context.CancelFunc) {
	asked = make(chan struct{})
	ctx, hush = context.WithCancel(ctx)
	if len(e.keys) > 0 {
		hush()
		close(asked)
		return asked, hush
	}
	go func() {
		defer close(asked)
		e.play(ctx, question)
	}()
	return asked, hush
}

func (e *entry) add(k media.Key) {
	if k.Byte() < '0' || k.Byte() > '9' {
		return // A to D are on no phone's keypad
	}
	if len(e.typed) >= maxDigits {
		e.long = true
		return
	}
	e.typed = append(e.typed, k.Byte())
}
