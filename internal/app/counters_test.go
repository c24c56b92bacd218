package app

import (
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"perch/internal/event"
	"perch/metrics"
)

func TestCounters(t *testing.T) {
	reg := metrics.NewRegistry(metrics.Build{})
	c := counter{node: "here", m: metrics.New(reg, sets([]string{"yealink"}, nil))}
	for _, e := range []event.Event{
		{Type: event.LoginRefused, Node: "here", Door: "feature-code", Reason: "bad_credentials"},
		{Type: event.BindingCreated, Node: "here", Door: "cli"},
		{Type: event.BindingCreated, Node: "here", Door: "cli", Detail: "owner"},
		{Type: event.BindingCreated, Node: "elsewhere", Door: "cli"},
		{Type: event.NotifyAnswered, Node: "here", Brand: "yealink", Detail: "check-sync;reboot=false", Status: 200},
		{Type: event.NotifyAnswered, Node: "here", Brand: "yealink", Detail: "check-sync;reboot=false", Status: 404},
		{Type: event.NotifyAnswered, Node: "here", Brand: "yealink", Detail: "check-sync;reboot=true"},
		{Type: event.TraceReady, Node: "here", Brand: "yealink", Detail: "login", Millis: 1500},
		{Type: event.TraceReady, Node: "here", Brand: "yealink", Detail: "logout", Millis: 1500},
		{Type: event.TraceReady, Node: "here", Brand: "panasonic", Detail: "login", Reason: "skipped", Millis: 5},
		{Type: event.TraceSuperseded, Node: "here", Brand: "yealink"},
		{Type: event.TraceFailed, Node: "here", Brand: "yealink", Target: "fetched"},
	} {
		c.count(e)
	}
	w := httptest.NewRecorder()
	metrics.Handler(reg, slog.New(slog.DiscardHandler)).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	page := w.Body.String()
	for _, line := range []string{
		`perch_logins_total{door="feature-code",result="bad_credentials"} 1`,
		`perch_logins_total{door="cli",result="ok"} 1`,
		`perch_notify_total{brand="yealink",event="check-sync",result="ok"} 1`,
		`perch_notify_total{brand="yealink",event="check-sync",result="refused"} 1`,
		`perch_notify_total{brand="yealink",event="check-sync",result="no_answer"} 1`,
		`perch_login_ready_seconds_count 1`,
		`perch_reload_seconds_count{brand="yealink"} 2`,
		`perch_reloads_total{brand="yealink",result="failed"} 1`,
		`perch_reloads_total{brand="yealink",result="superseded"} 1`,
		`perch_reloads_total{brand="other",result="skipped"} 1`,
		`perch_login_failed_steps_total{step="fetched"} 1`,
	} {
		if !strings.Contains(page, line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
}
