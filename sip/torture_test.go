package sip_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"perch/metrics"
	"perch/sip"
	"perch/sip/handler"
)

// raw builds a message of its lines.
func raw(lines ...string) string { return strings.Join(lines, "\r\n") + "\r\n\r\n" }

const (
	via  = "Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK%d;rport"
	from = "From: <sip:1001@acme.test>;tag=1"
	to   = "To: <sip:1001@acme.test>"
	id   = "Call-ID: x"
	seq  = "CSeq: 1 REGISTER"
	line = "REGISTER sip:acme.test SIP/2.0"
	zero = "Content-Length: 0"
)

// TestTorture sends what no phone should: each gets the protocol's refusal and
// nobody is the worse for it (RFC 3261 section 8.2, RFC 4475).
func TestTorture(t *testing.T) {
	o := open(t)
	for i, tc := range []struct {
		name  string
		code  int // 0: no answer
		lines []string
	}{
		{"well-formed", 401, []string{line, via, from, to, id, seq, zero}},
		{"compact names and folding", 401, []string{line, strings.Replace(via, "Via", "v", 1), "f: <sip:1001@acme.test>\r\n ;tag=1", "t: <sip:1001@acme.test>", "i: x", seq, "l: 0"}},
		{"no Max-Forwards, no Content-Length", 401, []string{line, via, from, to, id, seq}},
		{"4475 3.1.2.18 unknown protocol version", 505, []string{"REGISTER sip:acme.test SIP/7.0", via, from, to, id, seq, zero}},
		{"4475 3.1.2.17 unknown method with mismatching CSeq", 400, []string{"NEWMETHOD sip:acme.test SIP/2.0", via, from, to, id, seq, zero}},
		{"unknown method", 501, []string{"NEWMETHOD sip:acme.test SIP/2.0", via, from, to, id, "CSeq: 1 NEWMETHOD", zero}},
		{"known method that is not served", 405, []string{"MESSAGE sip:acme.test SIP/2.0", via, from, to, id, "CSeq: 1 MESSAGE", zero}},
		{"stray BYE", 481, []string{"BYE sip:acme.test SIP/2.0", via, from, to + ";tag=2", id, "CSeq: 1 BYE", zero}},
		{"stray CANCEL", 481, []string{"CANCEL sip:acme.test SIP/2.0", via, from, to, id, "CSeq: 1 CANCEL", zero}},
		{"stray ACK", 0, []string{"ACK sip:acme.test SIP/2.0", via, from, to + ";tag=2", id, "CSeq: 1 ACK", zero}},
		{"bad ACK", 0, []string{"ACK sip:acme.test SIP/2.0", via, id, "CSeq: 1 ACK", zero}},
		{"OPTIONS", 200, []string{"OPTIONS sip:acme.test SIP/2.0", via, from, to, id, "CSeq: 1 OPTIONS", zero}},
		{"OPTIONS inside an unknown dialog", 481, []string{"OPTIONS sip:acme.test SIP/2.0", via, from, to + ";tag=2", id, "CSeq: 1 OPTIONS", zero}},
		{"4475 3.3.4 unknown scheme", 416, []string{"OPTIONS nobody:acme.test SIP/2.0", via, from, to, id, "CSeq: 1 OPTIONS", zero}},
		{"4475 3.3.5 unknown scheme in To", 400, []string{line, via, from, "To: isbn:2983792873", id, seq, zero}},
		{"no From", 400, []string{line, via, to, id, seq, zero}},
		{"no To", 400, []string{line, via, from, id, seq, zero}},
		{"no Call-ID", 400, []string{line, via, from, to, seq, zero}},
		{"no CSeq", 400, []string{line, via, from, to, id, zero}},
		{"4475 3.3.8 two From", 400, []string{line, via, from, from, to, id, seq, zero}},
		{"two To, one compact", 400, []string{line, via, from, to, "t: <sip:x@acme.test>", id, seq, zero}},
		{"two Call-ID", 400, []string{line, via, from, to, id, "i: y", seq, zero}},
		{"two CSeq", 400, []string{line, via, from, to, id, seq, "CSeq: 2 REGISTER", zero}},
		{"two Content-Length", 400, []string{line, via, from, to, id, seq, zero, "l: 0"}},
		{"two Expires", 400, []string{line, via, from, to, id, seq, "Expires: 1", "Expires: 2", zero}},
		{"4475 3.1.2.4 CSeq too large", 400, []string{line, via, from, to, id, "CSeq: 36893488147419103232 REGISTER", zero}},
		{"4475 3.1.2.7 open quote in To", 400, []string{line, via, from, "To: \"Mr. J. User <sip:j@acme.test>", id, seq, zero}},
		{"unreadable From", 400, []string{line, via, "From: <sip:1001@acme.test", to, id, seq, zero}},
		{"bad Max-Forwards", 400, []string{line, via, from, to, id, seq, "Max-Forwards: -1", zero}},
		{"bad Content-Length", 400, []string{line, via, from, to, id, seq, "Content-Length: x"}},
		{"Call-ID with a comma", 400, []string{line, via, from, to, "Call-ID: a,b", seq, zero}},
		{"too many fields", 400, append([]string{line, via, from, to, id, seq}, strings.Split(strings.Repeat("X: 1\r\n", 200)+zero, "\r\n")...)},
		{"vertical tab in a value", 400, []string{line, via, from, to, id, seq, "User-Agent: a\vb", zero}},
		{"escape in From", 400, []string{line, via, "From: \"\x1b[2J\" <sip:1001@acme.test>;tag=1", to, id, seq, zero}},
		{"broken Authorization", 400, []string{line, via, from, to, id, seq, "Authorization: Digest username=\"a\", username=\"b\"", zero}},
		{"other scheme of authorization", 401, []string{line, via, from, to, id, seq, "Authorization: Basic YTpi", zero}},
		{"host with blanks", 400, []string{"REGISTER sip:ac me SIP/2.0", via, from, to, id, seq, zero}},
		{"no SIP", 0, []string{"GET / HTTP/1.1", "Host: acme.test"}},
		{"bare line feed", 0, []string{line + "\nX: 1", via, from, to, id, seq, zero}},
		{"too long", 0, []string{line, via, from, to, id, seq, "X: " + strings.Repeat("a", 17_000), zero}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p := o.phone("udp", "1001", "1001", "x")
			text := strings.ReplaceAll(raw(tc.lines...), "z9hG4bK%d", fmt.Sprintf("z9hG4bK%d", i))
			p.write(text)
			if tc.code == 0 {
				// Silence is proved by the next answer being that of the next request.
				p.write("\r\n\r\n" + p.message("OPTIONS", ""))
				if r := p.read(); r.code != 200 {
					t.Errorf("got\n%s", r.text)
				}
				return
			}
			r := p.read()
			want(t, r, tc.code)
			if r.get("Server") == "" && tc.name != "no CSeq" && tc.name != "4475 3.1.2.4 CSeq too large" {
				t.Errorf("not our answer:\n%s", r.text)
			}
		})
	}
}

