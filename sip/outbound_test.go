package sip_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"perch/hotdesk/directory"
	"perch/sip"
	"perch/sip/flow"
	"perch/sip/keepalive"
	"perch/sip/location"
	"perch/sip/registrar"
)

const instance = `;+sip.instance="<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>"`

// TestOutboundResponses: what the 200 tells of each extension.
func TestOutboundResponses(t *testing.T) {
	o := open(t)
	for _, tc := range []struct {
		name, tp, contact, headers string
		code                       int
		want                       map[string]string // header -> value; empty: absent
	}{
		{"RFC 5626 section 6, a stream", "tcp", instance + ";reg-id=1", "Supported: path, outbound\r\n", 200, map[string]string{"Require": "outbound", "Flow-Timer": "120", "Contact": ";reg-id=1"}},
		{"RFC 5626 section 6, UDP", "udp", instance + ";reg-id=1", "k: outbound\r\n", 200, map[string]string{"Require": "outbound", "Flow-Timer": "30"}},
		{"RFC 5626 section 6, required", "udp", instance + ";reg-id=1", "Require: outbound\r\n", 200, map[string]string{"Require": "outbound"}},
		{"RFC 5626 section 6, not supported by the phone", "tcp", instance + ";reg-id=1", "", 200, map[string]string{"Require": "", "Flow-Timer": ""}},
		{"RFC 5626 section 6, no reg-id", "tcp", instance, "Supported: outbound\r\n", 200, map[string]string{"Require": "", "Flow-Timer": ""}},
		{"RFC 5626 section 6, behind a proxy without ob", "tcp", instance + ";reg-id=1", "Supported: outbound\r\nVia: SIP/2.0/TCP 10.0.0.1;branch=z9hG4bKx\r\n", 439, nil},
		{"RFC 5626 section 6, behind one with ob", "tcp", instance + ";reg-id=1", "Supported: path, outbound\r\nVia: SIP/2.0/TCP 10.0.0.1;branch=z9hG4bKx\r\nPath: <sip:t@edge.test;lr;ob>\r\n", 200, map[string]string{"Require": "outbound", "Flow-Timer": "", "Path": "<sip:t@edge.test;lr;ob>"}},
		{"RFC 3327 section 5.3, path unknown to the phone", "tcp", "", "Path: <sip:edge.test;lr>\r\n", 200, map[string]string{"Path": ""}},
		{"RFC 3327 section 4, malformed", "tcp", "", "Path: edge.test\r\n", 400, nil},
		{"RFC 5627 section 5.3", "udp", instance, "Supported: gruu\r\n", 200, map[string]string{"Contact": `;pub-gruu="sip:1001@acme.test;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"`}},
		{"RFC 5627 section 5.3, not asked for", "udp", instance, "", 200, map[string]string{"Contact": ""}},
		{"RFC 5627 section 5.1, the AOR itself", "udp", "AOR", "", 403, nil},
		{"RFC 3261 section 8.2.2.3", "udp", "", "Require: outbound, 100rel, x\r\n", 420, map[string]string{"Unsupported": "100rel, x"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := o.phone(tc.tp, "1001", "1001", "s3cret")
			p.contact = "Contact: *\r\n"
			want(t, p.register("Expires: 0\r\n"), 200)
			p.contact = fmt.Sprintf("Contact: <sip:1001@%s>%s\r\n", p.conn.LocalAddr(), tc.contact)
			if tc.contact == "AOR" {
				p.contact = "Contact: <sip:1001@acme.test>\r\n"
			}
			r := p.register("Expires: 300\r\n" + tc.headers)
			want(t, r, tc.code)
			for name, value := range tc.want {
				got := r.get(name)
				if name == "Contact" && value != "" {
					if !strings.Contains(got, value) {
						t.Errorf("Contact %q lacks %q", got, value)
					}
					continue
				}
				if name == "Contact" && strings.Contains(got, "gruu") || name != "Contact" && got != value {
					t.Errorf("%s: %q, want %q", name, got, value)
				}
			}
		})
	}
}

