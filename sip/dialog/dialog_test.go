package dialog

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// subscribe is a phone's SUBSCRIBE that came through two proxies.
func subscribe() Message {
	return Message{
		RequestURI:  "sip:1002@acme.test",
		CallID:      "a84b4c76e66710@192.0.2.7",
		From:        `"Ada, <the first>" <sip:1001@acme.test;transport=udp>;tag=ft;x="a;tag=no"`,
		To:          `<sip:1002@acme.test>`,
		Contact:     `<sip:1001@192.0.2.7:5060;ob>;expires=300`,
		RecordRoute: []string{`<sip:p2.test;lr>, <sip:p1.test;lr=on>;rr="x,y"`},
		CSeq:        7,
	}
}

func TestNewUAS(t *testing.T) {
	d, err := NewUAS(subscribe(), "lt")
	if err != nil {
		t.Fatal(err)
	}
	want := Dialog{
		ID:       ID{"a84b4c76e66710@192.0.2.7", "lt", "ft"},
		LocalURI: "sip:1002@acme.test", RemoteURI: "sip:1001@acme.test;transport=udp",
		RemoteTarget: "sip:1001@192.0.2.7:5060;ob",
		Routes:       []string{"sip:p2.test;lr", "sip:p1.test;lr=on"},
		RemoteCSeq:   7, HasRemoteCSeq: true,
	}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Fatal(diff)
	}
	got := d.Next()
	wantReq := Request{
		RequestURI: "sip:1001@192.0.2.7:5060;ob",
		Routes:     []string{"<sip:p2.test;lr>", "<sip:p1.test;lr=on>"},
		From:       "<sip:1002@acme.test>;tag=lt",
		To:         "<sip:1001@acme.test;transport=udp>;tag=ft",
		CallID:     "a84b4c76e66710@192.0.2.7",
		CSeq:       1,
	}
	if diff := cmp.Diff(wantReq, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(wantReq, d.Current()); diff != "" {
		t.Errorf("Current counts: %s", diff)
	}
	if got := d.Next().CSeq; got != 2 {
		t.Errorf("second CSeq %d", got)
	}
}

// RFC 3261 section 12.1.2: the caller's routes run the other way.
func TestNewUAC(t *testing.T) {
	req := Message{
		RequestURI: "sips:pbx.test", CallID: "c", From: "<sip:1001@acme.test>;tag=mine",
		To: "<sip:112@pbx.test>", CSeq: 5, TLS: true,
	}
	resp := Message{
		CallID: "c", From: req.From, To: "<sip:112@pbx.test>;tag=theirs", Contact: "sip:gw@192.0.2.9",
		RecordRoute: []string{"<sip:p2.test;lr>", "<sip:p1.test;lr>"}, CSeq: 5,
	}
	d, err := NewUAC(req, resp)
	if err != nil {
		t.Fatal(err)
	}
	want := Dialog{
		ID: ID{"c", "mine", "theirs"}, LocalURI: "sip:1001@acme.test", RemoteURI: "sip:112@pbx.test",
		RemoteTarget: "sip:gw@192.0.2.9", Routes: []string{"sip:p1.test;lr", "sip:p2.test;lr"},
		LocalCSeq: 5, Secure: true,
	}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Error(diff)
	}
	if err := d.Receive(0); err != nil || !d.HasRemoteCSeq {
		t.Errorf("the peer's first CSeq may be anything: %v", err)
	}
}

