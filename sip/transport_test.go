package sip_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"perch/hotdesk/directory"
	"perch/internal/certs"
	"perch/internal/credential"
	"perch/sip"
	"perch/sip/flow"
)

// edge is an office that listens by every transport.
type edge struct {
	*office
	roots *x509.CertPool
	ca    string // PEM file
}

var everyTransport = []string{"udp", "tcp", "tls", "ws", "wss"}

func openEdge(t testing.TB, host string, change ...func(*sip.Options, *office)) *edge {
	t.Helper()
	e := &edge{roots: x509.NewCertPool()}
	dir := t.TempDir()
	own, err := certs.OpenOwn(dir, []string{"localhost", "127.0.0.1", "::1", "acme.test"}, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	e.ca = certs.CAFile(dir)
	pem, err := os.ReadFile(e.ca)
	if err != nil || !e.roots.AppendCertsFromPEM(pem) {
		t.Fatal("no root", err)
	}
	e.office = open(t, append([]func(*sip.Options, *office){func(o *sip.Options, _ *office) {
		o.Listen, o.TLS = nil, certs.Config(own)
		for _, tp := range everyTransport {
			o.Listen = append(o.Listen, tp+"://"+net.JoinHostPort(host, "0"))
		}
	}}, change...)...)
	return e
}

// at is where a transport's listener is.
func (e *edge) at(tp string) string {
	e.t.Helper()
	for _, a := range e.server.Bound() {
		if a.Transport == tp {
			return a.Addr.String()
		}
	}
	e.t.Fatal("no listener for", tp)
	return ""
}

// dial connects by a transport; for WebSocket a write is a message.
func (e *edge) dial(tp string) net.Conn {
	e.t.Helper()
	var c net.Conn
	var err error
	switch tp {
	case "udp", "tcp":
		c, err = net.Dial(tp, e.at(tp))
	case "tls":
		c, err = tls.Dial("tcp", e.at(tp), &tls.Config{RootCAs: e.roots, ServerName: "acme.test"})
	default:
		under := &under{}
		ws := e.upgrade(tp, under, nil)
		c = wsPhone{Conn: websocket.NetConn(context.Background(), ws, websocket.MessageText), local: under.LocalAddr()}
	}
	e.must(err)
	e.t.Cleanup(func() { _ = c.Close() })
	return c
}

// wsPhone is a browser's connection that knows its address.
type wsPhone struct {
	net.Conn
	local net.Addr
}

func (w wsPhone) LocalAddr() net.Addr { return w.local }

// under remembers the connection below a WebSocket.
type under struct{ net.Conn }

// upgrade opens a WebSocket as a browser does.
func (e *edge) upgrade(tp string, u *under, change func(*websocket.DialOptions)) *websocket.Conn {
	e.t.Helper()
	dialer := &net.Dialer{}
	transport := &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: e.roots},
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := dialer.DialContext(ctx, network, addr)
			u.Conn = c
			return c, err
		},
	}
	o := &websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}, Subprotocols: []string{"sip"}}
	if change != nil {
		change(o)
	}
	ws, _, err := websocket.Dial(e.t.Context(), tp+"://"+e.at(tp)+"/sip", o)
	e.must(err)
	e.t.Cleanup(func() { _ = ws.CloseNow() })
	ws.SetReadLimit(1 << 16)
	return ws
}

func (e *edge) phoneBy(tp, user, username string, password directory.Secret) *phone {
	e.t.Helper()
	c := e.dial(tp)
	return &phone{
		t: e.t, conn: c, r: bufio.NewReaderSize(c, 65536), tp: tp, user: user, domain: "acme.test",
		username: username, password: password, callID: credential.NewToken().Reveal(),
	}
}

