package websocket_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	cws "github.com/coder/websocket"
	"go.uber.org/goleak"

	"perch/sip/websocket"
)

// net/http lingers half a second with a client whose request it refused.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("net/http.(*conn).closeWriteAndWait"))
}

// serve opens a listener on loopback.
func serve(t testing.TB, o websocket.Options) *websocket.Listener {
	t.Helper()
	tcp, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := websocket.New(tcp, o)
	done := make(chan error, 1)
	go func() { done <- l.Serve() }()
	t.Cleanup(func() {
		if err := errors.Join(l.Close(), <-done, l.Close()); err != nil {
			t.Error(err)
		}
	})
	return l
}

// pair gives both ends of an upgraded connection, and the TCP end of the client.
func pair(t testing.TB, l *websocket.Listener) (*stack, *cws.Conn, net.Conn) {
	t.Helper()
	var tcp net.Conn
	transport := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		var err error
		tcp, err = (&net.Dialer{}).DialContext(ctx, network, addr)
		return tcp, err
	}}
	ws, _, err := cws.Dial(t.Context(), "ws://"+l.Addr().String()+websocket.Path, &cws.DialOptions{
		HTTPClient: &http.Client{Transport: transport}, Subprotocols: []string{"chat", "SIP"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.CloseNow() })
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	s := &stack{t: t, Conn: c, r: bufio.NewReader(c)}
	s.upgrade()
	return s, ws, tcp
}

// stack does what the SIP stack does at its end of a connection.
type stack struct {
	net.Conn
	t testing.TB
	r *bufio.Reader
}

func (s *stack) upgrade() {
	s.t.Helper()
	req, err := http.ReadRequest(s.r)
	if err != nil || req.Header.Get("Sec-WebSocket-Protocol") != "sip" || req.Header.Get("Upgrade") != "websocket" {
		s.t.Fatalf("the stack is to upgrade %+v, %v", req, err)
	}
	for _, part := range []string{"HTTP/1.1 101 Switching", " Protocols\r\nUpgrade: websocket\r\n\r", "\n"} {
		if _, err := io.WriteString(s.Conn, part); err != nil {
			s.t.Fatal(err)
		}
	}
}

// read gives the payload of the next frame, which is to be one masked, whole
// text frame.
func (s *stack) read() (string, error) {
	head := make([]byte, 2)
	if _, err := io.ReadFull(s.r, head); err != nil {
		return "", err
	}
	size := int(head[1] & 0x7f)
	if head[0] != 0x81 || head[1]&0x80 == 0 {
		s.t.Fatalf("frame head %x", head)
	}
	if size == 126 {
		ext := make([]byte, 2)
		_, _ = io.ReadFull(s.r, ext)
		size = int(ext[0])<<8 | int(ext[1])
	}
	body := make([]byte, 4+size)
	if _, err := io.ReadFull(s.r, body); err != nil {
		return "", err
	}
	if !bytes.Equal(body[:4], make([]byte, 4)) {
		s.t.Fatalf("mask %x", body[:4])
	}
	return string(body[4:]), nil
}

// write sends a frame as the stack does: the head, then the payload.
func (s *stack) write(payload []byte) error {
	head := []byte{0x81, byte(len(payload))}
	if len(payload) > 125 {
		head = []byte{0x81, 126, byte(len(payload) >> 8), byte(len(payload))}
	}
	if _, err := s.Conn.Write(head); err != nil {
		return err
	}
	_, err := s.Conn.Write(payload)
	return err
}