// RFC 3261 section 12.2.1.1, the examples of loose and strict routing.
func TestRouting(t *testing.T) {
	for _, tc := range []struct {
		name   string
		target string
		routes []string
		uri    string
		want   []string
	}{
		{"no route", "sip:a@h;ob", nil, "sip:a@h;ob", nil},
		{"loose", "sip:a@h", []string{"sip:p;lr", "sip:q"}, "sip:a@h", []string{"<sip:p;lr>", "<sip:q>"}},
		{"loose in capitals", "sip:a@h", []string{"sip:p;LR"}, "sip:a@h", []string{"<sip:p;LR>"}},
		{
			"strict", "sip:user@remoteua",
			[]string{"sip:proxy1", "sip:proxy2", "sip:proxy3;lr", "sip:proxy4"},
			"sip:proxy1",
			[]string{"<sip:proxy2>", "<sip:proxy3;lr>", "<sip:proxy4>", "<sip:user@remoteua>"},
		},
		{"strict and alone", "sip:a@h", []string{"sip:p;maddr=1;method=x?lr=1"}, "sip:p;maddr=1", []string{"<sip:a@h>"}},
		{"a parameter that only begins with lr", "sip:a@h", []string{"sip:p;lrx"}, "sip:p;lrx", []string{"<sip:a@h>"}},
		{"lr in the user part", "sip:a@h", []string{"sip:lr@p"}, "sip:lr@p", []string{"<sip:a@h>"}},
		{"headers and method leave the request line", "sip:a@h;method=BYE;x=1?To=z", nil, "sip:a@h;x=1", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := Dialog{RemoteTarget: tc.target, Routes: tc.routes}
			got := d.Next()
			if got.RequestURI != tc.uri {
				t.Errorf("Request-URI %s, want %s", got.RequestURI, tc.uri)
			}
			if diff := cmp.Diff(tc.want, got.Routes); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tc.routes, d.Routes); diff != "" {
				t.Errorf("the route set changed: %s", diff)
			}
		})
	}
}

func TestReceive(t *testing.T) {
	d := Dialog{RemoteCSeq: 7, HasRemoteCSeq: true}
	for _, step := range []struct {
		cseq uint32
		want error
	}{{8, nil}, {8, nil}, {7, ErrOutOfOrder}, {100, nil}, {99, ErrOutOfOrder}, {1<<32 - 1, nil}} {
		if err := d.Receive(step.cseq); !errors.Is(err, step.want) {
			t.Errorf("CSeq %d: %v, want %v", step.cseq, err, step.want)
		}
	}
}

func TestRefresh(t *testing.T) {
	d := Dialog{RemoteTarget: "sip:old@h", Routes: []string{"sip:p;lr"}}
	for _, bad := range []string{"", "*", "<sip:a@h", "<tel:+49>", "<sip:a@h\r\nEvil: 1>", "<sip:>", "sip:a b@h", "<sip:a@h>x", "<sip:" + strings.Repeat("x", maxURI) + ">"} {
		if err := d.Refresh(bad); !errors.Is(err, ErrMalformed) {
			t.Errorf("%.40q: %v", bad, err)
		}
	}
	if d.RemoteTarget != "sip:old@h" {
		t.Error("a malformed Contact changed the target")
	}
	for in, want := range map[string]string{
		`<sip:new@h;ob>;q=1, <sip:other@h>`: "sip:new@h;ob",
		`SIPS:new@h;expires=5`:              "SIPS:new@h",
		`"a \" < , b" < sip:new@h > ;q=1`:   "sip:new@h",
	} {
		if err := d.Refresh(in); err != nil || d.RemoteTarget != want {
			t.Errorf("%q: %q, %v", in, d.RemoteTarget, err)
		}
	}
	if diff := cmp.Diff([]string{"sip:p;lr"}, d.Routes); diff != "" {
		t.Errorf("the route set changed: %s", diff)
	}
}

