package front

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"perch/internal/ratelimit"
)

// pipe is one end of a connection in memory with an address.
type pipe struct {
	net.Conn
	from string
}

func (p pipe) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(p.from)) }

// streamed gives a stream and the phone's end of it.
func streamed(t *testing.T, d *Door) (*Stream, net.Conn) {
	t.Helper()
	a, b := net.Pipe()
	t.Cleanup(func() { _ = a.Close(); _ = b.Close() })
	return newStream(pipe{a, "192.0.2.1:1000"}, d), b
}

const (
	short = "OPTIONS sip:a SIP/2.0\r\nl: 0\r\n\r\n"
	long  = "MESSAGE sip:a SIP/2.0\r\nContent-Length: 10\r\n\r\n012345\r\n\r\n"
	full  = "OPTIONS sip:a SIP/2.0\r\nv: SIP/2.0/TCP p\r\nf: <sip:a>;tag=1\r\nt: <sip:a>\r\ni: 1\r\nCSeq: 1 OPTIONS\r\n"
)

// TestStream: however the bytes arrive, the reader gets whole messages, and
// the phone its pongs.
func TestStream(t *testing.T) {
	text := "\r\n\r\n" + short + "\r\n" + long + long + "\r\n\r\n\x00" + short
	want := short + long + long + short
	for _, piece := range []int{1, 2, 3, 7, 40, len(text)} {
		for _, room := range []int{5, 33, 32768} {
			t.Run(fmt.Sprint(piece, " ", room), func(t *testing.T) {
				s, phone := streamed(t, NewDoor(DoorOptions{}))
				pongs := make(chan int, 1)
				go func() {
					answers, _ := io.ReadAll(phone)
					pongs <- bytes.Count(answers, []byte("\r\n"))
				}()
				go func() {
					for rest := []byte(text); len(rest) > 0; {
						n, err := phone.Write(rest[:min(piece, len(rest))])
						if err != nil {
							return
						}
						rest = rest[n:]
					}
				}()
				var got []byte
				for b := make([]byte, room); len(got) < len(want); {
					n, err := s.Read(b)
					if err != nil {
						t.Fatalf("%v after %q", err, got)
					}
					if got = append(got, b[:n]...); room > len(text) && !strings.HasSuffix(string(got), "\r\n\r\n") {
						t.Fatalf("half a message: %q", b[:n])
					}
				}
				if string(got) != want {
					t.Errorf("%q", got)
				}
				_ = s.Close()
				if n := <-pongs; n < 1 || n > 2 || piece < 40 && n != 2 {
					t.Errorf("%d pongs", n)
				}
				if s.door.space.total != 0 {
					t.Errorf("%d bytes are still claimed", s.door.space.total)
				}
			})
		}
	}
}

// TestStreamEnds: what has no end, or none that can be told, ends the
// connection, with an answer where there is a request to answer.
func TestStreamEnds(t *testing.T) {
	for _, tc := range []struct {
		name, in, answer string
	}{
		{"TLS", "\x16\x03\x01\x02\x00\x01", ""},
		{"HTTP", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", ""},
		{"binary", "\xff\xfe\xfd", ""},
		{"long word", strings.Repeat("A", 70), ""},
		{"line feeds", "OPTIONS sip:a SIP/2.0\n\n", ""},
		{"line feed in a field", "OPTIONS sip:a SIP/2.0\r\nA: b\nl: 0\r\n\r\n", ""},
		{"carriage return in a field", "OPTIONS sip:a SIP/2.0\r\nA: b\rl: 0\r\n\r\n", ""},
		{"head without end", "OPTIONS sip:a SIP/2.0\r\n" + strings.Repeat("A: b\r\n", 4000), ""},
		{"no length", full + "\r\n", "400 Missing Content-Length"},
		{"negative length", full + "l: -1\r\n\r\n", "400 Bad Content-Length"},
		{"two lengths", full + "l: 1\r\nl: 2\r\n\r\n", "400 Bad Content-Length"},
		{"more than fits", full + "l: 99999\r\n\r\n", "513 Message Too Large"},
		{"header flood", full + strings.Repeat("A: b\r\n", 200) + "l: 0\r\n\r\n", "400 Too Many Header Fields"},
		{"broken response", "SIP/2.0 200 OK\r\nl: x\r\n\r\n", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, phone := streamed(t, NewDoor(DoorOptions{}))
			answer := make(chan string, 1)
			go func() {
				b, _ := io.ReadAll(phone)
				answer <- string(b)
			}()
			go func() { _, _ = io.WriteString(phone, tc.in) }()
			n, err := s.Read(make([]byte, 32768))
			if n != 0 || !errors.Is(err, net.ErrClosed) {
				t.Errorf("%d bytes, %v", n, err)
			}
			_ = s.Close()
			if got := <-answer; tc.answer == "" && got != "" || !strings.HasPrefix(got, strings.TrimSpace("SIP/2.0 "+tc.answer)) && tc.answer != "" {
				t.Errorf("answered %q", got)
			}
			if s.door.space.total != 0 {
				t.Errorf("%d bytes are still claimed", s.door.space.total)
			}
		})
	}
}

