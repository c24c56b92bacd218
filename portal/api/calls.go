package api

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/sip/calls"
)

// Calls reads calls. What does not exist wraps hotdesk.ErrNotFound.
type Calls interface {
	Calls(ctx context.Context, t directory.TenantCode) iter.Seq2[calls.Call, error]
	Call(ctx context.Context, t directory.TenantCode, id calls.ID) (calls.Call, error)
	// PastCall reads one that has ended, while it is remembered.
	PastCall(ctx context.Context, t directory.TenantCode, id calls.ID) (calls.Call, error)
}

// Call is one call that is up.
type Call struct {
	Tenant string    `json:"tenant"`
	Caller string    `json:"caller" doc:"Its number, else the MAC of its desk, else its URI"`
	Callee string    `json:"callee" doc:"Who answered, else who was called"`
	Device *string   `json:"device" doc:"MAC of the caller's device; null: none is known"`
	At     []string  `json:"at" doc:"MACs of the called devices that ring or talk"`
	Since  time.Time `json:"since" doc:"Its INVITE"`
	State  string    `json:"state" enum:"trying,proceeding,early,confirmed"`
	Kind   *string   `json:"kind" enum:"feature,emergency" doc:"null: an ordinary call"`
	Node   *string   `json:"node"`
	Trace  string    `json:"trace" doc:"For /calls/{trace}"`
}

// CallTrace is the story of one call, also for some minutes after its end.
type CallTrace struct {
	Call
	Answered *time.Time `json:"answered"`
	Ended    *time.Time `json:"ended"`
	By       *string    `json:"by" enum:"caller,called,perch" doc:"Who ended it"`
	Reason   *string    `json:"reason" enum:"hung_up,cancelled,refused,no_answer,expired,gone,restarted"`
	Status   *int       `json:"status" doc:"Final response to the caller"`
	Steps    []CallStep `json:"steps"`
}

// CallStep is one step of a call.
type CallStep struct {
	Step   string    `json:"step" enum:"invite,trying,ringing,answered,refused,ended"`
	At     time.Time `json:"at"`
	Millis int64     `json:"ms" doc:"Since the INVITE"`
	MAC    *string   `json:"mac"`
	Number *string   `json:"extension"`
	Status *int      `json:"status"`
	Detail *string   `json:"detail"`
}

type (
	callsOutput struct {
		Link string `header:"Link" doc:"The next part, rel=next"`
		Body []Call
	}
	callsInput struct {
		Tenant string `query:"tenant" maxLength:"32" doc:"Only this tenant"`
		Limit  int    `query:"limit" minimum:"0" maximum:"100000" doc:"At most so many, with a Link to the next; 0 is all"`
		Cursor string `query:"cursor" maxLength:"4096" doc:"Where to go on: from the Link of the part before"`
	}
	callInput struct {
		Trace string `path:"trace" minLength:"24" maxLength:"24" pattern:"^[0-9a-f]*$" doc:"Of the list, or of an event"`
	}
	callOutput struct{ Body CallTrace }
)

func (s *server) callRoutes(a huma.API) {
	if s.Calls == nil {
		return
	}
	huma.Register(a, op("calls", http.MethodGet, "/calls", "The calls that are up or being set up"), s.calls)
	huma.Register(a, op("call", http.MethodGet, "/calls/{trace}", "One call step by step, also for some minutes after its end"), s.call)
	huma.Register(a, op("presence", http.MethodGet, "/presence", "What each extension's watchers are shown"), s.presence)
}

func (s *server) calls(ctx context.Context, in *callsInput) (*callsOutput, error) {
	codes, err := s.scope(ctx, in.Tenant)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	rows := []Call{}
	for _, t := range codes {
		for c, err := range s.Parts.Calls.Calls(ctx, t) {
			if err != nil {
				return nil, s.fault(ctx, err)
			}
			rows = append(rows, callOf(&c))
		}
	}
	rows, link, err := page(rows, func(c Call) string {
		return c.Tenant + "\x00" + c.Since.Format("20060102150405.000") + "\x00" + c.Trace
	}, "/calls", List{Tenant: in.Tenant, Limit: in.Limit, Cursor: in.Cursor})
	if err != nil {
		return nil, err
	}
	return &callsOutput{link, rows}, nil
}

func (s *server) call(ctx context.Context, in *callInput) (*callOutput, error) {
	codes, err := s.scope(ctx, "")
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	id := calls.ID(in.Trace)
	for _, t := range codes {
		for _, read := range []func(context.Context, directory.TenantCode, calls.ID) (calls.Call, error){s.Parts.Calls.Call, s.Parts.Calls.PastCall} {
			c, err := read(ctx, t, id)
			if err == nil {
				return &callOutput{callTraceOf(&c)}, nil
			}
			if !errors.Is(err, hotdesk.ErrNotFound) {
				return nil, s.fault(ctx, err)
			}
		}
	}
	return nil, notFound("no_call", "No such call", "There is no call of that trace, or it ended some time ago.")
}

func callOf(c *calls.Call) Call {
	out := Call{
		Tenant: string(c.Tenant), At: []string{}, Since: moment(c.Began), State: string(c.Phase()), Kind: text(c.Kind),
		Node: text(c.Node), Trace: string(c.ID),
	}
	if len(c.Legs) == 0 {
		return out
	}
	caller := &c.Legs[0]
	out.Caller, out.Callee, out.Device = named(caller.Party), named(c.Peer(caller)), text(caller.Party.MAC)
	for i := range c.Legs[1:] {
		if l := &c.Legs[1+i]; c.Live(l) && l.Party.MAC != "" {
			out.At = append(out.At, l.Party.MAC)
		}
	}
	return out
}

// named is one end in a word.
func named(p calls.Party) string {
	for _, word := range []string{p.Number, p.MAC, p.URI} {
		if word != "" {
			return word
		}
	}
	return "unknown"
}

func callTraceOf(c *calls.Call) CallTrace {
	out := CallTrace{
		Call: callOf(c), Answered: momentOrNull(c.Answered), Ended: momentOrNull(c.Ended),
		By: text(c.By), Reason: text(c.Reason), Status: number(c.Status), Steps: []CallStep{},
	}
	for _, s := range c.Steps {
		out.Steps = append(out.Steps, CallStep{s.Step, moment(s.At), s.MS, text(s.MAC), text(s.Number), number(s.Status), text(s.Detail)})
	}
	return out
}

func momentOrNull(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	t := moment(ms)
	return &t
}

func number(n int) *int {
	if n == 0 {
		return nil
	}
	return &n
}