// TestEachMessageIsOneFrame: whatever frames a browser sends, the stack reads
// one text frame for each message, and nothing else.
func TestEachMessageIsOneFrame(t *testing.T) {
	l := serve(t, websocket.Options{})
	s, ws, _ := pair(t, l)
	ctx := t.Context()
	long := strings.Repeat("x", websocket.MaxMessage)
	go func() {
		_ = ws.Write(ctx, cws.MessageText, []byte("text"))
		_ = ws.Write(ctx, cws.MessageBinary, []byte("binary \xff"))
		_ = ws.Write(ctx, cws.MessageText, nil) // the stack would rest on it
		w, _ := ws.Writer(ctx, cws.MessageText)
		for _, part := range []string{"in ", "three ", "frames"} {
			_, _ = io.WriteString(w, part)
		}
		_ = w.Close()
		_ = ws.Write(ctx, cws.MessageText, []byte(strings.Repeat("m", 126)))
		_ = ws.Write(ctx, cws.MessageText, []byte(long))
	}()
	for _, want := range []string{"text", "binary \xff", "in three frames", strings.Repeat("m", 126), long} {
		if got, err := s.read(); err != nil || got != want {
			t.Fatalf("read %.40q, %v; want %.40q", got, err, want)
		}
	}
	for _, m := range []struct {
		payload string
		kind    cws.MessageType
	}{{"pong", cws.MessageText}, {long, cws.MessageText}, {"body \xff", cws.MessageBinary}} {
		go func() { _ = s.write([]byte(m.payload)) }()
		ws.SetReadLimit(1 << 16)
		kind, got, err := ws.Read(ctx)
		if err != nil || string(got) != m.payload || kind != m.kind {
			t.Fatalf("got %v %.40q, %v", kind, got, err)
		}
	}
	if s.LocalAddr().String() != l.Addr().String() {
		t.Error(s.LocalAddr())
	}
}

// TestPingWithPayloadIsAnswered: a control frame with a payload between and
// inside messages leaves them as they are.
func TestPingWithPayloadIsAnswered(t *testing.T) {
	s, ws, tcp := pair(t, serve(t, websocket.Options{}))
	got := make(chan string, 2)
	go func() {
		for {
			m, err := s.read()
			if err != nil {
				return
			}
			got <- m
		}
	}()
	// Raw, masked by zeros: a ping, the first half of a message, a ping, the rest.
	raw := "\x89\x84\x00\x00\x00\x00ping" + "\x01\x83\x00\x00\x00\x00one" + "\x89\x81\x00\x00\x00\x002" + "\x80\x83\x00\x00\x00\x00two"
	if _, err := io.WriteString(tcp, raw); err != nil {
		t.Fatal(err)
	}
	if m := <-got; m != "onetwo" {
		t.Errorf("read %q", m)
	}
	answer := make([]byte, len("\x8a\x04ping\x8a\x012"))
	_ = tcp.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.ReadFull(tcp, answer); err != nil || string(answer) != "\x8a\x04ping\x8a\x012" {
		t.Errorf("pongs %q, %v", answer, err)
	}
	_ = tcp.SetReadDeadline(time.Time{})
	if err := ws.Write(t.Context(), cws.MessageText, []byte("after")); err != nil || <-got != "after" {
		t.Error("the stream is out of step", err)
	}
}

func TestTooLongAMessageEndsTheConnection(t *testing.T) {
	big := make(chan struct{}, 1)
	s, ws, _ := pair(t, serve(t, websocket.Options{TooBig: func() { big <- struct{}{} }}))
	go func() {
		_ = ws.Write(context.Background(), cws.MessageText, bytes.Repeat([]byte("x"), websocket.MaxMessage+1))
	}()
	if _, err := s.read(); !errors.Is(err, io.EOF) {
		t.Error("read", err)
	}
	<-big
	_, _, err := ws.Read(t.Context())
	if cws.CloseStatus(err) != cws.StatusMessageTooBig {
		t.Error("the browser is told", err)
	}
}

