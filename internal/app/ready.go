package app

import (
	"encoding/json"
	"net/http"
	"sync"
)

// readiness tells the truth about what is up, and names what is not.
type readiness struct {
	mu      sync.Mutex
	parts   []string
	waiting map[string]string // part -> why it is not ready
	notes   map[string]string
}

func newReadiness(parts ...string) *readiness {
	r := &readiness{parts: parts, waiting: map[string]string{}, notes: map[string]string{}}
	for _, p := range parts {
		r.waiting[p] = "starting"
	}
	return r
}

// set says that a part is ready (empty why) or why it is not.
func (r *readiness) set(part, why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if why == "" {
		delete(r.waiting, part)
	} else {
		r.waiting[part] = why
	}
}

// note adds what an operator should know of a part that is ready.
func (r *readiness) note(part, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes[part] = text
}

type partState struct {
	Part  string `json:"part"`
	Ready bool   `json:"ready"`
	Why   string `json:"why,omitempty"`
	Note  string `json:"note,omitempty"`
}

// ServeHTTP answers /readyz: 200 when every part is ready, else 503; the body
// names each part.
func (r *readiness) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	r.mu.Lock()
	var body struct {
		Ready bool        `json:"ready"`
		Parts []partState `json:"parts"`
	}
	body.Ready = len(r.waiting) == 0
	for _, p := range r.parts {
		why, waiting := r.waiting[p]
		body.Parts = append(body.Parts, partState{p, !waiting, why, r.notes[p]})
	}
	r.mu.Unlock()
	code := http.StatusOK
	if !body.Ready {
		code = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "1")
	}
	answer(w, code, body)
}

// healthy answers /healthz: the process lives and its handlers run.
func healthy(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]string{"status": "ok"})
}

func answer(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v) // the client went away: nobody to tell
}
