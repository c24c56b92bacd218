package media

import (
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"
)

// Session is the RTP of one call: it plays sounds to the peer and reads what
// the peer sends, which keeps the socket empty and finds the peer behind a NAT.
type Session struct {
	sock    *Socket
	ssrc    uint32
	began   time.Time
	baseTS  uint32
	playing sync.Mutex // one sound at a time; guards seq
	seq     uint16
	closed  chan struct{}
	close   sync.Once
	reader  sync.WaitGroup

	trusted []netip.Addr

	mu     sync.Mutex
	stream Stream
	remote netip.AddrPort // where packets go now
	latch  latch
}

// Start begins a session on a socket, which it then owns. trusted are further
// addresses the peer's packets may be expected from besides the one in its
// description: that of its SIP messages, when a NAT stands between. Close ends
// it.
func Start(sock *Socket, st Stream, trusted ...netip.Addr) *Session {
	s := &Session{
		sock: sock, ssrc: rand.Uint32(), seq: uint16(rand.Uint32()), baseTS: rand.Uint32(),
		began: time.Now(), closed: make(chan struct{}),
	}
	for _, a := range trusted {
		s.trusted = append(s.trusted, a.Unmap())
	}
	s.Update(st)
	s.reader.Go(s.read)
	return s
}

// Update takes what a later offer and answer agreed on (RFC 3264 section 8):
// hold, another address, another codec. A sound that is playing goes on with it.
func (s *Session) Update(st Stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st.Remote != s.stream.Remote || s.latch == nobody {
		s.remote, s.latch = st.Remote, nobody
	}
	s.stream = st
}

// Close ends the session, stops a sound that is playing and gives the port
// back. It waits for the reader and is safe to call twice.
func (s *Session) Close() error {
	var err error
	s.close.Do(func() {
		close(s.closed)
		err = s.sock.Close()
	})
	s.reader.Wait()
	return err
}
