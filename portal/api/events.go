package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"perch/hotdesk/directory"
	"perch/internal/event"
	"perch/internal/httpserver"
	"perch/sip/calls"
)

// Bounds of the event streams.
const (
	maxStreams   = 64   // open at once
	streamBuffer = 1024 // events a client may be behind before it is cut off
	heartbeat    = 15 * time.Second
	writeTime    = 10 * time.Second // for one write to a client
	maxPositions = 50               // tenants whose positions one id can hold
)

// Event is one piece of news, as the stream gives it.
type Event struct {
	Type   string    `json:"type"`
	At     time.Time `json:"at"`
	Tenant string    `json:"tenant"`
	MAC    string    `json:"mac,omitempty"`
	Line   int       `json:"line,omitempty"`
	Number string    `json:"extension,omitempty"`
	Trace  string    `json:"trace,omitempty"`
	Door   string    `json:"door,omitempty"`
	Brand  string    `json:"brand,omitempty"`
	Reason string    `json:"reason,omitempty"`
	Target string    `json:"target,omitempty"`
	Detail string    `json:"detail,omitempty"`
	Status int       `json:"status,omitempty"`
	Millis int64     `json:"ms,omitempty"`
	Call   *Call     `json:"call,omitempty" doc:"Of the events call.started, call.changed and call.ended"`
}

type eventsInput struct {
	Tenant      string `query:"tenant" maxLength:"32" doc:"Only this tenant"`
	MAC         string `query:"mac" maxLength:"17" doc:"Only this device"`
	LastEventID string `header:"Last-Event-ID" maxLength:"8192" doc:"Go on after this id; left out: from now on"`
}

func eventsOperation() huma.Operation {
	o := op("events", http.MethodGet, "/events", "What happens, as server-sent events")
	o.Description = "One event per message, its type as the event name. The id goes on where a stream broke, with Last-Event-ID; " +
		"an installation of more than 50 tenants gives ids only when one tenant is asked for. A comment line every 15 s shows that the stream lives. " +
		"A client that falls behind is cut off and comes back with the last id it saw."
	o.Responses = map[string]*huma.Response{"200": {
		Description: "The stream", Content: map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}},
	}}
	return o
}

func (s *server) events(ctx context.Context, in *eventsInput) (*huma.StreamResponse, error) {
	mac, err := parseMAC(in.MAC)
	if err != nil {
		return nil, err
	}
	if in.Tenant != "" {
		if _, err := s.scope(ctx, in.Tenant); err != nil {
			return nil, s.fault(ctx, err)
		}
	}
	st := &stream{tenant: directory.TenantCode(in.Tenant), news: make(chan event.Event, streamBuffer)}
	if !mac.IsZero() {
		st.mac = mac.String()
	}
	if st.at, err = s.News.Positions(ctx); err != nil {
		return nil, s.fault(ctx, err)
	}
	if err := st.resume(in.LastEventID); err != nil {
		return nil, err
	}
	select {
	case s.streams <- struct{}{}:
	default:
		return nil, huma.ErrorWithHeaders(problem(http.StatusServiceUnavailable, "too_many_streams", "Too many event streams",
			"As many streams are open as this server allows: close one."), http.Header{"Retry-After": {"10"}})
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer func() { <-s.streams }()
		_, w := humago.Unwrap(hc)
		s.serve(ctx, st, w)
	}}, nil
}

// stream is one client's view.
type stream struct {
	tenant directory.TenantCode // empty: all
	mac    string               // empty: all
	at     map[directory.TenantCode]string
	news   chan event.Event
}

var position = regexp.MustCompile(`^([a-z0-9-]{1,32}) ([0-9]{1,20}-[0-9]{1,20}|0)$`)