// TestUDPNoise: keep-alives, STUN and junk are no requests and leave no trace
// in the stack.
func TestUDPNoise(t *testing.T) {
	o := open(t)
	p := o.phone("udp", "1001", "1001", "x")
	for _, noise := range []string{"\r\n\r\n", "\x00", "\x00\x00\x00\x00", "\x00\x11\x00\x00\x21\x12\xa4\x42abcdefghijkl", "junk", strings.Repeat("\xff", 1000)} {
		p.write(noise)
	}
	want(t, p.send(p.message("OPTIONS", "")), 200)
	p.write("\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl") // a binding request: RFC 5626 section 8
	answer := make([]byte, 100)
	if n, err := p.r.Read(answer); err != nil || n != 32 || string(answer[:2]) != "\x01\x01" || string(answer[8:20]) != "abcdefghijkl" {
		t.Errorf("%x, %v", answer[:n], err)
	}
	want(t, p.send(p.message("OPTIONS", "")), 200)
}

func TestTCPKeepAliveAndPipelining(t *testing.T) {
	o := open(t)
	p := o.phone("tcp", "1001", "1001", "x")
	p.write("\r\n\r\n")
	pong := make([]byte, 2)
	if _, err := p.r.Read(pong); err != nil || string(pong) != "\r\n" {
		t.Fatalf("%q, %v", pong, err)
	}
	p.write(p.message("OPTIONS", "") + p.message("OPTIONS", ""))
	want(t, p.read(), 200)
	want(t, p.read(), 200)
	// In pieces.
	for _, b := range strings.SplitAfter(p.message("OPTIONS", ""), "\n") {
		p.write(b)
	}
	want(t, p.read(), 200)
}

