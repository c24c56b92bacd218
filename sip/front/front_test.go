package front

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestScan(t *testing.T) {
	for _, tc := range []struct {
		name, in string
		want     Verdict
		offset   int
	}{
		{"request", "REGISTER sip:a SIP/2.0\r\nVia: x\r\n\r\n", Message, 0},
		{"response", "SIP/2.0 200 OK\r\n\r\n", Message, 0},
		{"response without phrase", "SIP/2.0 200 \r\n\r\n", Message, 0},
		{"version in lower case", "OPTIONS sip:a sip/2.0\r\n\r\n", Message, 0},
		{"line breaks first", "\r\n\r\nOPTIONS sip:a SIP/2.0\r\n\r\n", Message, 4},
		{"body with line feeds", "INVITE sip:a SIP/2.0\r\n\r\nv=0\no=x\n", Message, 0},
		{"nothing", "", KeepAlive, 0},
		{"ping", "\r\n\r\n", KeepAlive, 4},
		{"zeros", "\x00\x00", KeepAlive, 2},
		{"STUN", "\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl", STUN, 0},
		{"HTTP", "GET / HTTP/1.1\r\n\r\n", Junk, 0},
		{"no line break", "REGISTER sip:a SIP/2.0", Junk, 0},
		{"line feed only", "REGISTER sip:a SIP/2.0\n\n", Junk, 0},
		{"line feed in a header", "REGISTER sip:a SIP/2.0\r\nA: b\nC: d\r\n\r\n", Junk, 0},
		{"zero in a header", "REGISTER sip:a SIP/2.0\r\nA: b\x00\r\n\r\n", Junk, 0},
		{"two words", "REGISTER SIP/2.0\r\n\r\n", Junk, 0},
		{"method with a slash", "RE/GISTER sip:a SIP/2.0\r\n\r\n", Junk, 0},
		{"long method", strings.Repeat("A", 65) + " sip:a SIP/2.0\r\n\r\n", Junk, 0},
		{"status without digits", "SIP/2.0 2x0 OK\r\n\r\n", Junk, 0},
		{"too long", strings.Repeat("A", maxDatagram+1), TooLong, 0},
	} {
		if v, offset := Scan([]byte(tc.in)); v != tc.want || offset != tc.offset {
			t.Errorf("%s: %v at %d", tc.name, v, offset)
		}
	}
}

func FuzzScan(f *testing.F) {
	f.Add([]byte("REGISTER sip:a SIP/2.0\r\n\r\n"))
	f.Add([]byte("\r\nSIP/2.0 200 OK\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		in := bytes.Clone(b)
		v, offset := Scan(b)
		if !bytes.Equal(in, b) || offset > len(b) {
			t.Fatal("changed its input, or points beyond it")
		}
		if v == Message && !bytes.Contains(b[offset:], []byte("\r\n")) {
			t.Fatal("a message without a line")
		}
	})
}

func BenchmarkScan(b *testing.B) {
	msg := []byte("REGISTER sip:acme.test SIP/2.0\r\n" + strings.Repeat("Header: value of some length\r\n", 20) + "\r\n")
	b.ReportAllocs()
	for b.Loop() {
		if v, _ := Scan(msg); v != Message {
			b.Fatal(v)
		}
	}
}

