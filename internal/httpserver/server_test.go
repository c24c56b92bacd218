package httpserver

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// lines is a log that a test can read while it is written.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// start runs a server until the test ends or stop is called, which waits.
func start(t *testing.T, cfg Config, h http.Handler, grace time.Duration) (addr string, stop func() error) {
	t.Helper()
	cfg.Name, cfg.Listen = "test", "127.0.0.1:0"
	s, err := Listen(t.Context(), cfg, h, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, grace) }()
	stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() { _ = stop() })
	return s.Addr().String(), stop
}

// get asks without keeping the connection.
func get(t *testing.T, addr, path string) (int, string) {
	t.Helper()
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := c.Get("http://" + addr + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestServesAndStops(t *testing.T) {
	defer goleak.VerifyNone(t)
	addr, stop := start(t, Config{}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "hello")
	}), time.Second)
	if code, body := get(t, addr, "/"); code != 200 || body != "hello" {
		t.Errorf("got %d %q", code, body)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	if c, err := net.Dial("tcp", addr); err == nil {
		c.Close()
		t.Error("the port is still open")
	}
}

func TestTakenPortIsAnErrorAtOnce(t *testing.T) {
	addr, _ := start(t, Config{}, http.NotFoundHandler(), time.Second)
	if _, err := Listen(t.Context(), Config{Name: "portal", Listen: addr}, nil, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "portal") {
		t.Errorf("got %v", err)
	}
}

func TestCloseFreesAPortThatWasNeverServed(t *testing.T) {
	s, err := Listen(t.Context(), Config{Listen: "127.0.0.1:0"}, http.NotFoundHandler(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := s.Run(t.Context(), time.Second); err != nil {
		t.Errorf("Run after Close: %v", err)
	}
	again, err := Listen(t.Context(), Config{Listen: s.Addr().String()}, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	_ = again.Close()
}

func TestShutdownFinishesWhatIsInFlight(t *testing.T) {
	began, finish := make(chan struct{}), make(chan struct{})
	addr, stop := start(t, Config{}, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(began)
		<-finish
		_, _ = io.WriteString(w, "whole")
	}), time.Minute)
	answer := make(chan string, 1)
	go func() {
		resp, err := http.Get("http://" + addr + "/")
		if err != nil {
			answer <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		answer <- string(body)
	}()
	<-began
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	close(finish)
	if got := <-answer; got != "whole" {
		t.Errorf("got %q", got)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestShutdownHasADeadline(t *testing.T) {
	began := make(chan struct{})
	addr, stop := start(t, Config{}, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(began)
		<-r.Context().Done()
	}), 20*time.Millisecond)
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	<-began
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// TestHostileClients sends what a client should not; each is refused and the
// server goes on.
func TestHostileClients(t *testing.T) {
	addr, _ := start(t, Config{ReadTimeout: 200 * time.Millisecond}, LimitBody(64, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		if _, tooLong := errors.AsType[*http.MaxBytesError](err); tooLong {
			http.Error(w, "too long", http.StatusRequestEntityTooLarge)
		} else if err != nil {
			http.Error(w, "too slow", http.StatusRequestTimeout)
		}
	})), time.Second)
	for _, tc := range []struct{ name, send, want string }{
		{"a huge header", "GET / HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("a", MaxHeaderBytes+1) + "\r\n\r\n", "431"},
		{"a huge request line", "GET /" + strings.Repeat("a", MaxHeaderBytes+1) + " HTTP/1.1\r\nHost: x\r\n\r\n", "431"},
		{"no HTTP", "REGISTER sip:x SIP/2.0\r\n\r\n", "400"},
		{"a declared huge body", "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n", "413"},
		{"a chunked huge body", "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n80\r\n" + strings.Repeat("a", 128) + "\r\n0\r\n\r\n", "413"},
		{"a header that never ends", "GET / HTTP/1.1\r\nHost: x\r\n", ""},
		{"a body that never comes", "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 60\r\n\r\n", "408"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(conn, tc.send) // the server may close before it has read all
			line, _ := bufio.NewReader(conn).ReadString('\n')
			if !strings.Contains(line, tc.want) || (tc.want == "" && line != "") {
				t.Errorf("answered %q, want %s", line, tc.want)
			}
		})
	}
	if code, _ := get(t, addr, "/"); code != 200 {
		t.Errorf("afterwards: %d", code)
	}
}

func TestConnectionsAreCapped(t *testing.T) {
	release := make(chan struct{})
	began := make(chan struct{}, 8)
	addr, _ := start(t, Config{MaxConnections: 1}, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		began <- struct{}{}
		<-release
	}), time.Second)
	results := make(chan int, 2)
	for range 2 {
		go func() { code, _ := get(t, addr, "/"); results <- code }()
	}
	<-began
	select {
	case <-began:
		t.Error("a second connection was served beside the first")
	case <-time.After(50 * time.Millisecond):
	}
	close(release)
	for range 2 {
		if code := <-results; code != 200 {
			t.Errorf("got %d", code)
		}
	}
}

func TestStreamingOutlivesTheWriteTimeout(t *testing.T) {
	addr, _ := start(t, Config{WriteTimeout: 30 * time.Millisecond, ReadTimeout: 30 * time.Millisecond},
		Logged(slog.New(slog.DiscardHandler), Recovered(slog.New(slog.DiscardHandler), func() {}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := Streaming(w); err != nil {
				t.Error(err)
			}
			rc := http.NewResponseController(w)
			tick := time.NewTicker(40 * time.Millisecond)
			defer tick.Stop()
			for i := range 3 {
				fmt.Fprintf(w, "%d", i)
				if err := rc.Flush(); err != nil {
					t.Error(err)
				}
				select {
				case <-tick.C:
				case <-r.Context().Done():
					t.Error("the stream was cut")
				}
			}
		}))), time.Second)
	if code, body := get(t, addr, "/"); code != 200 || body != "012" {
		t.Errorf("got %d %q", code, body)
	}
}