// TestServiceRoute: RFC 3608 section 6.3.
func TestServiceRoute(t *testing.T) {
	o := open(t, func(opts *sip.Options, o *office) {
		opts.Handlers.Register = registrar.New(registrar.Options{Store: o.store, Auth: o.auth, ServiceRoute: []string{"<sip:edge.test;lr>"}}).Serve
	})
	p := o.phone("udp", "1001", "1001", "s3cret")
	if r := p.register(""); r.get("Service-Route") != "<sip:edge.test;lr>" {
		t.Errorf("got\n%s", r.text)
	}
}

// TestRport: RFC 3581 section 4 and RFC 3261 section 18.2.1.
func TestRport(t *testing.T) {
	o := open(t)
	for _, tc := range []struct {
		name, sentBy, params string
		want                 []string // in the Via of the response; %d: the source port
		absent               string
	}{
		{"rport, behind a translator", "10.0.0.1:5060", ";rport", []string{"received=127.0.0.1", "rport=%d", "10.0.0.1:5060"}, ""},
		{"rport, straight: received all the same", "127.0.0.1", ";rport", []string{"received=127.0.0.1", "rport=%d"}, ""},
		{"no rport, behind a translator", "10.0.0.1:%d", "", []string{"received=127.0.0.1"}, "rport"},
		{"no rport, straight", "127.0.0.1:%d", "", nil, "received"},
		{"a name in the Via", "phone.lan:%d", "", []string{"received=127.0.0.1"}, "rport"},
	} {
		for _, tp := range []string{"udp", "tcp"} {
			t.Run(tc.name+" "+tp, func(t *testing.T) {
				p := o.phone(tp, "1001", "1001", "s3cret")
				_, port, _ := net.SplitHostPort(p.conn.LocalAddr().String())
				fill := func(s string) string { return strings.ReplaceAll(s, "%d", port) }
				text := p.message("REGISTER", "")
				i, j := strings.Index(text, "Via: "), strings.Index(text, "\r\nFrom")
				text = text[:i] + "Via: SIP/2.0/" + strings.ToUpper(tp) + " " + fill(tc.sentBy) + ";branch=z9hG4bKr" + port + fill(tc.params) + text[j:]
				r := p.send(text) // it arrives where it was asked from
				want(t, r, 401)
				for _, s := range tc.want {
					if !strings.Contains(r.get("Via"), fill(s)) {
						t.Errorf("Via %q lacks %q", r.get("Via"), fill(s))
					}
				}
				if tc.absent != "" && strings.Contains(r.get("Via"), tc.absent) {
					t.Errorf("Via %q has %s", r.get("Via"), tc.absent)
				}
			})
		}
	}
}

// TestNoRport: RFC 3261 section 18.2.2: without rport an answer over UDP goes to
// the port in the Via, at the address that the request came from.
func TestNoRport(t *testing.T) {
	o := open(t)
	p, other := o.phone("udp", "1001", "1001", "s3cret"), o.phone("udp", "1001", "1001", "s3cret")
	text := p.message("REGISTER", "")
	text = strings.Replace(text, "Via: SIP/2.0/UDP "+p.conn.LocalAddr().String(), "Via: SIP/2.0/UDP "+other.conn.LocalAddr().String(), 1)
	p.write(strings.Replace(text, ";rport", "", 1))
	want(t, other.read(), 401)
}