// TestEveryTransport: a phone registers and is notified by the way it came, by
// both families.
func TestEveryTransport(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "::1"} {
		e := openEdge(t, host)
		mac := desk1.MAC.String()
		for _, tp := range everyTransport {
			t.Run(tp+" "+host, func(t *testing.T) {
				p := e.phoneBy(tp, mac, mac, e.account(desk1))
				p.t = t
				c := e.contactOf(p)
				if c.Flow.Transport != tp || c.Flow.Local != e.at(tp) || c.Flow.Remote != p.conn.LocalAddr().String() || (c.Flow.ID == "") != (tp == "udp") {
					t.Fatalf("flow %+v", c.Flow)
				}
				req, err := notify(c).Build()
				if err != nil {
					t.Fatal(err)
				}
				got := make(chan string, 1)
				go func() { got <- p.answer("200 OK") }()
				res, err := e.sender.Send(t.Context(), c.Flow, req)
				if err != nil || res.StatusCode != 200 {
					t.Fatal(res, err)
				}
				if text := <-got; !strings.Contains(text, "Via: SIP/2.0/"+strings.ToUpper(tp)+" "+c.Flow.Local+";branch=z9hG4bK") {
					t.Errorf("Via of\n%s", text)
				}
				want := ";transport=" + map[string]string{"wss": "ws"}[tp]
				switch tp {
				case "udp":
					want = "sip:perch@" + c.Flow.Local
				case "tcp", "tls", "ws":
					want += tp
				}
				if got := e.sender.Contact(c.Flow, "perch"); !strings.HasSuffix(got, want) {
					t.Errorf("Contact %s, want %s", got, want)
				}
			})
		}
	}
}

// TestVanishedSecureFlow: neither TLS nor WebSocket is ever dialled; the flow
// is gone with its connection.
func TestVanishedSecureFlow(t *testing.T) {
	e := openEdge(t, "127.0.0.1")
	mac := desk1.MAC.String()
	for _, tp := range []string{"tls", "ws", "wss"} {
		p := e.phoneBy(tp, mac, mac, e.account(desk1))
		c := e.contactOf(p)
		_ = p.conn.Close()
		tick := time.NewTicker(5 * time.Millisecond)
		for deadline := time.Now().Add(10 * time.Second); ; <-tick.C {
			req, _ := notify(c).Build()
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			_, err := e.sender.Send(ctx, c.Flow, req)
			cancel()
			if errors.Is(err, flow.ErrGone) {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal(tp, err)
			}
		}
		tick.Stop()
		l, err := net.Listen("tcp4", c.Flow.Remote)
		if err != nil {
			continue // the port waits for its end, or somebody has it
		}
		req, _ := notify(c).Build()
		if _, err := e.sender.Send(t.Context(), c.Flow, req); !errors.Is(err, flow.ErrGone) {
			t.Errorf("%s: %v", tp, err)
		}
		_ = l.(*net.TCPListener).SetDeadline(time.Now().Add(50 * time.Millisecond))
		if conn, err := l.Accept(); err == nil {
			t.Errorf("%s: the server dialled %s", tp, conn.RemoteAddr())
		}
		_ = l.Close()
	}
}

// TestFlowIsItsConnection: of two phones at one listener each gets its own
// NOTIFY, though the stack files the last connection under the listener's address.
func TestFlowIsItsConnection(t *testing.T) {
	e := openEdge(t, "127.0.0.1")
	for _, tp := range []string{"tcp", "tls", "ws", "wss"} {
		p := e.phoneBy(tp, desk1.MAC.String(), desk1.MAC.String(), e.account(desk1))
		q := e.phoneBy(tp, desk2.MAC.String(), desk2.MAC.String(), e.account(desk2))
		first := e.contactOf(p)
		e.contactOf(q)
		req, err := notify(first).Build()
		e.must(err)
		got := make(chan string, 1)
		go func() { got <- p.answer("200 OK") }()
		if _, err := e.sender.Send(t.Context(), first.Flow, req); err != nil {
			t.Fatal(tp, err)
		}
		<-got
		if r, err := q.tryRead(20 * time.Millisecond); err == nil {
			t.Errorf("%s: the other phone got\n%s", tp, r.text)
		}
	}
}

