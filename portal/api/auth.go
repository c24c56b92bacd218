package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

// authorized lets only requests with the token through.
// Digests are compared, so that neither content nor length shows in the time.
func (s *server) authorized(next http.Handler) http.Handler {
	want := sha256.Sum256([]byte(s.Token.Reveal()))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.personal(next, w, r) {
			return
		}
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		have := sha256.Sum256([]byte(strings.TrimSpace(token)))
		if !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare(have[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="perch"`)
			writeProblem(w, problem(http.StatusUnauthorized, "unauthorized", "Not authorized",
				"Send the token as \"Authorization: Bearer <token>\"; it is in the server's data_dir, file "+TokenFile+"."))
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// orProblem answers what no route takes with a problem instead of plain text.
func orProblem(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		refusal := &refusal{header: http.Header{}}
		h.ServeHTTP(refusal, r)
		if refusal.status == http.StatusMethodNotAllowed {
			w.Header()["Allow"] = refusal.header["Allow"]
			writeProblem(w, problem(http.StatusMethodNotAllowed, "method", "Method not allowed", "The path exists, but not with this method: see Allow."))
			return
		}
		writeProblem(w, problem(http.StatusNotFound, "no_such_path", "No such path", "The API is described in "+Prefix+"/openapi.json."))
	})
}

// refusal takes only the status and the header of what a mux answers itself.
type refusal struct {
	header http.Header
	status int
}

func (r *refusal) Header() http.Header         { return r.header }
func (r *refusal) WriteHeader(status int)      { r.status = status }
func (r *refusal) Write(p []byte) (int, error) { return len(p), nil }
