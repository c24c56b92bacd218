package sip_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"perch/internal/ratelimit"
	"perch/metrics"
	"perch/sip"
	"perch/sip/handler"
)

// counted makes the office count, and gives what it has counted.
func counted(t *testing.T) (change func(*sip.Options, *office), page func() string) {
	reg := metrics.NewRegistry(metrics.Build{})
	m := metrics.New(reg, metrics.Sets{BanReasons: ratelimit.BanReasons()})
	return func(o *sip.Options, _ *office) { o.Metrics = m.SIP }, func() string {
		t.Helper()
		w := httptest.NewRecorder()
		metrics.Handler(reg, slog.New(slog.DiscardHandler)).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
		return w.Body.String()
	}
}

// TestScannerIsBanned: an address from which many users are tried and nobody
// is ever authenticated gets no more answers; another address does, and so does
// one from which somebody was authenticated.
func TestScannerIsBanned(t *testing.T) {
	var ahead atomic.Int64
	var bans atomic.Int32
	count, page := counted(t)
	o := open(t, count, func(opts *sip.Options, _ *office) {
		opts.Trusted = nil
		opts.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
		opts.Banned = func(ratelimit.Ban) { bans.Add(1) }
	})
	scan := func(from string) *phone {
		d := net.Dialer{LocalAddr: &net.UDPAddr{IP: net.ParseIP(from)}}
		c, err := d.Dial("udp", o.udp)
		o.must(err)
		p := o.phone("udp", "1001", "1001", "s3cret")
		_ = p.conn.Close()
		p.conn = c
		p.r.Reset(c)
		t.Cleanup(func() { _ = c.Close() })
		return p
	}
	stranger, site := scan("127.0.0.2"), scan("127.0.0.3")
	want(t, site.register(""), 200)
	for _, p := range []*phone{stranger, site} {
		for i := range 25 {
			p.user = fmt.Sprint(2000 + i)
			want(t, p.send(p.message("REGISTER", "")), 401)
		}
	}
	ahead.Store(int64(time.Minute))
	for _, p := range []*phone{stranger, site} {
		want(t, p.send(p.message("REGISTER", "")), 401) // the last straw
	}
	stranger.write(stranger.message("REGISTER", ""))
	if r, err := stranger.tryRead(200 * time.Millisecond); err == nil {
		t.Errorf("a banned address got\n%s", r.text)
	}
	want(t, site.send(site.message("REGISTER", "")), 401)
	if n := bans.Load(); n != 1 {
		t.Errorf("%d bans", n)
	}
	for _, series := range []string{`perch_sip_dropped_total{reason="banned"} 1`, `perch_sip_bans_total{reason="names"} 1`} {
		if !strings.Contains(page(), series) {
			t.Errorf("no %s", series)
		}
	}
	ahead.Store(int64(time.Hour))
	want(t, stranger.send(stranger.message("REGISTER", "")), 401) // it ends
}

// TestPeerThatStopsReading: somebody who sends on and reads no answer holds up
// nobody else, and loses the connection.
func TestPeerThatStopsReading(t *testing.T) {
	t.Parallel()
	o := open(t)
	deaf := o.phone("tcp", "1001", "1001", "x")
	ended := make(chan int, 1)
	go func() {
		sent := 0
		many := strings.Repeat(deaf.message("OPTIONS", ""), 50)
		_ = deaf.conn.SetWriteDeadline(time.Now().Add(30 * time.Second))
		for {
			if _, err := io.WriteString(deaf.conn, many); err != nil {
				ended <- sent
				return
			}
			sent += 50
		}
	}()
	for _, tp := range []string{"udp", "tcp"} {
		p := o.phone(tp, "1002", "1002", "x")
		for range 50 {
			want(t, p.send(p.message("OPTIONS", "")), 200)
		}
	}
	select {
	case <-ended: // the server has closed it, or the deadline of the write has come
		if _, err := io.WriteString(deaf.conn, "\r\n"); err == nil {
			t.Error("the connection is still there")
		}
	case <-time.After(25 * time.Second):
		t.Error("the server goes on with a peer that does not read")
	}
	p := o.phone("tcp", "1002", "1002", "x")
	want(t, p.send(p.message("OPTIONS", "")), 200)
}

// TestIdleAndTrickling: 5,000 silent connections and 500 that send a byte now
// and then hold up nobody.
func TestIdleAndTrickling(t *testing.T) {
	o := open(t)
	dial := func(n int) []net.Conn {
		out := make([]net.Conn, n)
		for i := range out {
			c, err := net.Dial("tcp", o.tcp)
			o.must(err)
			out[i] = c
		}
		return out
	}
	idle, trickling := dial(5000), dial(500)
	defer func() {
		for _, c := range append(idle, trickling...) {
			_ = c.Close()
		}
	}()
	text := (&phone{conn: trickling[0], tp: "tcp", callID: "trickling", domain: "acme.test"}).message("OPTIONS", "")
	for i, b := range []byte(text[:20]) {
		for _, c := range trickling {
			if _, err := c.Write([]byte{b}); err != nil {
				t.Fatal(err)
			}
		}
		if i%5 == 0 {
			for _, tp := range []string{"udp", "tcp"} {
				p := o.phone(tp, "1001", "1001", "s3cret")
				begun := time.Now()
				want(t, p.register(""), 200)
				if took := time.Since(begun); took > 2*time.Second {
					t.Errorf("a phone waited %v", took)
				}
				_ = p.conn.Close()
			}
		}
	}
}

// TestGoodputReturns: after an overload in which requests were refused by
// value, everything is answered again.
func TestGoodputReturns(t *testing.T) {
	const limit = 20
	release := make(chan struct{})
	count, page := counted(t)
	o := open(t, count, func(opts *sip.Options, _ *office) {
		opts.Limits = handler.Limits{Others: limit}
		opts.Handlers.Subscribe = func(ctx context.Context, r *handler.Request) error {
			select {
			case <-release:
			case <-ctx.Done():
			}
			return r.Respond(489, "")
		}
	})
	p := o.phone("udp", "1001", "1001", "s3cret")
	for range limit {
		p.write(p.message("SUBSCRIBE", ""))
	}
	refused := 0
	for range limit - limit/2 { // half of the limit is in hand, the other half comes back
		r := p.read()
		want(t, r, 503)
		if r.get("Retry-After") == "" {
			t.Errorf("no Retry-After in\n%s", r.text)
		}
		refused++
	}
	q := o.phone("udp", "1001", "1001", "s3cret")
	want(t, q.register(""), 200) // worth more
	close(release)
	for range limit / 2 {
		want(t, p.read(), 489)
	}
	for range 3 * limit {
		want(t, p.send(p.message("SUBSCRIBE", "")), 489)
	}
	if series := fmt.Sprintf(`perch_sip_shed_total{reason="subscribe"} %d`, refused); !strings.Contains(page(), series) {
		t.Errorf("no %s", series)
	}
}