// TestSilentPeersHoldUpNobody: peers that connect and say nothing, or begin a
// handshake and stop, do not keep others out.
func TestSilentPeersHoldUpNobody(t *testing.T) {
	e := openEdge(t, "127.0.0.1")
	for _, tp := range []string{"tcp", "tls", "ws", "wss"} {
		for _, begin := range []string{"", "GET /sip HTTP/1.1\r\n", "\x16\x03\x01"} {
			c, err := net.Dial("tcp", e.at(tp))
			e.must(err)
			defer c.Close()
			_, err = io.WriteString(c, begin)
			e.must(err)
		}
		p := e.phoneBy(tp, desk1.MAC.String(), desk1.MAC.String(), e.account(desk1))
		want(t, p.send(p.message("OPTIONS", "")), 200)
	}
}

// TestListenersOutliveTheirPeers: junk, plain text at TLS, broken handshakes
// and frames end connections, never listeners.
func TestListenersOutliveTheirPeers(t *testing.T) {
	e := openEdge(t, "127.0.0.1")
	for _, tp := range []string{"tcp", "tls", "ws", "wss"} {
		for _, junk := range []string{
			"\x00\xff\xfe junk\r\n\r\n", "OPTIONS sip:x SIP/2.0\r\n\r\n", "POST /sip HTTP/1.1\r\nHost: x\r\n\r\n",
			"GET /sip HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: sip\r\n\r\n",
		} {
			c, err := net.Dial("tcp", e.at(tp))
			e.must(err)
			_, err = io.WriteString(c, junk)
			e.must(err)
			_ = c.(*net.TCPConn).CloseWrite()
			_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
			if _, err := io.Copy(io.Discard, c); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Log(tp, err) // reset
			}
			_ = c.Close()
		}
		p := e.phoneBy(tp, desk1.MAC.String(), desk1.MAC.String(), e.account(desk1))
		want(t, p.send(p.message("OPTIONS", "")), 200)
	}
}

// TestNoCertificate: a listener that could show none is not opened.
func TestNoCertificate(t *testing.T) {
	for _, tp := range []string{"tls", "wss"} {
		s, err := sip.New(sip.Options{Listen: []string{"udp://127.0.0.1:0", tp + "://127.0.0.1:0"}, Node: "n", Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Listen(); err == nil || !strings.Contains(err.Error(), "certificate") {
			t.Error(tp, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestReliableResponses: an answer goes back by the connection of its request,
// whatever its Via says, and carries the tag and Via it should.
func TestReliableResponses(t *testing.T) {
	e := openEdge(t, "127.0.0.1")
	for _, tp := range []string{"tls", "ws", "wss"} {
		p := e.phoneBy(tp, "x", "x", "")
		text := p.message("OPTIONS", "")
		via := fmt.Sprintf("Via: SIP/2.0/%s df7jal23ls0d.invalid;branch=z9hG4bKx;rport", strings.ToUpper(tp))
		lines := strings.Split(text, "\r\n")
		lines[1] = via
		r := p.send(strings.Join(lines, "\r\n"))
		want(t, r, 200)
		host, port, _ := net.SplitHostPort(p.conn.LocalAddr().String())
		if got := r.get("Via"); !strings.HasPrefix(got, "SIP/2.0/"+strings.ToUpper(tp)+" df7jal23ls0d.invalid;branch=z9hG4bKx") ||
			!strings.Contains(got, "received="+host) || !strings.Contains(got, "rport="+port) {
			t.Errorf("%s: Via %s", tp, got)
		}
	}
}

// TestClosedConnectionsAreTold: by the name that the flow has, whatever lies
// between the socket and the stack.
func TestClosedConnectionsAreTold(t *testing.T) {
	e := openEdge(t, "127.0.0.1")
	mac := desk1.MAC.String()
	for _, tp := range []string{"tcp", "tls", "ws", "wss"} {
		p := e.phoneBy(tp, mac, mac, e.account(desk1))
		c := e.contactOf(p)
		_ = p.conn.Close()
		select {
		case id := <-e.server.Closed():
			if id != c.Flow.ID {
				t.Errorf("%s: %s has closed, the flow is %s", tp, id, c.Flow.ID)
			}
		case <-time.After(10 * time.Second):
			t.Fatal(tp, "nobody is told")
		}
	}
}