// TestPanic: a defect in a handler is one 500, not the end.
func TestPanic(t *testing.T) {
	o := open(t, func(opts *sip.Options, _ *office) {
		opts.Handlers.Subscribe = func(context.Context, *handler.Request) error { panic("defect") }
	})
	p := o.phone("udp", "1001", "1001", "x")
	want(t, p.send(p.message("SUBSCRIBE", "")), 500)
	want(t, p.send(p.message("OPTIONS", "")), 200)
}

func TestOverload(t *testing.T) {
	busy, release := make(chan struct{}), make(chan struct{})
	o := open(t, func(opts *sip.Options, _ *office) {
		opts.Limits = handler.Limits{Others: 1, Calls: 1}
		opts.Handlers.Subscribe = func(_ context.Context, r *handler.Request) error {
			close(busy)
			<-release
			return r.Respond(489, "")
		}
	})
	p, q := o.phone("udp", "1001", "1001", "x"), o.phone("udp", "1002", "1002", "x")
	p.write(p.message("SUBSCRIBE", ""))
	<-busy
	r := q.send(q.message("OPTIONS", ""))
	want(t, r, 503)
	if r.get("Retry-After") == "" {
		t.Errorf("no Retry-After in\n%s", r.text)
	}
	close(release)
	want(t, p.read(), 489)
}

// TestCancel: 100, the handler's response and the 487 after a CANCEL
// carry one tag, and the handler's context ends.
func TestCancel(t *testing.T) {
	ended := make(chan error, 1)
	o := open(t, func(opts *sip.Options, _ *office) {
		opts.Handlers.Invite = func(ctx context.Context, r *handler.Request) error {
			if err := r.Respond(180, ""); err != nil {
				return err
			}
			<-ctx.Done()
			ended <- context.Cause(ctx)
			return nil
		}
	})
	p := o.phone("udp", "1001", "1001", "x")
	invite := p.message("INVITE", "")
	want(t, p.send(invite), 100)
	ringing := p.read()
	want(t, ringing, 180)
	cancel := strings.Replace(strings.Replace(invite, "INVITE sip:", "CANCEL sip:", 1), " INVITE\r\n", " CANCEL\r\n", 1)
	want(t, p.send(cancel), 200)
	terminated := p.read()
	want(t, terminated, 487)
	if terminated.get("To") != ringing.get("To") {
		t.Errorf("487 has %q, 180 had %q", terminated.get("To"), ringing.get("To"))
	}
	select {
	case err := <-ended:
		if err != handler.ErrCanceled { //nolint:errorlint // the cause itself
			t.Errorf("cause %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("the handler was not told")
	}
}

// TestDropped: what is dropped is counted.
func TestDropped(t *testing.T) {
	reg := metrics.NewRegistry(metrics.Build{})
	m := metrics.New(reg, metrics.Sets{})
	o := open(t, func(opts *sip.Options, _ *office) { opts.Metrics = m.SIP })
	p := o.phone("udp", "1001", "1001", "x")
	p.write("junk")
	want(t, p.send(p.message("OPTIONS", "")), 200)
	page := httptest.NewRecorder()
	metrics.Handler(reg, slog.New(slog.DiscardHandler)).ServeHTTP(page, httptest.NewRequest("GET", "/metrics", nil))
	for _, series := range []string{`perch_sip_dropped_total{reason="malformed"} 1`, `perch_sip_requests_total{code="200",method="OPTIONS"} 1`} {
		if !strings.Contains(page.Body.String(), series) {
			t.Errorf("no %s", series)
		}
	}
}
