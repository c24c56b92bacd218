package httpserver

import (
	"log"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// maxLogged bounds a text from a client in a log line, in bytes.
const maxLogged = 200

// Logged writes one line per request at its end: method, path, status, bytes,
// duration and the client's address. Neither query strings nor headers are
// logged, and the token in /t/<token>/ is masked: both may carry secrets.
func Logged(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		rec := &recorder{ResponseWriter: w}
		path := SafePath(r.URL.Path) // before a handler changes it
		defer func() {
			log.LogAttrs(r.Context(), level(rec.code()), "request",
				slog.String("method", clean(r.Method)),
				slog.String("path", path),
				slog.Int("status", rec.code()),
				slog.Int64("bytes", rec.written),
				slog.Duration("took", time.Since(start)),
				slog.String("client", r.RemoteAddr))
		}()
		next.ServeHTTP(rec, r)
	})
}

// level puts an answer where it belongs: our own faults on the operator's
// list, everything else in the story. A phone's wrong password is no fault.
func level(status int) slog.Level {
	if status >= 500 && status != http.StatusServiceUnavailable {
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// SafePath gives a path fit for a log: the device token after /t/ and
// all that follows /app/ masked, control characters replaced, cut to a bound.
func SafePath(path string) string {
	parts := strings.Split(path, "/")
	token, screen := false, false
	for i, p := range parts {
		if (token || screen) && p != "" {
			parts[i] = "***"
		}
		token, screen = p == "t", screen || i == 1 && p == "app"
	}
	return clean(strings.Join(parts, "/"))
}

// clean replaces what could end or forge a log line, and cuts to maxLogged.
func clean(s string) string {
	if len(s) > maxLogged {
		s = strings.ToValidUTF8(s[:maxLogged], "") + "..."
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || (r >= 0x7f && r <= 0x9f) || r == 0x2028 || r == 0x2029 {
			return '?'
		}
		return r
	}, s)
}

// errorLog hands what net/http says (a failed handshake, a malformed request)
// to slog: debug, since any scanner can cause it.
func errorLog(l *slog.Logger) *log.Logger {
	return log.New(logWriter{l}, "", 0)
}

type logWriter struct{ log *slog.Logger }

func (w logWriter) Write(p []byte) (int, error) {
	w.log.Debug("http", "error", clean(strings.TrimSpace(string(p))))
	return len(p), nil
}

// recorder remembers the status and the length of an answer.
type recorder struct {
	http.ResponseWriter
	status  int
	written int64
}

// code is the status sent; a handler that wrote nothing sends 200.
func (r *recorder) code() int { return or(r.status, http.StatusOK) }

// WriteHeader remembers the first final status.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= 200 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write counts the body; it implies 200 as net/http does.
func (r *recorder) Write(p []byte) (int, error) {
	r.status = r.code()
	n, err := r.ResponseWriter.Write(p)
	r.written += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController flush and set deadlines.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
