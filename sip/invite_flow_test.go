package sip_test

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"perch/sip/flow"
	"perch/sip/location"
)

func invite(t *testing.T, c location.Contact) *sip.Request {
	t.Helper()
	req, err := flow.Draft{
		Method: "INVITE", URI: c.URI, From: "<sip:1002@acme.test>;tag=p", To: "<" + c.AOR.String() + ">",
		CallID: "invite-" + c.Flow.Transport, CSeq: 7, Contact: "<sip:1002@192.0.2.1>",
		Headers: []flow.Field{{Name: "Via", Value: "SIP/2.0/UDP 192.0.2.99;branch=z9hG4bKother"}},
	}.Build()
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// respond answers a request that was read.
func (p *phone) respond(r response, code, tag string) {
	var b strings.Builder
	b.WriteString("SIP/2.0 " + code + "\r\n")
	for _, v := range r.headers["via"] {
		b.WriteString("Via: " + v + "\r\n")
	}
	for _, name := range []string{"From", "Call-ID", "CSeq"} {
		b.WriteString(name + ": " + r.get(name) + "\r\n")
	}
	b.WriteString("To: " + r.get("To") + ";tag=" + tag + "\r\n")
	p.write(b.String() + "Contact: <sip:x@192.0.2.99>\r\nContent-Length: 0\r\n\r\n")
}

func next(t *testing.T, p *flow.Pending) *sip.Response {
	t.Helper()
	select {
	case res := <-p.Responses():
		return res
	case <-time.After(10 * time.Second):
		t.Fatal("no response")
		return nil
	}
}

// RFC 3261 section 9.1: a CANCEL waits for a provisional response, and has the
// branch, Request-URI, Call-ID, From, To and CSeq number of its INVITE.
func TestInviteCancelled(t *testing.T) {
	o := open(t)
	mac := desk1.MAC.String()
	for _, tp := range []string{"udp", "tcp"} {
		t.Run(tp, func(t *testing.T) {
			p := o.phone(tp, mac, mac, o.account(desk1))
			c := o.contactOf(p)
			call, err := o.sender.Open(t.Context(), c.Flow, invite(t, c), flow.NewBranch("x-"), nil)
			if err != nil {
				t.Fatal(err)
			}
			call.Cancel(`SIP;cause=200;text="Call completed elsewhere"`)
			ask := p.read()
			if got := ask.headers["via"]; len(got) != 2 || !strings.Contains(got[0], "branch=z9hG4bKx-") {
				t.Fatalf("Via %q", got)
			}
			p.respond(ask, "180 Ringing", "a")
			if res := next(t, call); res.StatusCode != 180 {
				t.Fatal(res)
			}
			cancel := p.read()
			if !strings.HasPrefix(cancel.text, "CANCEL "+c.URI+" SIP/2.0\r\n") || cancel.get("Via") != ask.get("Via") ||
				cancel.get("CSeq") != "7 CANCEL" || cancel.get("To") != ask.get("To") || cancel.get("Reason") == "" {
				t.Errorf("got\n%s", cancel.text)
			}
			p.respond(cancel, "200 OK", "b")
			p.respond(ask, "487 Request Terminated", "a")
			if res := next(t, call); res.StatusCode != 487 {
				t.Fatal(res)
			}
			if ack := p.read(); !strings.HasPrefix(ack.text, "ACK ") {
				t.Errorf("got\n%s", ack.text)
			}
			if res, more := <-call.Responses(); more {
				t.Error(res)
			}
		})
	}
}

// RFC 6026: each 2xx after the first is given too.
func TestInviteAnsweredTwice(t *testing.T) {
	o := open(t)
	mac := desk1.MAC.String()
	p := o.phone("udp", mac, mac, o.account(desk1))
	c := o.contactOf(p)
	late := make(chan *sip.Response, 4)
	call, err := o.sender.Open(t.Context(), c.Flow, invite(t, c), flow.NewBranch(""), func(r *sip.Response) { late <- r })
	if err != nil {
		t.Fatal(err)
	}
	ask := p.read()
	p.respond(ask, "200 OK", "a")
	first := next(t, call)
	p.respond(ask, "200 OK", "b")
	for _, want := range []string{"a", "b"} {
		res := first
		if want == "b" {
			res = <-late
		}
		if tag, _ := res.To().Params.Get("tag"); tag != want {
			t.Errorf("tag %q", tag)
		}
	}
}

func TestInviteGivenUp(t *testing.T) {
	o := open(t)
	mac := desk1.MAC.String()
	p := o.phone("tcp", mac, mac, o.account(desk1))
	c := o.contactOf(p)
	given, err := o.sender.Open(t.Context(), c.Flow, invite(t, c), flow.NewBranch(""), nil)
	if err != nil {
		t.Fatal(err)
	}
	given.Terminate()
	for range given.Responses() {
	}
	if err := given.Err(); !errors.Is(err, flow.ErrEnded) {
		t.Error(err)
	}
	closed, err := o.sender.Open(t.Context(), c.Flow, invite(t, c), flow.NewBranch(""), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = p.conn.Close()
	for range closed.Responses() {
	}
	if err := closed.Err(); !errors.Is(err, flow.ErrClosed) {
		t.Error(err)
	}
}

// TestReach sends to a PBX that never registered, and hears it by the same
// connection.
func TestReach(t *testing.T) {
	o := open(t)
	for _, tc := range []struct {
		name, listen, hop string
		size              int
		want              string
	}{
		{"udp", "udp", "udp", 500, "udp"},
		{"tcp", "tcp", "tcp", 500, "tcp"},
		{"a large one, tcp served", "tcp", "udp", 2000, "tcp"},
		{"a large one, only udp served", "udp", "udp", 2000, "udp"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			pbx := &phone{t: t, tp: tc.listen}
			addr, accepted := pbxSocket(t, tc.listen)
			f, err := o.sender.Reach(t.Context(), flow.Hop{Transport: tc.hop, Addr: addr}, tc.size)
			if err != nil || f.Transport != tc.want || f.Remote != addr.String() {
				t.Fatalf("%+v %v", f, err)
			}
			if again, _ := o.sender.Reach(t.Context(), flow.Hop{Transport: tc.hop, Addr: addr}, tc.size); again != f {
				t.Errorf("another flow: %+v", again)
			}
			req, err := flow.Draft{Method: "OPTIONS", URI: "sip:pbx.test", From: "<sip:perch@acme.test>;tag=p", To: "<sip:pbx.test>", CallID: "o", CSeq: 1}.Build()
			if err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			go func() {
				res, err := o.sender.Send(t.Context(), f, req)
				if err == nil && res.StatusCode != 200 {
					err = errors.New(res.String())
				}
				done <- err
			}()
			pbx.conn = <-accepted
			pbx.r = newReader(pbx.conn)
			ask := pbx.read()
			if host, _, _ := strings.Cut(ask.get("Via"), ";"); !strings.HasSuffix(host, o.udp) && !strings.HasSuffix(host, o.tcp) {
				t.Errorf("Via %s", ask.get("Via"))
			}
			pbx.respond(ask, "200 OK", "a")
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			if tc.want == "tcp" { // the other way
				pbx.user, pbx.domain, pbx.callID = "x", "acme.test", "123456789"
				want(t, pbx.send(pbx.message("OPTIONS", "")), 200)
			}
		})
	}
	if _, err := o.sender.Reach(t.Context(), flow.Hop{Transport: "sctp"}, 1); !errors.Is(err, flow.ErrNoWay) {
		t.Error(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	if _, err := o.sender.Reach(t.Context(), flow.Hop{Transport: "tcp", Addr: netip.MustParseAddrPort(l.Addr().String())}, 1); !errors.Is(err, flow.ErrNoWay) {
		t.Error(err)
	}
}