// TestStreamBadLine: a bad first line breaks no frame; the connection goes on.
func TestStreamBadLineGoesOn(t *testing.T) {
	s, phone := streamed(t, NewDoor(DoorOptions{}))
	bad := strings.Replace(full, "sip:a", "sip:a b", 1) + "l: 0\r\n\r\n"
	go func() { _, _ = io.WriteString(phone, bad+short) }()
	answer := make(chan string, 1)
	go func() {
		b := make([]byte, 1000)
		n, _ := phone.Read(b)
		answer <- string(b[:n])
	}()
	b := make([]byte, 32768)
	n, err := s.Read(b)
	if err != nil || string(b[:n]) != short {
		t.Errorf("%q, %v", b[:n], err)
	}
	if got := <-answer; !strings.HasPrefix(got, "SIP/2.0 400 Bad Request Line\r\n") {
		t.Errorf("answered %q", got)
	}
}

// TestSlowSender: a message that trickles in is given up after ten seconds,
// however long the reader would wait, and however often a byte comes.
func TestSlowSender(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, phone := streamed(t, NewDoor(DoorOptions{}))
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			tick := time.NewTicker(time.Second)
			defer tick.Stop()
			for _, c := range []byte(long) {
				<-tick.C
				if _, err := phone.Write([]byte{c}); err != nil {
					return
				}
			}
		}()
		_ = s.SetReadDeadline(time.Now().Add(time.Hour))
		begun := time.Now()
		_, err := s.Read(make([]byte, 100))
		if took := time.Since(begun); !errors.Is(err, net.ErrClosed) || took < unfinishedFor || took > unfinishedFor+2*time.Second {
			t.Errorf("%v after %v", err, took)
		}
		_ = s.Close()
		<-sent
	})
}

// TestFastSender: a connection is read no faster than it may send.
func TestFastSender(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := NewDoor(DoorOptions{Guard: ratelimit.NewGuard(nil, ratelimit.DefaultBudgets(), ratelimit.NewBans(), nil)})
		d.guard.Authenticated(netip.MustParseAddr("192.0.2.1"), time.Now())
		s, phone := streamed(t, d)
		const total = 30_000
		go func() {
			many := strings.Repeat(short, 100)
			for range total / 100 {
				if _, err := io.WriteString(phone, many); err != nil {
					return
				}
			}
		}()
		begun, b := time.Now(), make([]byte, 32768)
		for got := 0; got < total*len(short); {
			n, err := s.Read(b)
			if err != nil {
				t.Fatal(err)
			}
			got += n
		}
		if took := time.Since(begun); took < 9*time.Second || took > 11*time.Second { // 10,000 at once, 2,000 a second
			t.Errorf("took %v", took)
		}
		_ = s.Close()
	})
}

