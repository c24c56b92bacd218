package media

import (
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Session is the RTP of one call. From its start to its end it reads what the
// peer sends, for the keys in it; from Speak on it sends a packet every packet
// time, of the sound that is playing or of silence.
type Session struct {
	sock   *Socket
	keys   *Keypad
	now    func() time.Time
	closed chan struct{}
	close  sync.Once
	speak  sync.Once
	pacer  *Pacer
	reader sync.WaitGroup

	trusted []netip.Addr // where the peer's packets may come from besides

	playing sync.Mutex // one sound at a time

	out outgoing // of the pacer's goroutine alone
	in  incoming // of the reader's goroutine alone

	mu      sync.Mutex
	stream  Stream
	source  source
	sound   *playback // nil: silence
	counts  Counts
	reports reports
	begun   time.Time
}

// Counts tells what a session received and did not use.
type Counts struct {
	Packets   int // that were of the call
	Strangers int // from an address that is not the peer's
	Unknown   int // of a payload type that was not agreed on
	Malformed int // no RTP
	Sent      int
}

// Options are what a session is started with. Pacer and Keys are required.
type Options struct {
	Pacer *Pacer
	Keys  *Keypad
	// Trusted are addresses the peer's packets may come from besides the one in
	// its description: that of its SIP messages, when a NAT stands between.
	Trusted []netip.Addr
	Now     func() time.Time // nil: time.Now
}

// Start begins a session on a socket, which it then owns. Close ends it.
func Start(sock *Socket, st Stream, o Options) *Session {
	s := &Session{sock: sock, pacer: o.Pacer, keys: o.Keys, now: o.Now, closed: make(chan struct{})}
	if s.now == nil {
		s.now = time.Now
	}
	for _, a := range o.Trusted {
		s.trusted = append(s.trusted, a.Unmap())
	}
	s.out = outgoing{ssrc: rand.Uint32(), seq: uint16(rand.Uint32()), stamp: rand.Uint32(), marker: true}
	s.begun, s.reports = s.now(), newReports()
	s.Update(st)
	s.reader.Go(s.read)
	return s
}

// Speak begins to send; Play waits for it.
func (s *Session) Speak() { s.speak.Do(func() { s.pacer.join(s) }) }

// Update takes what a later offer and answer agreed on (RFC 3264 section 8):
// hold, another address, another codec. A sound that is playing goes on with it.
func (s *Session) Update(st Stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stream.HasEvents && !st.HasEvents {
		s.keys.without(ByRTP)
	}
	if st.Remote != s.stream.Remote {
		s.source = source{}
	}
	s.stream = st
}

// Play sends a sound and returns when its last packet has had its time, with
// ctx's error when ctx ends before, or with net.ErrClosed after Close. While the
// peer is on hold, or its address is not known yet, the time passes and nothing
// is sent. A second sound waits for the first.
func (s *Session) Play(ctx context.Context, sound Sound) error {
	s.playing.Lock()
	defer s.playing.Unlock()
	p := &playback{sound: sound, done: make(chan struct{})}
	s.play(p)
	defer s.play(nil)
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-s.closed:
		return net.ErrClosed
	}
}

func (s *Session) play(p *playback) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sound = p
}

// Counts tells what has come so far.
func (s *Session) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts
}

// Close ends the session, says so to the peer (RFC 3550 section 6.3.7), stops a
// sound that is playing and gives the port back. It waits for the reader and is safe to call twice.
func (s *Session) Close() error {
	var err error
	s.close.Do(func() {
		s.report(true)
		close(s.closed)
		err = s.sock.Close()
	})
	s.reader.Wait()
	return err
}
