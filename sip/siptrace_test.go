package sip_test

import (
	"strings"
	"testing"

	"perch/sip"
	"perch/sip/siptrace"
)

// TestTrace: a watcher sees both ways of a device's exchange over each
// transport, and begins in the middle of a connection.
func TestTrace(t *testing.T) {
	tracer := &siptrace.Tracer{}
	o := openEdge(t, "127.0.0.1", func(opts *sip.Options, _ *office) { opts.Trace = tracer })
	mac := desk1.MAC.String()
	for _, tp := range everyTransport {
		p := o.phoneBy(tp, mac, mac, o.account(desk1))
		want(t, p.send(p.message("OPTIONS", "")), 200)
		w, err := tracer.Watch(siptrace.Filter{MAC: mac})
		if err != nil {
			t.Fatal(err)
		}
		if r := p.register(""); r.code != 200 {
			t.Fatal(r.text)
		}
		var got []string
		for range 4 { // asked, challenged, answered, accepted
			m := <-w.C()
			line, _, _ := strings.Cut(string(m.Text), "\r\n")
			way := "out "
			if m.In {
				way = "in "
			}
			got = append(got, way+m.Transport+" "+line)
			if m.Remote != p.conn.LocalAddr().String() {
				t.Errorf("remote %s, want %s", m.Remote, p.conn.LocalAddr())
			}
		}
		w.Close()
		want := "in X REGISTER sip:acme.test SIP/2.0|out X SIP/2.0 401 Unauthorized|in X REGISTER sip:acme.test SIP/2.0|out X SIP/2.0 200 OK"
		if text := strings.Join(got, "|"); text != strings.ReplaceAll(want, "X", tp) {
			t.Errorf("saw %s", text)
		}
	}
}
