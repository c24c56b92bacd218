package keepalive

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/emiago/sipgo/siptest"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/sip/handler"
	"perch/sip/location"
)

// someone authenticates everybody as one identity, or nobody.
type someone struct {
	id  handler.Identity
	err error
}

func (s someone) Authenticate(context.Context, *handler.Request) (handler.Identity, error) {
	return s.id, s.err
}

func (s someone) Challenge(context.Context, *handler.Request) error { return handler.Refuse(401, "x") }

// says sends a request of an identity by a flow.
func (o *office) says(s someone, f location.Flow, contact string) {
	o.Helper()
	text := "SUBSCRIBE sip:1002@acme.test SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.7:5060;branch=z9hG4bK1\r\nFrom: <sip:a@acme.test>;tag=f\r\n" +
		"To: <sip:b@acme.test>\r\nCall-ID: a\r\nCSeq: 1 SUBSCRIBE\r\nContact: <" + contact + ">\r\nContent-Length: 0\r\n\r\n"
	msg, err := sip.NewParser(sip.WithHeadersParsers(handler.HeaderParsers())).ParseSIP([]byte(text))
	if err != nil {
		o.Fatal(err)
	}
	req := msg.(*sip.Request)
	req.SetSource("192.0.2.7:5060")
	r := handler.NewRequest(req, siptest.NewServerTxRecorder(req), handler.Arrival{Flow: f}, "", time.Now())
	id, err := o.k.Hearing(s).Authenticate(o.Context(), r)
	if id.Kind != s.id.Kind || err != s.err {
		o.Errorf("authenticated %v, %v", id, err)
	}
}

var deskPhone = directory.MAC{0, 0x15, 0x65, 0, 0, 1}

func session(s directory.SessionID) someone {
	return someone{id: handler.Identity{
		Kind: handler.Session, Tenant: directory.Tenant{Code: "acme"}, Number: "1001", Line: 1, Session: s,
		Device: directory.Device{ID: directory.DeviceID{Tenant: "acme", MAC: deskPhone}},
	}}
}

func static(number string) someone {
	return someone{id: handler.Identity{Kind: handler.Static, Tenant: directory.Tenant{Code: "acme"}, Number: number}}
}

// lost is an office whose two contacts by connection c1 are lost.
func lost(o *office) {
	o.Helper()
	o.register("1001", location.Contact{URI: "sip:desk", Flow: tcp("c1"), MAC: deskPhone.String(), Line: 1, Session: "s1"})
	o.register("1001", location.Contact{URI: "sip:soft", Flow: tcp("c2")})
	o.register("1001", location.Contact{URI: "sip:soft2", Flow: tcp("c3")})
	for _, id := range []string{"c1", "c2", "c3"} {
		delete(o.flows.open, tcp(id))
	}
	o.start()
	pass(time.Minute)
	for _, c := range o.contacts("1001") {
		if c.Lost == 0 {
			o.Fatalf("%+v", c)
		}
	}
}

func TestRevived(t *testing.T) {
	back := tcp("c9")
	for _, tc := range []struct {
		name  string
		who   someone
		by    location.Flow
		uri   string
		want  []string // URIs that can be reached
		moved []string
	}{
		{"the device", session("s1"), back, "sip:desk", []string{"sip:desk"}, []string{"001565000001 c1>c9"}},
		{"the device, another Contact", session("s1"), back, "sip:x", []string{"sip:desk"}, []string{"001565000001 c1>c9"}},
		{"the device, another session", session("s2"), back, "sip:desk", nil, []string{"001565000001 c1>c9"}},
		{"a static password", static("1001"), back, "sip:soft", []string{"sip:soft"}, []string{"1001 c2>c9"}},
		{"a static password, another phone", static("1001"), back, "sip:soft9", nil, nil},
		{"somebody else", static("1002"), back, "sip:soft", nil, nil},
		{"nobody", someone{err: handler.Refuse(401, "x")}, back, "sip:desk", nil, nil},
		{"an ended session", func() someone { s := session("s1"); s.id.Kind = handler.Ending; return s }(), back, "sip:desk", nil, nil},
		{"at another node", session("s1"), location.Flow{Node: "n2"}, "sip:desk", nil, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			run(t, func(o *office) {
				lost(o)
				o.says(tc.who, tc.by, tc.uri)
				var got []string
				for _, c := range o.contacts("1001") {
					if c.Lost == 0 {
						got = append(got, c.URI)
						if c.Flow != tc.by {
							t.Errorf("by %+v", c.Flow)
						}
					}
				}
				if !slices.Equal(got, tc.want) || !slices.Equal(o.moved.list, tc.moved) {
					t.Errorf("got %q, moved %q", got, o.moved.list)
				}
			})
		})
	}
}

// TestEachPhoneSpeaksForItself: two phones of one static password come back one
// after the other.
func TestEachPhoneSpeaksForItself(t *testing.T) {
	run(t, func(o *office) {
		lost(o)
		o.says(static("1001"), tcp("c8"), "sip:soft2")
		o.says(static("1001"), tcp("c9"), "sip:soft")
		if !slices.Equal(o.moved.list, []string{"1001 c3>c8", "1001 c2>c9"}) {
			t.Errorf("moved %q", o.moved.list)
		}
		for _, c := range o.contacts("1001")[1:] {
			if c.Lost != 0 {
				t.Errorf("%s did not come back", c.URI)
			}
		}
		// The new connections are watched in turn.
		o.closed <- "c9"
		pass(time.Second)
		if c := o.contacts("1001")[1]; c.Lost == 0 {
			t.Errorf("%+v", c)
		}
	})
}

func TestStoreAwayWhileReviving(t *testing.T) {
	run(t, func(o *office) {
		lost(o)
		o.store.next = hotdesk.ErrUnavailable
		o.says(session("s1"), tcp("c9"), "sip:desk") // the request itself is none the worse
		if o.contacts("1001")[0].Lost == 0 {
			t.Fatal("revived without the store")
		}
		o.says(session("s1"), tcp("c9"), "sip:desk")
		if o.contacts("1001")[0].Lost != 0 {
			t.Error("not brought back by the next request")
		}
	})
}

// TestFreedSubscriptionsMove: a contact with reg-id is gone at once; what its
// device has subscribed goes on when it is heard.
func TestFreedSubscriptionsMove(t *testing.T) {
	run(t, func(o *office) {
		o.register("1001", location.Contact{Flow: tcp("c1"), MAC: deskPhone.String(), Line: 1, Session: "s1", Instance: "<urn:uuid:p>", RegID: 1})
		o.start()
		o.closed <- "c1"
		pass(time.Second)
		if len(o.contacts("1001")) != 0 {
			t.Fatal("not freed")
		}
		o.says(session("s1"), tcp("c9"), "sip:x")
		if !slices.Equal(o.moved.list, []string{"001565000001 c1>c9"}) {
			t.Errorf("moved %q", o.moved.list)
		}
	})
}