// TestSpace: unfinished messages of one address hold no more than their share.
func TestSpace(t *testing.T) {
	s := space{from: map[netip.Addr]int{}}
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	if !s.take(a, spacePerAddress, false) || s.take(a, 1, false) || !s.take(b, 1, false) || !s.take(a, 1, true) {
		t.Error("the share of one address")
	}
	if s.take(b, spaceTotal, true) {
		t.Error("more than there is")
	}
	s.take(a, -spacePerAddress-1, false)
	s.take(b, -1, false)
	if s.total != 0 || len(s.from) != 0 {
		t.Errorf("%+v", s.from)
	}
}

func TestFrame(t *testing.T) {
	guard := ratelimit.NewGuard(nil, ratelimit.DefaultBudgets(), ratelimit.NewBans(), nil)
	d := NewDoor(DoorOptions{Guard: guard})
	a := netip.MustParseAddr("192.0.2.1")
	for _, tc := range []struct {
		name, msg, in, answer string
		ok                    bool
	}{
		{"message", short, short, "", true},
		{"line breaks first", "\r\n" + short, short, "", true},
		{"without a length", full + "\r\n", full + "\r\n", "", true},
		{"ping", "\r\n\r\n", "", "\r\n", true},
		{"half a ping", "\r\n", "", "", true},
		{"nothing", "", "", "", true},
		{"junk", "hello", "", "", false},
		{"cut off", "OPTIONS sip:a SIP/2.0\r\nl: 0\r\n", "", "", true},
		{"lying length", full + "l: 5\r\n\r\nabc", "", "SIP/2.0 400 Body", true},
		{"too long", strings.Repeat("A", maxDatagram+1), "", "", false},
		{"scanner", strings.Replace(short, "l:", "User-Agent: FRIENDLY-scanner\r\nl:", 1), "", "", false},
		{"now banned", short, "", "", false},
	} {
		in, answer, ok := d.Frame(a, []byte(tc.msg))
		if string(in) != tc.in || ok != tc.ok || !strings.HasPrefix(string(answer), tc.answer) || tc.answer == "" && len(answer) > 0 {
			t.Errorf("%s: %q, %q, %v", tc.name, in, answer, ok)
		}
	}
}

// FuzzStream: the stream gives its reader the same messages however it is cut,
// and nothing that its reader could take for half of one.
func FuzzStream(f *testing.F) {
	f.Add([]byte("\r\n\r\n"+short+long), uint8(3))
	f.Add([]byte(full+"l: -1\r\n\r\n"), uint8(1))
	f.Add([]byte(long+"\x00\r"+short), uint8(9))
	f.Fuzz(func(t *testing.T, in []byte, piece uint8) {
		whole, pieces := readAll(in, len(in)+1), readAll(in, int(piece)+1)
		if !bytes.Equal(whole, pieces) {
			t.Fatalf("at once %q, in pieces %q", whole, pieces)
		}
		for rest := whole; len(rest) > 0; {
			var h Head
			if f := h.Parse(rest); f != NoFault || h.Length < 0 || h.Size+h.Length > len(rest) {
				t.Fatalf("fault %d in %q", f, rest)
			}
			rest = rest[h.Size+h.Length:]
		}
	})
}

// script is a connection that gives what it is told in pieces, then ends.
type script struct {
	net.Conn
	in    []byte
	piece int
}

func (c *script) Read(b []byte) (int, error) {
	if len(c.in) == 0 {
		return 0, io.EOF
	}
	n := copy(b, c.in[:min(c.piece, len(c.in))])
	c.in = c.in[n:]
	return n, nil
}
func (c *script) Write(b []byte) (int, error)      { return len(b), nil }
func (c *script) Close() error                     { return nil }
func (c *script) SetReadDeadline(time.Time) error  { return nil }
func (c *script) SetWriteDeadline(time.Time) error { return nil }
func (c *script) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 1} }

func readAll(in []byte, piece int) (out []byte) {
	s := newStream(&script{in: in, piece: piece}, NewDoor(DoorOptions{}))
	b := make([]byte, 512)
	for {
		n, err := s.Read(b)
		out = append(out, b[:n]...)
		if err != nil {
			return out
		}
	}
}
