package api

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"perch/sip/siptrace"
)

// TestSIPTrace: the stream shows what passes, ends with its client, and gives
// its place back.
func TestSIPTrace(t *testing.T) {
	tracer := &siptrace.Tracer{}
	w := newWorld(t, func(p *Parts) { p.SIPTrace = tracer })
	for path, want := range map[string]int{
		"/sip-trace": 400, "/sip-trace?mac=" + desk1 + "&extension=1001": 400, "/sip-trace?mac=001565ffffff": 404,
		"/sip-trace?tenant=acme&extension=9": 404, "/sip-trace?extension=1001": 400, "/sip-trace?mac=nonsense": 400,
	} {
		if code, body := w.do("GET", path, ""); code != want {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
	ctx, leave := context.WithTimeout(t.Context(), 20*time.Second)
	defer leave()
	var first *bufio.Scanner
	for i := range siptrace.MaxWatchers {
		path := "/sip-trace?mac=" + desk1
		if i > 0 {
			path = "/sip-trace?tenant=acme&extension=1001"
		}
		r, err := http.NewRequestWithContext(ctx, "GET", w.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(r)
		if err != nil || resp.StatusCode != 200 {
			t.Fatal(resp, err)
		}
		defer resp.Body.Close()
		if i == 0 {
			first = bufio.NewScanner(resp.Body)
		}
	}
	if code, body := w.do("GET", "/sip-trace?mac="+desk1, ""); code != 503 {
		t.Errorf("one too many: %d %s", code, body)
	}
	tracer.Saw(siptrace.Packet{
		Transport: "udp", In: true, Local: "192.0.2.10:5060", Remote: "192.0.2.1:5060",
		Text: []byte("REGISTER sip:acme.test SIP/2.0\r\nFrom: <sip:" + desk1 + "@acme.test>\r\nAuthorization: Digest response=\"s3cret\"\r\n\r\n"),
	})
	for first.Scan() {
		data, ok := strings.CutPrefix(first.Text(), "data: ")
		if !ok {
			continue
		}
		if !strings.Contains(data, `"in":true,"local":"192.0.2.10:5060","remote":"192.0.2.1:5060","text":"REGISTER sip:acme.test`) || strings.Contains(data, "s3cret") {
			t.Errorf("event %s", data)
		}
		break
	}
	leave()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(10 * time.Second); tracer.On(); <-tick.C {
		if time.Now().After(end) {
			t.Fatal("the clients have gone, and somebody watches still")
		}
	}
}
