package sip_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"perch/sip"
	"perch/sip/flow"
	"perch/sip/handler"
	"perch/sip/location"
)

// contactOf registers a phone and gives its stored contact.
func (o *office) contactOf(p *phone) location.Contact {
	o.t.Helper()
	if r := p.register(""); r.code != 200 {
		o.t.Fatalf("not registered:\n%s", r.text)
	}
	set, err := o.store.Contacts(o.t.Context(), "acme", p.user)
	o.must(err)
	return set.Contacts[len(set.Contacts)-1]
}

func notify(c location.Contact) flow.Draft {
	return flow.Draft{
		Method: "NOTIFY", URI: c.URI, From: "<sip:perch@acme.test>;tag=p", To: "<" + c.AOR.String() + ">",
		CallID: "notify-1", CSeq: 1, Headers: []flow.Field{{Name: "Event", Value: "check-sync"}, {Name: "Subscription-State", Value: "terminated"}},
	}
}

// answer reads a request at the phone and responds to it.
func (p *phone) answer(code string) string {
	r := p.read()
	var b strings.Builder
	b.WriteString("SIP/2.0 " + code + "\r\n")
	for _, name := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
		b.WriteString(name + ": " + r.get(name) + "\r\n")
	}
	p.write(b.String() + "Content-Length: 0\r\n\r\n")
	return r.text
}

func TestSendByFlow(t *testing.T) {
	o := open(t)
	mac := desk1.MAC.String()
	for _, tp := range []string{"udp", "tcp"} {
		t.Run(tp, func(t *testing.T) {
			p := o.phone(tp, mac, mac, o.account(desk1))
			p.contact = "Contact: <sip:Odd%20one@192.0.2.99:1;x=\"no\">\r\n"
			want(t, p.register(""), 400) // a quote in a URI
			p.contact = "Contact: <sip:Odd%20one@192.0.2.99:1;ob;transport=" + tp + "?h=1>\r\n"
			c := o.contactOf(p)
			req, err := notify(c).Build()
			if err != nil {
				t.Fatal(err)
			}
			got := make(chan string, 1)
			go func() { got <- p.answer("489 Bad Event") }()
			res, err := o.sender.Send(t.Context(), c.Flow, req)
			if err != nil || res.StatusCode != 489 {
				t.Fatal(res, err)
			}
			text := <-got
			// Request-URI verbatim, though nobody is at 192.0.2.99: the flow decides.
			if !strings.HasPrefix(text, "NOTIFY sip:Odd%20one@192.0.2.99:1;ob;transport="+tp+"?h=1 SIP/2.0\r\n") {
				t.Errorf("request line of\n%s", text)
			}
			if !strings.Contains(text, "Via: SIP/2.0/"+strings.ToUpper(tp)+" "+c.Flow.Local+";branch=z9hG4bK") {
				t.Errorf("Via of\n%s", text)
			}
		})
	}
}

// TestVanishedFlow: a closed connection is never dialled again, and a later one
// between the same addresses is not the flow.
func TestVanishedFlow(t *testing.T) {
	o := open(t)
	mac := desk1.MAC.String()
	p := o.phone("tcp", mac, mac, o.account(desk1))
	c := o.contactOf(p)
	local := p.conn.LocalAddr().(*net.TCPAddr)
	p.conn.(*net.TCPConn).SetLinger(0) // reset: the port is free at once
	_ = p.conn.Close()
	deadline := time.Now().Add(5 * time.Second)
	for {
		req, err := notify(c).Build()
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		_, err = o.sender.Send(ctx, c.Flow, req)
		cancel()
		if errors.Is(err, flow.ErrGone) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("got %v", err)
		}
	}
	// Somebody listens where the phone's connection came from: nothing arrives.
	l, err := net.ListenTCP("tcp4", local)
	if err != nil {
		t.Fatal(err)
	}
	req, _ := notify(c).Build()
	if _, err := o.sender.Send(t.Context(), c.Flow, req); !errors.Is(err, flow.ErrGone) {
		t.Errorf("got %v", err)
	}
	_ = l.SetDeadline(time.Now().Add(50 * time.Millisecond))
	if conn, err := l.Accept(); err == nil {
		t.Errorf("the server dialled %s", conn.RemoteAddr())
	}
	_ = l.Close()
	// The same addresses, another connection.
	d := net.Dialer{LocalAddr: local}
	conn, err := d.Dial("tcp4", o.tcp)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	q := *p
	q.conn = conn
	q.r.Reset(conn)
	want(t, q.send(q.message("OPTIONS", "")), 200)
	req, _ = notify(c).Build()
	if _, err := o.sender.Send(t.Context(), c.Flow, req); !errors.Is(err, flow.ErrGone) {
		t.Errorf("sent into another's connection: %v", err)
	}
}

