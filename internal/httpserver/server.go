// Package httpserver is the one way Perch serves HTTP: to phones, to people and
// to Prometheus. It bounds what a client may cost - time, header, body and
// number of connections - and wraps a handler with what every server needs: a
// log line without secrets, an answer instead of a crash, headers that keep
// browsers strict. It knows no route and no domain. It promises that a client
// that is slow, silent or hostile holds one connection for a bounded time and
// nothing else.
package httpserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"
)

// MaxHeaderBytes bounds the request line and header of every request.
const MaxHeaderBytes = 16 << 10

// Config says where and how one server listens. A zero time or number takes
// the default named beside it.
type Config struct {
	Name   string      // provisioning, portal or metrics: in the log and in errors
	Listen string      // host:port; port 0 takes a free one
	TLS    *tls.Config // nil: plain HTTP

	ReadTimeout    time.Duration // 30 s: a whole request, body included
	WriteTimeout   time.Duration // 60 s: a whole answer; a stream lifts it for itself with Streaming
	IdleTimeout    time.Duration // 60 s: a connection between two requests
	MaxConnections int           // 2048: open at once; more wait in the kernel's queue
}

// readHeaderTimeout bounds a request's header, so that a client that sends a
// byte a minute is cut off.
const readHeaderTimeout = 10 * time.Second

// Server is one listening HTTP server: Listen opens it, Run serves until its
// context ends, Close is safe at any time and twice.
type Server struct {
	name string
	http *http.Server
	ln   net.Listener
	log  *slog.Logger
}

// Listen opens the socket, so that a taken port is an error at once and the
// bound address is known before anything is served. The context bounds the
// opening only.
func Listen(ctx context.Context, cfg Config, h http.Handler, log *slog.Logger) (*Server, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("httpserver: %s: %w", cfg.Name, err)
	}
	log = log.With("server", cfg.Name)
	s := &Server{name: cfg.Name, log: log, ln: netutil.LimitListener(ln, or(cfg.MaxConnections, 2048))}
	if cfg.TLS != nil {
		s.ln = tls.NewListener(s.ln, cfg.TLS)
	}
	read := or(cfg.ReadTimeout, 30*time.Second)
	s.http = &http.Server{
		Handler:           h,
		TLSConfig:         cfg.TLS,
		ReadHeaderTimeout: min(readHeaderTimeout, read),
		ReadTimeout:       read,
		WriteTimeout:      or(cfg.WriteTimeout, time.Minute),
		IdleTimeout:       or(cfg.IdleTimeout, time.Minute),
		MaxHeaderBytes:    MaxHeaderBytes - 4096, // net/http allows 4096 more than it is told
		ErrorLog:          errorLog(log),
	}
	return s, nil
}

// Addr is the address the server is bound to, with the port it was given.
func (s *Server) Addr() *net.TCPAddr { return s.ln.Addr().(*net.TCPAddr) }

// Run serves until ctx ends, then lets requests in flight finish for at most
// grace and cuts off the rest. It returns nil after an orderly end.
func (s *Server) Run(ctx context.Context, grace time.Duration) error {
	served := make(chan error, 1)
	go func() { served <- s.http.Serve(s.ln) }()
	select {
	case err := <-served: // the listener broke, or Close was called
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return fmt.Errorf("httpserver: %s: %w", s.name, err)
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := s.http.Shutdown(stop); err != nil {
		s.log.Warn("requests cut off at shutdown", "error", err)
		_ = s.http.Close() // its only error is the listener's, which Shutdown has closed
	}
	<-served
	return nil
}

// Close cuts off every connection and frees the port.
func (s *Server) Close() error {
	err := s.http.Close()
	if e := s.ln.Close(); err == nil && !errors.Is(e, net.ErrClosed) { // never served: http does not know the listener yet
		err = e
	}
	return err
}

// Streaming lifts the write timeout and the read timeout for one answer that
// goes on for as long as its client listens; each write then has its own
// deadline, set by the caller with http.ResponseController.
func Streaming(w http.ResponseWriter) error {
	rc := http.NewResponseController(w)
	if err := rc.SetReadDeadline(time.Time{}); err != nil {
		return fmt.Errorf("httpserver: stream: %w", err)
	}
	if err := rc.SetWriteDeadline(time.Time{}); err != nil {
		return fmt.Errorf("httpserver: stream: %w", err)
	}
	return nil
}

// or gives v, or the default when v is zero.
func or[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}