func TestMalformed(t *testing.T) {
	for name, change := range map[string]func(*Message){
		"no From":            func(m *Message) { m.From = "" },
		"no To":              func(m *Message) { m.To = "" },
		"no Contact":         func(m *Message) { m.Contact = "" },
		"no Call-ID":         func(m *Message) { m.CallID = "" },
		"Call-ID injects":    func(m *Message) { m.CallID = "a\r\nX: y" },
		"Call-ID too long":   func(m *Message) { m.CallID = strings.Repeat("c", maxID+1) },
		"tag injects":        func(m *Message) { m.From = "<sip:a@h>;tag=a\nb" },
		"From without URI":   func(m *Message) { m.From = "Ada" },
		"From injects":       func(m *Message) { m.From = "<sip:a@h\x00>;tag=a" },
		"To not closed":      func(m *Message) { m.To = "<sip:a@h" },
		"route of http":      func(m *Message) { m.RecordRoute = []string{"<http://p>"} },
		"route not closed":   func(m *Message) { m.RecordRoute = []string{"<sip:p;lr>, <sip:q"} },
		"too many routes":    func(m *Message) { m.RecordRoute = []string{strings.Repeat("<sip:p>,", maxRoutes+1)} },
		"routes over fields": func(m *Message) { m.RecordRoute = []string{strings.Repeat("<sip:p>,", maxRoutes), "<sip:p>"} },
		"header too long":    func(m *Message) { m.From = `"` + strings.Repeat("x", maxHeader) + `" <sip:a@h>` },
	} {
		m := subscribe()
		change(&m)
		if _, err := NewUAS(m, "lt"); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := NewUAS(subscribe(), ""); !errors.Is(err, ErrMalformed) {
		t.Errorf("no local tag: %v", err)
	}
	old := subscribe()
	old.From = "<sip:1001@acme.test>"
	if d, err := NewUAS(old, "lt"); err != nil || d.Current().To != "<sip:1001@acme.test>" {
		t.Errorf("a peer without a tag (RFC 2543): %v", err)
	}
}

func TestSurvivesJSON(t *testing.T) {
	withRoutes, err := NewUAS(subscribe(), "lt")
	if err != nil {
		t.Fatal(err)
	}
	without := withRoutes
	without.Routes = nil
	for _, d := range []Dialog{withRoutes, without} {
		b, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var got Dialog
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(d, got); diff != "" {
			t.Error(diff)
		}
		if d.Routes == nil && strings.Contains(string(b), "routes") {
			t.Errorf("an empty list is written: %s", b)
		}
	}
}

func TestSecureNeedsBoth(t *testing.T) {
	for _, tc := range []struct {
		uri  string
		tls  bool
		want bool
	}{{"sips:a@h", true, true}, {"sips:a@h", false, false}, {"sip:a@h", true, false}} {
		m := subscribe()
		m.RequestURI, m.TLS = tc.uri, tc.tls
		if d, err := NewUAS(m, "lt"); err != nil || d.Secure != tc.want {
			t.Errorf("%s, tls %t: %t, %v", tc.uri, tc.tls, d.Secure, err)
		}
	}
}

func FuzzNewUAS(f *testing.F) {
	m := subscribe()
	f.Add(m.From, m.To, m.Contact, m.RecordRoute[0], m.CallID)
	f.Add("sip:a@h;tag=x", `"\"<" <sip:b@h>`, "sip:c@h", "<sip:p>,,", "c")
	f.Fuzz(func(t *testing.T, from, to, contact, route, callID string) {
		d, err := NewUAS(Message{From: from, To: to, Contact: contact, RecordRoute: []string{route}, CallID: callID}, "lt")
		if err != nil {
			return
		}
		r := d.Next()
		for _, text := range append(r.Routes, r.RequestURI, r.From, r.To, r.CallID) {
			for i := range len(text) {
				if text[i] <= ' ' || text[i] >= 0x7f {
					t.Fatalf("%q goes on the wire", text)
				}
			}
		}
		// What we write, we read the same.
		again, err := NewUAS(Message{From: r.To, To: r.From, Contact: contact, RecordRoute: r.Routes, CallID: callID}, "lt")
		if isLoose(append(d.Routes, ";lr")[0]) && (err != nil || again.ID != d.ID || again.RemoteURI != d.RemoteURI || !cmp.Equal(again.Routes, d.Routes)) {
			t.Fatalf("%+v became %+v, %v", d, again, err)
		}
	})
}

func BenchmarkNext(b *testing.B) {
	d, err := NewUAS(subscribe(), "lt")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		d.Next()
	}
}
