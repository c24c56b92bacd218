package api

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/trace"
)

// Trace is the newest story of one device: from the key press to the lit
// sidecar, or to the step that never came.
type Trace struct {
	ID        string     `json:"id"`
	Kind      string     `json:"kind" doc:"login, logout, reload"`
	Tenant    string     `json:"tenant"`
	Extension *string    `json:"extension" doc:"Who sits there after it; null: nobody"`
	MAC       string     `json:"mac"`
	Line      int        `json:"line"`
	Door      *string    `json:"door"`
	Brand     *string    `json:"brand"`
	State     string     `json:"state" enum:"running,ready,failed"`
	Started   time.Time  `json:"started" doc:"The key press"`
	Ended     *time.Time `json:"ended"`
	Steps     []Step     `json:"steps" doc:"In the order in which they came"`
}

// Step is one step of a trace.
type Step struct {
	Step    string    `json:"step" enum:"accepted,bound,notified,acknowledged,fetched,registered,lit"`
	At      time.Time `json:"at"`
	Millis  int64     `json:"ms" doc:"Since the key press"`
	Detail  *string   `json:"detail" doc:"Of a skipped step: why it could not come"`
	Skipped bool      `json:"skipped"`
	Error   string    `json:"error,omitempty" doc:"Only on a step that failed: what did not happen"`
}

type traceInput struct {
	MAC string `path:"mac" maxLength:"17" doc:"MAC address of the device"`
}

type traceOutput struct{ Body Trace }

func (s *server) trace(ctx context.Context, in *traceInput) (*traceOutput, error) {
	mac, err := parseMAC(in.MAC)
	if err != nil {
		return nil, err
	}
	id, err := s.deviceID(ctx, mac)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	t, err := s.Store.Trace(ctx, id)
	if errors.Is(err, hotdesk.ErrNotFound) {
		return nil, notFound("no_trace", "No trace yet", "Nobody logged in or out there and nobody reloaded it.")
	}
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	return &traceOutput{traceOf(t)}, nil
}

func traceOf(t trace.Trace) Trace {
	out := Trace{
		ID: t.ID, Kind: string(t.Kind), Tenant: string(t.Tenant), Extension: text(t.Number), MAC: t.MAC, Line: max(t.Line, 1),
		Door: text(t.Door), Brand: text(t.Brand), State: string(t.State), Started: moment(t.Started), Steps: []Step{},
	}
	if t.Ended > 0 {
		ended := moment(t.Ended)
		out.Ended = &ended
	}
	order := trace.Steps()
	steps := slices.Clone(t.Steps)
	slices.SortStableFunc(steps, func(a, b trace.Step) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(slices.Index(order, a.Name), slices.Index(order, b.Name)))
	})
	for _, st := range steps {
		out.Steps = append(out.Steps, Step{string(st.Name), moment(st.At), st.Millis, text(st.Detail), st.Skipped, st.Error})
	}
	return out
}

// moment is a time as answers carry it.
func moment(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
