package httpserver

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"
)

// Recovered answers 500 when the handler panics, logs the stack and calls
// counted. The panic's own text is not logged: it may quote the request. An
// answer that has begun is cut off instead, since its rest would be wrong.
func Recovered(log *slog.Logger, counted func(), next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := &recorder{ResponseWriter: w}
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if v == http.ErrAbortHandler { // net/http compares it like this as well
				panic(v)
			}
			counted()
			log.Error("handler panicked", "path", SafePath(r.URL.Path), "type", fmt.Sprintf("%T", v), "stack", string(debug.Stack()))
			if rec.status != 0 {
				panic(http.ErrAbortHandler)
			}
			http.Error(w, "internal error", http.StatusInternalServerError)
		}()
		next.ServeHTTP(rec, r)
	})
}

// LimitBody refuses a body longer than limit bytes: at once with 413 when its
// length is declared, else when it is read too far (http.MaxBytesError).
func LimitBody(limit int64, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > limit {
			w.Header().Set("Connection", "close")
			http.Error(w, "request body too large", http.StatusRequestEntityTooLarge)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		next.ServeHTTP(w, r)
	})
}

// Secured sets the headers that keep a browser strict: nothing is loaded but
// from here, nothing is framed, no type is guessed and no address leaks. A
// handler may replace a value. Over TLS the browser is told to stay there.
func Secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "+
			"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if r.TLS != nil {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// Unavailable answers 503 with Retry-After in whole seconds (RFC 9110 section
// 10.2.3): the store does not answer, nothing is guessed, ask again.
func Unavailable(w http.ResponseWriter, after time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(max(1, int((after+time.Second-1)/time.Second))))
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, "temporarily unavailable", http.StatusServiceUnavailable)
}