// TestClosedWhileWaiting: nobody waits 32 seconds for a phone that has gone.
func TestClosedWhileWaiting(t *testing.T) {
	o := open(t)
	mac := desk1.MAC.String()
	p := o.phone("tcp", mac, mac, o.account(desk1))
	c := o.contactOf(p)
	req, err := notify(c).Build()
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { _, err := o.sender.Send(t.Context(), c.Flow, req); done <- err }()
	p.read()
	_ = p.conn.Close()
	select {
	case err := <-done:
		if !errors.Is(err, flow.ErrClosed) {
			t.Errorf("got %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("still waiting")
	}
}

// TestFirstPacketToUnknownPeer: after a restart the stack has heard of nobody;
// the request leaves from the listener all the same.
func TestFirstPacketToUnknownPeer(t *testing.T) {
	o := open(t)
	pc, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	f := location.Flow{Node: "test", Transport: "udp", Local: o.udp, Remote: pc.LocalAddr().String()}
	req, err := notify(location.Contact{URI: "sip:x@" + f.Remote, Flow: f}).Build()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { _, err := o.sender.Send(ctx, f, req); done <- err }()
	buf := make([]byte, 4096)
	_ = pc.SetReadDeadline(time.Now().Add(5 * time.Second))
	_, from, err := pc.ReadFromUDP(buf)
	if err != nil || from.String() != o.udp {
		t.Errorf("came from %v, %v; want %s", from, err, o.udp)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestSendRefuses(t *testing.T) {
	o := open(t)
	f := location.Flow{Node: "test", Transport: "udp", Local: o.udp, Remote: "127.0.0.1:9"}
	for _, tc := range []struct {
		name   string
		change func(*location.Flow)
		want   error
	}{
		{"another node's", func(f *location.Flow) { f.Node = "b" }, flow.ErrElsewhere},
		{"a listener that is no more", func(f *location.Flow) { f.Local = "127.0.0.1:1" }, flow.ErrGone},
		{"no address", func(f *location.Flow) { f.Remote = "phone" }, flow.ErrGone},
		{"a connection of before", func(f *location.Flow) { f.Transport, f.Local, f.ID = "tcp", o.tcp, "OLD" }, flow.ErrGone},
	} {
		g := f
		tc.change(&g)
		req, err := notify(location.Contact{URI: "sip:x@127.0.0.1:9"}).Build()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.sender.Send(t.Context(), g, req); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v", tc.name, err)
		}
		if err := o.sender.Write(g, req); !errors.Is(err, tc.want) {
			t.Errorf("%s: Write: %v", tc.name, err)
		}
	}
}

// TestIPv6: registration and the way back, at addresses with colons in them.
func TestIPv6(t *testing.T) {
	o := open(t, func(opts *sip.Options, _ *office) { opts.Listen = []string{"udp://[::1]:0", "tcp://[::1]:0"} })
	mac := desk1.MAC.String()
	for _, tp := range []string{"udp", "tcp"} {
		p := o.phone(tp, mac, mac, o.account(desk1))
		c := o.contactOf(p)
		req, err := notify(c).Build()
		if err != nil {
			t.Fatal(err)
		}
		got := make(chan string, 1)
		go func() { got <- p.answer("200 OK") }()
		res, err := o.sender.Send(t.Context(), c.Flow, req)
		if err != nil || res.StatusCode != 200 {
			t.Fatal(tp, res, err)
		}
		if text := <-got; !strings.Contains(text, " [::1]:") {
			t.Errorf("no brackets in\n%s", text)
		}
	}
}

// TestAnonymousCaller: a hidden From does not hide the tenant.
func TestAnonymousCaller(t *testing.T) {
	o := open(t, func(opts *sip.Options, o *office) {
		opts.Handlers.Subscribe = handler.Authenticated(o.auth, nil, func(_ context.Context, r *handler.Request) error { return r.Respond(489, "") })
	})
	mac := desk1.MAC.String()
	p := o.phone("udp", mac, mac, o.account(desk1))
	hide := func(text string) string {
		return strings.Replace(text, "From: <sip:"+mac+"@acme.test>", "From: \"Anonymous\" <sip:anonymous@anonymous.invalid>", 1)
	}
	p.challenged(p.send(hide(p.message("SUBSCRIBE", ""))))
	want(t, p.send(hide(p.message("SUBSCRIBE", p.authorization("SUBSCRIBE")))), 489)
}
