package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"perch/hotdesk/directory"
	"perch/internal/event"
	"perch/internal/httpserver"
	"perch/sip/location"
	"perch/sip/siptrace"
)

// SIPTrace shows the SIP messages of this node as they pass. The error of Watch
// is siptrace.ErrTooMany.
type SIPTrace interface {
	Watch(f siptrace.Filter) (*siptrace.Watcher, error)
}

// SIPMessage is one message that passed a socket, its secrets cut out.
type SIPMessage struct {
	At        time.Time `json:"at"`
	Transport string    `json:"transport"`
	In        bool      `json:"in"` // the phone sent it
	Local     string    `json:"local"`
	Remote    string    `json:"remote"`
	Text      string    `json:"text"`
	Dropped   uint64    `json:"dropped,omitempty"` // messages that this stream lost so far, being slow
}

type sipTraceInput struct {
	MAC       string `query:"mac" maxLength:"17" doc:"The messages of this device"`
	Tenant    string `query:"tenant" maxLength:"32" doc:"Of the extension; left out: the only tenant"`
	Extension string `query:"extension" maxLength:"32" doc:"The messages of this extension, wherever it is registered"`
}

func sipTraceOperation() huma.Operation {
	o := op("sip-trace", http.MethodGet, "/sip-trace", "The SIP messages of one device or extension, live, as server-sent events")
	o.Description = "Each message is one event of type message, without credentials and without what was dialled behind a feature code. " +
		"Only messages of this node are in it. At most " + fmt.Sprint(siptrace.MaxWatchers) + " streams are open at once; a client that is slow misses messages and is told how many."
	o.Responses = map[string]*huma.Response{"200": {
		Description: "The stream", Content: map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}},
	}}
	return o
}

func (s *server) sipTrace(ctx context.Context, in *sipTraceInput) (*huma.StreamResponse, error) {
	if s.SIPTrace == nil {
		return nil, notFound("no_sip_trace", "No SIP trace", "This server does not speak SIP.")
	}
	filter, err := s.filter(ctx, in)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	w, err := s.SIPTrace.Watch(filter)
	if errors.Is(err, siptrace.ErrTooMany) {
		return nil, huma.ErrorWithHeaders(problem(http.StatusServiceUnavailable, "too_many_streams", "Too many SIP traces",
			"As many traces are running as this server allows: end one."), http.Header{"Retry-After": {"10"}})
	}
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	s.Log.InfoContext(ctx, "sip trace begins", "mac", filter.MAC, "extension", filter.Number)
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer w.Close()
		_, out := humago.Unwrap(hc)
		s.showSIP(ctx, w, out)
		s.Log.InfoContext(ctx, "sip trace ends", "mac", filter.MAC, "extension", filter.Number)
	}}, nil
}

// filter resolves whose messages are asked for, and where that one is
// registered from now.
func (s *server) filter(ctx context.Context, in *sipTraceInput) (siptrace.Filter, error) {
	mac, err := parseMAC(in.MAC)
	if err != nil {
		return siptrace.Filter{}, err
	}
	if mac.IsZero() == (in.Extension == "") {
		return siptrace.Filter{}, badRequest("Name either mac or extension.")
	}
	code, err := s.tenantFor(ctx, in.Tenant, mac)
	if err != nil {
		return siptrace.Filter{}, err
	}
	f := siptrace.Filter{Number: in.Extension}
	if !mac.IsZero() {
		f.MAC = mac.String()
	} else {
		if _, err := s.Store.Extension(ctx, directory.ExtensionID{Tenant: code, Number: in.Extension}); err != nil {
			return f, err
		}
		tenant, err := s.Store.Tenant(ctx, code)
		if err != nil {
			return f, err
		}
		for _, d := range tenant.Domains {
			f.Domains = append(f.Domains, strings.ToLower(d))
		}
	}
	if err := s.acted(ctx, event.Event{Tenant: code, MAC: f.MAC, Number: f.Number, Detail: "sip-trace"}); err != nil {
		return f, err
	}
	err = s.Store.EachContact(ctx, code, func(user string, c location.Contact) error {
		if f.MAC != "" && c.MAC == f.MAC || f.MAC == "" && user == f.Number {
			f.Peers = append(f.Peers, c.Flow.Remote)
		}
		return nil
	})
	return f, err
}

// showSIP sends messages until the client goes or the server stops.
func (s *server) showSIP(ctx context.Context, w *siptrace.Watcher, out http.ResponseWriter) {
	h := out.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // proxies hold streams back otherwise
	if err := httpserver.Streaming(out); err != nil && !errors.Is(err, http.ErrNotSupported) {
		s.Log.WarnContext(ctx, "sip trace not opened", "err", err)
		return
	}
	control := http.NewResponseController(out)
	send := func(text string) bool {
		_ = control.SetWriteDeadline(time.Now().Add(writeTime)) // not supported: the write just takes longer
		_, err := io.WriteString(out, text)
		return err == nil && control.Flush() == nil
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for ok := send(": watching\n\n"); ok; {
		select {
		case <-ctx.Done():
			return
		case <-s.Closing:
			return
		case <-beat.C:
			ok = send(": alive\n\n")
		case m := <-w.C():
			body, _ := json.Marshal(SIPMessage{m.At.UTC(), m.Transport, m.In, m.Local, m.Remote, string(m.Text), m.Dropped}) // plain values: cannot fail
			ok = send("event: message\ndata: " + string(body) + "\n\n")
		}
	}
}
