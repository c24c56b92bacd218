package api

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"perch/hotdesk/directory"
	"perch/internal/event"
)

// Support is what a support code leads to: the trace whose id begins with it,
// while the device tells that story, and the events of it that are still kept.
type Support struct {
	Code   string  `json:"code"`
	Trace  *Trace  `json:"trace" doc:"Null: a refusal, or a story that the device has told another since"`
	Events []Event `json:"events" doc:"What happened, the oldest first; a refusal says its reason"`
}

type supportInput struct {
	Code   string `path:"code" minLength:"8" maxLength:"64" pattern:"^[0-9A-Za-z-]+$" doc:"As the phone shows it, or a whole trace id"`
	Tenant string `query:"tenant" maxLength:"32" doc:"Only this tenant"`
}

type supportOutput struct{ Body Support }

// Bounds of a search: the time that it may take, and the events in the answer.
const (
	searchWithin = 10 * time.Second
	maxFound     = 200
)

// byCode looks for the code in the newest traces, then in the event streams.
func (s *server) byCode(ctx context.Context, in *supportInput) (*supportOutput, error) {
	tenants, err := s.scope(ctx, in.Tenant)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	out := Support{Code: in.Code, Events: []Event{}}
	matches := func(id string) bool { return strings.HasPrefix(strings.ToLower(id), strings.ToLower(in.Code)) }
	for _, t := range tenants {
		traces, err := s.Store.AllTraces(ctx, t)
		if err != nil {
			return nil, s.fault(ctx, err)
		}
		for _, mac := range slices.SortedFunc(maps.Keys(traces), func(a, b directory.MAC) int { return slices.Compare(a[:], b[:]) }) {
			if tr := traces[mac]; out.Trace == nil && matches(tr.ID) {
				found := traceOf(tr)
				out.Trace = &found
			}
		}
	}
	if out.Events, err = s.told(ctx, tenants, matches); err != nil {
		return nil, s.fault(ctx, err)
	}
	if out.Trace == nil && len(out.Events) == 0 {
		return nil, notFound("no_such_code", "No such code", "No story that is still kept begins with this code: check it, and look in the log of that time.")
	}
	return &supportOutput{out}, nil
}

// told reads the streams of the tenants from their beginning up to now.
func (s *server) told(ctx context.Context, tenants []directory.TenantCode, matches func(string) bool) ([]Event, error) {
	until, err := s.News.Positions(ctx)
	if err != nil {
		return nil, err
	}
	from := map[directory.TenantCode]string{}
	open := map[directory.TenantCode]string{}
	for t, last := range until {
		from[t] = last // only news from there: not asked for
		if slices.Contains(tenants, t) && last != "" && last != "0" && last != "0-0" {
			from[t], open[t] = "0", last
		}
	}
	out := []Event{}
	if len(open) == 0 {
		return out, nil
	}
	ctx, cancel := context.WithTimeout(ctx, searchWithin)
	defer cancel()
	err = s.News.Follow(ctx, from, func(e event.Event) {
		if _, asked := open[e.Tenant]; !asked {
			return
		}
		if matches(e.Trace) && len(out) < maxFound {
			out = append(out, eventOf(e))
		}
		if open[e.Tenant] == e.ID {
			if delete(open, e.Tenant); len(open) == 0 {
				cancel()
			}
		}
	})
	if len(open) == 0 || ctx.Err() != nil {
		return out, nil
	}
	return out, err
}
