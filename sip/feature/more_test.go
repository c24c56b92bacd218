package feature_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"perch/hotdesk"
	"perch/metrics"
	"perch/sip/feature"
	"perch/sip/media"
)

// TestRoutes: the BYE takes the way that the INVITE recorded (RFC 3261 section
// 12.2.1.1), to the target of the last change.
func TestRoutes(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(o *office) { o.loginAt = make(chan struct{}) })
	p := newPhone(t, o.at)
	d := p.dials("*11*1001*4321")
	d.extra = []string{"Record-Route: <sip:p2.example.test;lr>, <sip:p1.example.test;lr>"}
	ok := d.invite().answered()
	if got := ok.get("Record-Route"); got != "<sip:p2.example.test;lr>, <sip:p1.example.test;lr>" {
		t.Errorf("Record-Route of the 200: %q", got)
	}
	d.ack(ok)
	d.noContact, d.cseq, d.branch = true, d.cseq+1, d.branch+"-moved"
	p.send(d.message("INVITE", target(ok), d.branch, d.cseq, []string{"Contact: <sip:moved@192.0.2.7:5070>"}, p.session("sendrecv", 0, 2)))
	moved := p.expect("200 to the re-INVITE", func(m message) bool {
		return m.status() == 200 && m.get("CSeq") == fmt.Sprintf("%d INVITE", d.cseq)
	})
	d.ack(moved)
	close(o.loginAt)
	bye := p.request("BYE")
	if bye.start != "BYE sip:moved@192.0.2.7:5070 SIP/2.0" || bye.get("Route") != "<sip:p2.example.test;lr>, <sip:p1.example.test;lr>" {
		t.Errorf("%s with Route %q", bye.start, bye.get("Route"))
	}
	p.reply(bye, "200 OK")
}

// TestResultsAreCounted: each call once, by how it ended.
func TestResultsAreCounted(t *testing.T) {
	t.Parallel()
	reg := metrics.NewRegistry(metrics.Build{})
	o := newOffice(t, func(o *office) {
		o.parts.Metrics = metrics.New(reg, metrics.Sets{}).Features
		o.gate = make(chan struct{})
	})
	p := newPhone(t, o.at)
	cancelled := p.dials("*12").invite()
	o.await("start")
	p.send(cancelled.message("CANCEL", cancelled.uri, cancelled.branch, cancelled.cseq, nil, ""))
	cancelled.refused()
	o.await("end")
	close(o.gate)
	for _, user := range []string{"*14", "*13"} {
		d := p.dials(user).invite()
		d.ack(d.answered())
		p.reply(p.request("BYE"), "200 OK")
	}
	failed := p.dials("*11*1001*4321")
	failed.sdp = p.offer("sendrecv", 18)
	failed.invite().refused()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(patience)
	for {
		missing := ""
		text := scrape(reg)
		for _, want := range []string{
			`{code="logout",result="cancelled"} 1`, `{code="reload",result="ok"} 1`,
			`{code="whoami",result="refused"} 1`, `{code="login",result="failed"} 1`,
		} {
			if !strings.Contains(text, "perch_feature_calls_total"+want) {
				missing = want
			}
		}
		if missing == "" {
			return
		}
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("no %s", missing)
		}
	}
}

func scrape(reg *metrics.Registry) string {
	rec := httptest.NewRecorder()
	metrics.Handler(reg, slog.New(slog.DiscardHandler)).ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	b, _ := io.ReadAll(rec.Body)
	return string(b)
}

// defective is a desk with a defect.
type defective struct{ feature.Desk }

func (defective) Logout(context.Context, hotdesk.LogoutRequest) (hotdesk.Outcome, error) {
	panic("a defect")
}

func TestDefectBehindACode(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(o *office) { o.parts.Desk = defective{} })
	p := newPhone(t, o.at)
	d := p.dials("*12").invite()
	d.ack(d.answered())
	p.hears(media.No())
	p.reply(p.request("BYE"), "200 OK")
	o.logged("error")
}

// TestConnectionLost: a phone whose connection is gone is free as soon as the
// melody that it no longer hears is over.
func TestConnectionLost(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	p := newPhone(t, o.at) // for its RTP port
	conn, err := net.Dial("tcp", o.tcp.String())
	if err != nil {
		t.Fatal(err)
	}
	d := p.dials("*12")
	invite := strings.ReplaceAll(d.message("INVITE", d.uri, d.branch, d.cseq, nil, d.sdp), "SIP/2.0/UDP", "SIP/2.0/TCP")
	if _, err := io.WriteString(conn, invite); err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for buf := make([]byte, 4096); !strings.Contains(got.String(), "m=audio"); {
		n, err := conn.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		got.Write(buf[:n])
	}
	_, last, _ := strings.Cut(got.String(), "SIP/2.0 200")
	ok := readMessage("SIP/2.0 200" + last)
	d.to = ok.get("To")
	ack := strings.ReplaceAll(d.message("ACK", target(ok), d.branch+"-ack", d.cseq, nil, ""), "SIP/2.0/UDP", "SIP/2.0/TCP")
	if _, err := io.WriteString(conn, ack); err != nil {
		t.Fatal(err)
	}
	<-p.sound
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	o.await("end")
}