// TestServerPings: a browser that answers stays, one that has vanished ends.
func TestServerPings(t *testing.T) {
	l := serve(t, websocket.Options{Ping: 5 * time.Millisecond, Pong: 200 * time.Millisecond})
	pings := make(chan bool) // whether to answer
	ws, _, err := cws.Dial(t.Context(), "ws://"+l.Addr().String()+"/sip", &cws.DialOptions{
		Subprotocols:   []string{"sip"},
		OnPingReceived: func(context.Context, []byte) bool { return <-pings },
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	s := &stack{t: t, Conn: c, r: bufio.NewReader(c)}
	s.upgrade()
	ended := make(chan struct{})
	go func() { _, _ = s.read(); close(ended) }() // a stack always reads
	ws.CloseRead(t.Context())
	for range 3 {
		pings <- true
	}
	select {
	case <-ended:
		t.Error("ended though it answered")
	default:
	}
	pings <- false
	<-ended
	<-c.(*websocket.Conn).Done()
	_ = ws.CloseNow()
}

// TestAnonymousConnectionsEnd: nobody stays without authenticating, however
// well its software answers pings.
func TestAnonymousConnectionsEnd(t *testing.T) {
	l := serve(t, websocket.Options{Anonymous: 30 * time.Millisecond})
	s, ws, _ := pair(t, l)
	ws.CloseRead(t.Context())
	if _, err := s.read(); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	s, ws, _ = pair(t, l)
	s.Conn.(*websocket.Conn).Admit()
	other, _, _ := pair(t, l) // later, so that its end is after the first one's time
	_, _ = other.read()
	if err := ws.Write(t.Context(), cws.MessageText, []byte("here")); err != nil {
		t.Fatal(err)
	}
	if m, err := s.read(); err != nil || m != "here" {
		t.Errorf("an admitted connection read %q, %v", m, err)
	}
}

// TestPeerThatStopsReading: a write ends by its deadline, and with it the
// connection.
func TestPeerThatStopsReading(t *testing.T) {
	s, _, tcp := pair(t, serve(t, websocket.Options{}))
	_ = tcp.(*net.TCPConn).SetReadBuffer(4096)
	message := bytes.Repeat([]byte("x"), 60_000)
	for range 1000 {
		_ = s.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
		if err := s.write(message); err != nil {
			if _, err := s.read(); err == nil {
				t.Error("the connection is still there")
			}
			return
		}
	}
	t.Error("60 MB were written to nobody")
}

func TestReadDeadline(t *testing.T) {
	s, _, _ := pair(t, serve(t, websocket.Options{}))
	_ = s.SetDeadline(time.Now().Add(20 * time.Millisecond))
	if _, err := s.read(); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}

// TestCleanDecides: what the first look drops the stack does not see, and what
// it condemns ends the connection.
func TestCleanDecides(t *testing.T) {
	s, ws, _ := pair(t, serve(t, websocket.Options{Clean: func(_ net.Addr, b []byte) ([]byte, []byte, bool) {
		return bytes.TrimPrefix(b, []byte("drop")), nil, string(b) != "junk"
	}}))
	for _, m := range []string{"drop", "drop this", "junk"} {
		if err := ws.Write(t.Context(), cws.MessageText, []byte(m)); err != nil {
			t.Fatal(err)
		}
	}
	if m, err := s.read(); err != nil || m != " this" {
		t.Errorf("read %q, %v", m, err)
	}
	if _, err := s.read(); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}

// TestAnswerAfterTheLastDeadline: what the first look answers is bound by no
// deadline of a write that is over.
func TestAnswerAfterTheLastDeadline(t *testing.T) {
	s, ws, _ := pair(t, serve(t, websocket.Options{Clean: func(_ net.Addr, b []byte) ([]byte, []byte, bool) {
		return nil, []byte("\r\n"), true
	}}))
	_ = s.SetWriteDeadline(time.Now().Add(-time.Second))
	go func() { _, _ = s.read() }() // a stack always reads
	for range 2 {
		if err := ws.Write(t.Context(), cws.MessageText, []byte("\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		if _, m, err := ws.Read(t.Context()); err != nil || string(m) != "\r\n" {
			t.Fatalf("got %q, %v", m, err)
		}
	}
}

// TestStackThatWritesNoFrame: a defect ends the connection, nothing worse.
func TestStackThatWritesNoFrame(t *testing.T) {
	for _, b := range []string{"\x82\x01x", "\x81\x81x", "\x01\x01x", "\x81\x7f\x00\x00\x00\x00\x00\x02\x00\x00"} {
		s, _, _ := pair(t, serve(t, websocket.Options{}))
		if _, err := io.WriteString(s.Conn, b); err == nil {
			t.Errorf("%q was taken", b)
		}
	}
}

func TestHandshakes(t *testing.T) {
	refused := 0
	l := serve(t, websocket.Options{Origins: []string{"https://phone.acme.test"}, Refused: func() { refused++ }})
	const good = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	const sip = "Sec-WebSocket-Protocol: sip\r\n"
	for _, tc := range []struct {
		name, line, headers string
		want                int
	}{
		{"program without origin", "GET /sip", good + sip, 101},
		{"one of several protocols", "GET /sip", good + "Sec-WebSocket-Protocol: chat, SIP\r\n", 101},
		{"allowed origin", "GET /sip", good + sip + "Origin: https://phone.acme.test\r\n", 101},
		{"allowed origin in capitals", "GET /sip", good + sip + "Origin: HTTPS://PHONE.ACME.TEST\r\n", 101},
		{"own origin", "GET /sip", good + sip + "Origin: http://HOST\r\n", 101},
		{"foreign origin", "GET /sip", good + sip + "Origin: https://evil.test\r\n", 403},
		{"origin that begins alike", "GET /sip", good + sip + "Origin: https://phone.acme.test.evil.test\r\n", 403},
		{"origin of another scheme", "GET /sip", good + sip + "Origin: http://phone.acme.test\r\n", 403},
		{"origin null", "GET /sip", good + sip + "Origin: null\r\n", 403},
		{"two origins", "GET /sip", good + sip + "Origin: http://HOST\r\nOrigin: https://evil.test\r\n", 403},
		{"no protocol", "GET /sip", good, 400},
		{"another protocol", "GET /sip", good + "Sec-WebSocket-Protocol: mqtt\r\n", 400},
		{"another path", "GET /", good + sip, 404},
		{"path below", "GET /sip/x", good + sip, 404},
		{"another method", "POST /sip", good + sip, 405},
		{"no upgrade", "GET /sip", sip, 426},
		{"old version", "GET /sip", strings.Replace(good, "13", "8", 1) + sip, 400},
		{"no key", "GET /sip", strings.Replace(good, "Key", "Kye", 1) + sip, 400},
		{"headers without end", "GET /sip", good + sip + strings.Repeat("X: "+strings.Repeat("y", 1000)+"\r\n", 40), 431},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(10 * time.Second))
			_, _ = fmt.Fprintf(c, "%s HTTP/1.1\r\nHost: host\r\n%s\r\n", tc.line, tc.headers)
			res, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Fatal(err)
			}
			if res.StatusCode != tc.want {
				t.Errorf("got %s, want %d", res.Status, tc.want)
			}
			if tc.want == 101 {
				if !strings.EqualFold(res.Header.Get("Sec-WebSocket-Protocol"), "sip") || res.Header.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
					t.Error(res.Header)
				}
				_ = c.Close()
				accepted, err := l.Accept()
				if err != nil {
					t.Fatal(err)
				}
				_ = accepted.Close()
			}
		})
	}
	if refused != 13 { // the header flood is refused before
		t.Error(refused, "refusals counted")
	}
}

// TestSlowHandshakeEnds: a request that never becomes whole.
func TestSlowHandshakeEnds(t *testing.T) {
	l := serve(t, websocket.Options{Header: 30 * time.Millisecond})
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, "GET /sip HTTP/1.1\r\nHost:")
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.Copy(io.Discard, c); err != nil {
		t.Error("still open:", err)
	}
}

// TestCloseEndsConnections: also one that the stack has not taken yet.
func TestCloseEndsConnections(t *testing.T) {
	l := serve(t, websocket.Options{})
	s, taken, _ := pair(t, l)
	waiting, _, err := cws.Dial(t.Context(), "ws://"+l.Addr().String()+"/sip", &cws.DialOptions{Subprotocols: []string{"sip"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	<-s.Conn.(*websocket.Conn).Done()
	for _, ws := range []*cws.Conn{taken, waiting} {
		if _, _, err := ws.Read(t.Context()); err == nil {
			t.Error("still open")
		}
		_ = ws.CloseNow()
	}
}