func TestScanDoesNotAllocate(t *testing.T) {
	msg := []byte("\r\nREGISTER sip:acme.test SIP/2.0\r\nA: b\r\n\r\n")
	if n := testing.AllocsPerRun(100, func() { Scan(msg) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestReader: the stack sees messages only, and a retired reader hands over
// without a loss.
func TestReader(t *testing.T) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	crowded := false
	s := NewSocket(conn, nil, func() bool { return crowded })
	peer, err := net.Dial("udp4", conn.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	send := func(texts ...string) {
		for _, text := range texts {
			if _, err := peer.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
		}
	}
	const msg = "OPTIONS sip:a SIP/2.0\r\n\r\n"
	read := func(r *Reader) {
		t.Helper()
		buf := make([]byte, 32768)
		n, from, err := r.ReadFrom(buf)
		if err != nil || string(buf[:n]) != msg || from.String() != peer.LocalAddr().String() {
			t.Fatalf("%q from %v, %v", buf[:n], from, err)
		}
	}
	first := s.Reader()
	send("junk", "\r\n\r\n", "\r\n"+msg, msg)
	read(first)
	read(first)

	crowded, first.begun, first.count = true, time.Now().Add(-time.Hour), checkEvery-1
	ended := make(chan error, 1)
	go func() {
		_, _, err := first.ReadFrom(make([]byte, 100))
		ended <- err
	}()
	<-first.Retired()
	next := s.Reader()
	send(msg)
	read(next)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("the retired reader ended with %v", err)
	}
	if _, _, err := next.ReadFrom(make([]byte, 100)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error("second Close:", err)
	}
}

// flaky fails as a listener without file descriptors does.
type flaky struct {
	net.Listener
	fail int
}

func (l *flaky) Accept() (net.Conn, error) {
	if l.fail > 0 {
		l.fail--
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	return l.Listener.Accept()
}

func listen(t *testing.T, g *Gate, fail int) *Listener {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return NewListener(&flaky{l, fail}, g)
}

func dial(t *testing.T, l *Listener) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestListenerBounds(t *testing.T) {
	for _, tc := range []struct {
		name string
		gate *Gate
		free bool
	}{
		{"per address", NewGate(10, 1, nil, nil), false},
		{"total", NewGate(1, 10, nil, nil), false},
		{"trusted", NewGate(10, 1, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, nil), true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := listen(t, tc.gate, 2) // two errors that pass
			defer l.Close()
			dial(t, l)
			first, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			second := dial(t, l)
			got := make(chan net.Conn, 1)
			go func() {
				c, err := l.Accept()
				if err == nil {
					got <- c
				}
				close(got)
			}()
			if !tc.free {
				_ = second.SetReadDeadline(time.Now().Add(5 * time.Second))
				if _, err := second.Read(make([]byte, 1)); err == nil {
					t.Error("the second connection was let in")
				}
				_ = first.Close()
				_ = first.Close() // gives its place back once
				dial(t, l)
			}
			c := <-got
			if c == nil || c.(*Conn).ID() == first.(*Conn).ID() {
				t.Error("no connection, or one with another's name")
			}
		})
	}
}

func TestAnonymousConnectionsEnd(t *testing.T) {
	l := listen(t, NewGate(0, 0, nil, nil), 0)
	defer l.Close()
	dial(t, l)
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c := accepted.(*Conn)
	c.deadline = time.Now().Add(20 * time.Millisecond)
	_ = c.SetReadDeadline(time.Now().Add(time.Hour)) // what the stack sets
	if _, err := c.Read(make([]byte, 1)); !isTimeout(err) {
		t.Errorf("a silent connection got %v", err)
	}
	c.Admit()
	_ = c.SetReadDeadline(time.Now().Add(30 * time.Millisecond))
	begun := time.Now()
	if _, err := c.Read(make([]byte, 1)); !isTimeout(err) || time.Since(begun) < 20*time.Millisecond {
		t.Errorf("an admitted connection got %v after %v", err, time.Since(begun))
	}
}

func isTimeout(err error) bool {
	ne, ok := errors.AsType[net.Error](err)
	return ok && ne.Timeout()
}

// TestClosedIsTold: whoever used a connection learns that it closed, once;
// strangers' connections are nobody's news.
func TestClosedIsTold(t *testing.T) {
	g := NewGate(2, 0, nil, nil)
	l := listen(t, g, 0)
	defer l.Close()
	for _, admitted := range []bool{false, true} {
		peer := dial(t, l)
		accepted, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		c := accepted.(*Conn)
		if !c.Heard().IsZero() {
			t.Error("heard before it spoke")
		}
		if _, err := peer.Write([]byte("\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 9)); err != nil || time.Since(c.Heard()) > time.Minute {
			t.Error(err, c.Heard())
		}
		if admitted {
			c.Admit()
		}
		_ = c.Close()
		_ = c.Close()
		select {
		case id := <-g.Closed():
			if !admitted || id != c.ID() {
				t.Errorf("told of %q, admitted %v", id, admitted)
			}
		default:
			if admitted {
				t.Error("not told")
			}
		}
	}
	if len(g.Closed()) > 0 {
		t.Error("told twice")
	}
}