// TestKeepFlow: the packets and looks by which a flow is kept.
func TestKeepFlow(t *testing.T) {
	o := open(t)
	mac := desk1.MAC.String()
	udp := o.phone("udp", mac, mac, o.account(desk1))
	c := o.contactOf(udp)
	o.must(o.sender.Ping(c.Flow))
	b := make([]byte, 10)
	_ = udp.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	if n, err := udp.conn.Read(b); err != nil || string(b[:n]) != "\r\n\r\n" {
		t.Errorf("got %q, %v", b[:n], err)
	}
	tcp := o.phone("tcp", mac, mac, o.account(desk1))
	c = o.contactOf(tcp)
	if err := o.sender.Ping(c.Flow); err == nil {
		t.Error("a ping on a stream, where it would be an answer")
	}
	if at, err := o.sender.Heard(c.Flow); err != nil || time.Since(at) > time.Minute {
		t.Error(at, err)
	}
	o.sender.Hangup(c.Flow)
	if _, err := tcp.tryRead(5 * time.Second); !errors.Is(err, io.EOF) {
		t.Errorf("the connection is open: %v", err)
	}
	o.await("the flow is gone", func() bool {
		_, err := o.sender.Heard(c.Flow)
		return errors.Is(err, flow.ErrGone)
	})
	elsewhere := c.Flow
	elsewhere.Node = "other"
	if _, err := o.sender.Heard(elsewhere); !errors.Is(err, flow.ErrElsewhere) {
		t.Error(err)
	}
}

// await looks until a condition holds.
func (o *office) await(what string, holds func() bool) {
	o.t.Helper()
	tick, limit := time.NewTicker(5*time.Millisecond), time.After(10*time.Second)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-limit:
			o.t.Fatal("not yet: " + what)
		}
	}
}

// kept is an office that watches over its flows.
func kept(t *testing.T) *office {
	t.Helper()
	var k *keepalive.Keeper
	o := open(t, func(opts *sip.Options, o *office) {
		var err error
		k, err = keepalive.New(keepalive.Options{Node: "test", Flows: o.sender, Store: o.store, Log: slog.New(slog.DiscardHandler)})
		o.must(err)
		opts.Handlers.Register = registrar.New(registrar.Options{Store: o.store, Auth: k.Hearing(o.auth), Keeper: k}).Serve
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- k.Run(ctx, o.server.Closed()) }()
	t.Cleanup(func() {
		cancel()
		o.must(<-done)
	})
	return o
}

// stored gives a user's contacts.
func (o *office) stored(user string) []location.Contact {
	o.t.Helper()
	set, err := o.store.Contacts(o.t.Context(), "acme", user)
	o.must(err)
	return set.Contacts
}

// TestConnectionLoss: the contacts of a connection that closes.
func TestConnectionLoss(t *testing.T) {
	o := kept(t)
	mac := desk1.MAC.String()
	p := o.phone("tcp", mac, mac, o.account(desk1))
	want(t, p.register("Expires: 600\r\n"), 200)
	soft := o.phone("tcp", "1001", "1001", "s3cret")
	soft.contact = "Contact: <sip:1001@192.0.2.1>" + instance + ";reg-id=1\r\n"
	want(t, soft.register("Supported: outbound\r\n"), 200)
	_ = soft.conn.Close()
	o.await("the outbound contact is freed", func() bool { return len(o.stored("1001")) == 0 })
	_ = p.conn.Close()
	o.await("the device's contact is marked", func() bool { return o.stored(mac)[0].Lost != 0 })
	if c := o.stored(mac)[0]; c.Granted != 600 || c.Expires-c.Updated != 600_000 {
		t.Errorf("the granted time was cut: %+v", c)
	}
	// Another connection, another request of the device: a query is enough.
	again := o.phone("tcp", mac, mac, o.account(desk1))
	again.contact = "X-Query: yes\r\n"
	r := again.register("")
	want(t, r, 200)
	if c := o.stored(mac); len(c) != 1 || c[0].Lost != 0 || c[0].Flow.Remote != again.conn.LocalAddr().String() || len(r.headers["contact"]) != 1 {
		t.Errorf("not revived: %+v\n%s", c, r.text)
	}
	// And its connection is watched in turn.
	_ = again.conn.Close()
	o.await("marked again", func() bool { return o.stored(mac)[0].Lost != 0 })
	// Somebody else does not bring it back.
	stranger := o.phone("tcp", mac, mac, directory.Secret("wrong"))
	want(t, stranger.register(""), 401)
	if o.stored(mac)[0].Lost == 0 {
		t.Error("a wrong password revived it")
	}
}