// resume puts the positions of an id over the current ones. A tenant that the
// id does not know was made later and is read from its beginning, unless the id
// is of one tenant only.
func (st *stream) resume(id string) error {
	if id == "" {
		return nil
	}
	from := map[directory.TenantCode]string{}
	for one := range strings.SplitSeq(id, ",") {
		m := position.FindStringSubmatch(one)
		if m == nil || len(from) > maxPositions {
			return badRequest("Last-Event-ID: is not one that this server gave out.")
		}
		from[directory.TenantCode(m[1])] = m[2]
	}
	for code := range st.at {
		if at, known := from[code]; known {
			st.at[code] = at
		} else if st.tenant == "" {
			st.at[code] = "0"
		}
	}
	return nil
}

// id says where the stream is after the events so far; empty where that is too
// much to say.
func (st *stream) id() string {
	if st.tenant != "" {
		return string(st.tenant) + " " + st.at[st.tenant]
	}
	if len(st.at) > maxPositions {
		return ""
	}
	var parts []string
	for _, code := range slices.Sorted(maps.Keys(st.at)) {
		parts = append(parts, string(code)+" "+st.at[code])
	}
	return strings.Join(parts, ",")
}

// serve sends events until the client goes, or falls behind.
func (s *server) serve(ctx context.Context, st *stream, w http.ResponseWriter) {
	ctx, stop := context.WithCancel(ctx)
	from := maps.Clone(st.at)
	over := make(chan struct{})
	go func() {
		defer close(over)
		err := s.News.Follow(ctx, from, func(e event.Event) {
			select {
			case st.news <- e:
			default:
				stop() // behind: it comes back with its last id
			}
		})
		if err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "event stream ended", "err", err)
		}
		stop()
	}()
	defer func() { stop(); <-over }()
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // proxies hold streams back otherwise
	if err := httpserver.Streaming(w); err != nil && !errors.Is(err, http.ErrNotSupported) {
		s.Log.WarnContext(ctx, "event stream not opened", "err", err)
		return
	}
	st.copy(ctx, w, s.Closing)
}

// copy writes what comes, and a comment now and then.
func (st *stream) copy(ctx context.Context, w http.ResponseWriter, closing <-chan struct{}) {
	out := http.NewResponseController(w)
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	send := func(message string) bool {
		_ = out.SetWriteDeadline(time.Now().Add(writeTime)) // not supported: the write just takes longer
		_, err := io.WriteString(w, message)
		return err == nil && out.Flush() == nil
	}
	if !send("retry: 1000\n\n") {
		return
	}
	for {
		ok := true
		select {
		case <-ctx.Done():
			return
		case <-closing:
			return
		case <-beat.C:
			ok = send(": alive\n\n")
		case e := <-st.news:
			st.at[e.Tenant] = e.ID
			if st.wants(e) {
				ok = send(st.message(e))
			}
		}
		if !ok {
			return
		}
	}
}

func (st *stream) wants(e event.Event) bool {
	return (st.tenant == "" || e.Tenant == st.tenant) && (st.mac == "" || e.MAC == st.mac)
}

// message is an event on the wire (HTML Living Standard section 9.2). JSON has
// no line break, and the types are a closed set.
func (st *stream) message(e event.Event) string {
	body, _ := json.Marshal(eventOf(e)) // plain values: cannot fail
	head := ""
	if id := st.id(); id != "" {
		head = "id: " + id + "\n"
	}
	return fmt.Sprintf("%sevent: %s\ndata: %s\n\n", head, e.Type, body)
}

// eventOf leaves out what is nobody's business: session ids above all.
func eventOf(e event.Event) Event {
	out := Event{
		Type: string(e.Type), At: moment(e.At), Tenant: string(e.Tenant), MAC: e.MAC, Line: e.Line, Number: e.Number,
		Trace: e.Trace, Door: e.Door, Brand: e.Brand, Reason: e.Reason, Target: e.Target, Detail: e.Detail, Status: e.Status, Millis: e.Millis,
	}
	var c calls.Call
	if e.Call != nil && json.Unmarshal(e.Call, &c) == nil {
		c.Tenant = e.Tenant
		row := callOf(&c)
		out.Call, out.Trace = &row, row.Trace
	}
	return out
}
