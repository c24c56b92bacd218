package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"perch/hotdesk"
	"perch/hotdesk/audit"
	"perch/hotdesk/directory"
	"perch/internal/apply"
	"perch/internal/httpserver"
)

// ApplyLine is one line of the answer to an apply: progress, and at the end one
// of report, faults and problem.
type ApplyLine struct {
	Phase   string            `json:"phase,omitempty" doc:"read, compare or write"`
	Done    int               `json:"done,omitempty"`
	Total   int               `json:"total,omitempty"`
	Report  *apply.Report     `json:"report,omitempty"`
	Faults  []directory.Fault `json:"faults,omitempty" doc:"Nothing was changed"`
	Problem *Problem          `json:"problem,omitempty"`
}

// progressEvery is how often an apply says how far it is.
const progressEvery = 200 * time.Millisecond

type applyInput struct {
	Name     string `query:"name" maxLength:"255" doc:"Of the file, for messages"`
	DryRun   bool   `query:"dry_run" doc:"Only say what would change"`
	Prune    bool   `query:"prune" doc:"Delete what the file does not name"`
	NewRealm bool   `query:"new_realm" doc:"Let a tenant's digest realm change: every phone of it must fetch its configuration again"`
	RawBody  []byte `contentType:"application/yaml"`
}

func applyOperation() huma.Operation {
	o := op("apply", http.MethodPost, "/apply", "Bring a directory file in")
	o.Description = "The body is the YAML file, at most 64 MiB. The answer is one JSON document per line: progress as {phase, done, total}, " +
		"and as the last line {report}, {faults} (nothing was changed) or {problem}."
	o.MaxBodyBytes, o.BodyReadTimeout = maxFile, fileReadTime
	o.Responses = map[string]*huma.Response{"200": {
		Description: "Progress and result", Content: map[string]*huma.MediaType{"application/x-ndjson": {Schema: &huma.Schema{Type: huma.TypeString}}},
	}}
	return o
}

func (s *server) apply(ctx context.Context, in *applyInput) (*huma.StreamResponse, error) {
	request := apply.Request{Name: in.Name, File: bytes.NewReader(in.RawBody), DryRun: in.DryRun, Prune: in.Prune, NewRealm: in.NewRealm}
	if request.Name == "" {
		request.Name = "request"
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		_, w := humago.Unwrap(hc)
		w.Header().Set("Content-Type", "application/x-ndjson")
		_ = httpserver.Streaming(w) // not supported: the answer has less time
		out := &lines{w: w}
		by := audit.With(ctx, audit.Actor{By: admin, Door: string(hotdesk.API), Detail: "apply " + request.Name})
		report, err := s.Applier.Apply(by, request, out.progress)
		out.last(s.applied(ctx, report, err))
	}}, nil
}

// applied is the last line of the answer.
func (s *server) applied(ctx context.Context, report apply.Report, err error) ApplyLine {
	if faulty, ok := errors.AsType[*apply.Faulty](err); ok {
		return ApplyLine{Faults: faulty.Faults}
	}
	if err == nil {
		return ApplyLine{Report: &report}
	}
	p, ok := errors.AsType[*Problem](s.fault(ctx, err))
	if !ok {
		p = problem(http.StatusInternalServerError, "internal", "Internal error", "The server's log says more.")
	}
	return ApplyLine{Problem: p}
}

// lines writes the answer line by line. A client that has gone ends the apply
// through its context, between two writes; the same file again does the rest.
type lines struct {
	mu    sync.Mutex
	w     http.ResponseWriter
	phase string
	said  time.Time
}

func (l *lines) progress(phase string, done, total int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if phase == l.phase && done < total && now.Sub(l.said) < progressEvery {
		return
	}
	l.phase, l.said = phase, now
	l.write(ApplyLine{Phase: phase, Done: done, Total: total})
}

func (l *lines) last(line ApplyLine) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.write(line)
}

func (l *lines) write(line ApplyLine) {
	out := http.NewResponseController(l.w)
	_ = out.SetWriteDeadline(time.Now().Add(writeTime)) // as in a stream
	if json.NewEncoder(l.w).Encode(line) == nil {
		_ = out.Flush() // the client went away: nobody to tell
	}
}

func exportOperation() huma.Operation {
	o := op("export", http.MethodGet, "/export", "Write the directory out as a file that apply accepts: no secret in clear")
	o.Responses = map[string]*huma.Response{"200": {
		Description: "The directory file", Content: map[string]*huma.MediaType{"application/yaml": {Schema: &huma.Schema{Type: huma.TypeString}}},
	}}
	return o
}

type exportOutput struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

// export is written whole before it is sent: half a directory must not look
// like one.
func (s *server) export(ctx context.Context, _ *struct{}) (*exportOutput, error) {
	var file bytes.Buffer
	if err := s.Applier.Export(ctx, &file); err != nil {
		return nil, s.fault(ctx, err)
	}
	return &exportOutput{"application/yaml", file.Bytes()}, nil
}
