package api

import (
	"bufio"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"perch/hotdesk/directory"
	"perch/hotdesk/trace"
	"perch/internal/apply"
)

func stateName(s string) trace.State { return trace.State(s) }

// message is one event as a client reads it.
type message struct {
	id, name string
	event    Event
}

// listen opens a stream and gives its messages.
func (w *world) listen(query, after string) <-chan message {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, w.url+"/events"+query, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	if after != "" {
		r.Header.Set("Last-Event-ID", after)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" {
		w.t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	out := make(chan message, 100)
	go func() {
		defer close(out)
		var m message
		for scan := bufio.NewScanner(resp.Body); scan.Scan(); {
			name, value, _ := strings.Cut(scan.Text(), ": ")
			switch name {
			case "id":
				m.id = value
			case "event":
				m.name = value
			case "data":
				_ = json.Unmarshal([]byte(value), &m.event)
			case "":
				if m.name != "" {
					out <- m
				}
				m = message{}
			}
		}
	}()
	return out
}

func TestEventsResume(t *testing.T) {
	w := newWorld(t, nil)
	all := w.listen("", "")
	one := w.listen("?tenant=acme&mac="+desk2, "")
	w.login("1001", desk1)
	w.login("1002", desk2)
	var ids []string
	for _, want := range []string{"binding.created 1001", "reload.requested 1001", "binding.created 1002", "reload.requested 1002"} {
		m := within(t, all)
		if got := m.name + " " + m.event.Number; got != want || m.event.Tenant != "acme" || m.event.At.IsZero() || m.name != m.event.Type {
			t.Errorf("%+v, want %s", m, want)
		}
		ids = append(ids, m.id)
	}
	if m := within(t, one); m.name != "binding.created" || m.event.Number != "1002" || !strings.HasPrefix(m.id, "acme ") {
		t.Errorf("%+v", m)
	}
	if m := within(t, w.listen("", ids[1])); m.event.Number != "1002" || m.id != ids[2] {
		t.Errorf("resumed at %+v", m)
	}
	if m := within(t, w.listen("?tenant=acme", strings.Split(ids[0], ",")[0])); m.name != "reload.requested" || m.event.Number != "1001" {
		t.Errorf("resumed at %+v", m)
	}
	close(w.closing)
	for range one { // ends with the server
	}
}

func TestForeignEventIDs(t *testing.T) {
	for _, id := range []string{"x", "acme 1-0;beta", "acme 1-0,,", "acme 1-0\x00", "acme $", "acme -"} {
		st := &stream{at: map[directory.TenantCode]string{"acme": "5-0"}}
		if err := st.resume(id); err == nil {
			t.Errorf("%q was accepted", id)
		}
	}
}

// applied reads the lines of an answer to an apply.
func (w *world) applied(path, file string) []ApplyLine {
	w.t.Helper()
	code, body := w.do("POST", path, file)
	if code != 200 {
		w.t.Fatalf("%d %s", code, body)
	}
	var out []ApplyLine
	for line := range strings.Lines(body) {
		var l ApplyLine
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			w.t.Fatal(err, line)
		}
		out = append(out, l)
	}
	return out
}

func TestApplyAndExport(t *testing.T) {
	w := newWorld(t, nil)
	got := w.applied("/apply?name=office.yaml", office)
	last := got[len(got)-1]
	if last.Report == nil || len(last.Report.Lines) != 0 || got[0].Phase != "read" {
		t.Errorf("the same file changed something: %+v", got)
	}
	got = w.applied("/apply?dry_run=true&name=x", strings.Replace(office, "Grace Hopper", "Grace", 1))
	if r := got[len(got)-1].Report; r == nil || !r.DryRun || r.Counts.Updated != 1 || !strings.Contains(r.Lines[0], "Grace") {
		t.Errorf("%+v", r)
	}
	got = w.applied("/apply?name=bad.yaml", "tenants:\n  - code: ACME\n    colour: red\n")
	if f := got[len(got)-1].Faults; len(f) < 2 || f[0].File != "bad.yaml" || f[0].Line != 2 {
		t.Errorf("%+v", got)
	}
	code, file := w.do("GET", "/export", "")
	if code != 200 || !strings.Contains(file, "Ada Lovelace") || strings.Contains(file, "4321") {
		t.Errorf("%d %s", code, file)
	}
	got = w.applied("/apply?name=export.yaml", file)
	if r := got[len(got)-1].Report; r == nil || len(r.Lines) != 0 {
		t.Errorf("the export changes something: %+v", got)
	}
}

func TestApplyWhileTheStoreIsAway(t *testing.T) {
	h := &server{Parts: Parts{Log: discard()}}
	_, err := away{}.Apply(t.Context(), apply.Request{}, nil)
	if l := h.applied(t.Context(), apply.Report{}, err); l.Problem == nil || l.Problem.Status != 503 {
		t.Errorf("%+v", l)
	}
}
