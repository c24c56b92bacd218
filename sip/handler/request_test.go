package handler

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/emiago/sipgo/siptest"
)

func parse(t testing.TB, text string) *sip.Request {
	t.Helper()
	msg, err := sip.NewParser(sip.WithHeadersParsers(HeaderParsers())).ParseSIP([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	req := msg.(*sip.Request)
	req.SetSource("192.0.2.7:1024")
	req.SetTransport("UDP")
	return req
}

const subscribe = "SUBSCRIBE sip:1002@acme.test SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.5:5060;branch=z9hG4bK1\r\n" +
	"From: <sip:1001@acme.test>;tag=f\r\nTo: <sip:1002@acme.test>\r\ni: abc\r\nCSeq: 7 SUBSCRIBE\r\no: dialog\r\n" +
	"m: \"A, \\\"B\\\"\" <sip:1001@10.0.0.5>;x=\"a=b;c\"\r\nk: eventlist\r\nContent-Length: 0\r\n\r\n"

func request(t testing.TB, text string) (*Request, *siptest.ServerTxRecorder) {
	req := parse(t, text)
	tx := siptest.NewServerTxRecorder(req)
	return NewRequest(req, tx, Arrival{}, "Perch", time.Now()), tx
}

func TestRequestReads(t *testing.T) {
	r, _ := request(t, subscribe)
	for name, want := range map[string]string{
		"Event": "dialog", "event": "dialog", "Supported": "eventlist", "Contact": `"A, \"B\"" <sip:1001@10.0.0.5>;x="a=b;c"`, "X-None": "",
	} {
		if got := r.Header(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if r.CallID() != "abc" || r.FromTag() != "f" || r.ToTag() != "" || len(r.Tag()) < 16 || r.Method() != "SUBSCRIBE" {
		t.Errorf("%q %q %q %q", r.CallID(), r.FromTag(), r.ToTag(), r.Tag())
	}
}

func TestOneTagAndReceived(t *testing.T) {
	r, _ := request(t, subscribe)
	a, b := r.Response(202, ""), r.Response(489, "")
	if got, want := a.To().Value(), "<sip:1002@acme.test>;tag="+r.Tag(); got != want || b.To().Value() != want {
		t.Errorf("To %q and %q, want %q", got, b.To().Value(), want)
	}
	if v := a.Via().Value(); !strings.HasSuffix(v, ";received=192.0.2.7") {
		t.Errorf("Via %q", v)
	}
	in, _ := request(t, strings.Replace(subscribe, "To: <sip:1002@acme.test>", "To: <sip:1002@acme.test>;TAG=ours", 1))
	if in.Tag() != "ours" || in.ToTag() != "ours" {
		t.Errorf("tag %q", in.Tag())
	}
}

func TestOneFinalResponse(t *testing.T) {
	r, tx := request(t, subscribe)
	if err := r.Respond(100, ""); err != nil {
		t.Fatal(err)
	}
	if err := r.Respond(200, ""); err != nil || r.Sent() != 200 {
		t.Fatal(err)
	}
	if err := r.Respond(500, ""); !errors.Is(err, ErrAnswered) {
		t.Errorf("a second final response: %v", err)
	}
	if got := tx.Result(); len(got) != 2 {
		t.Errorf("%d responses", len(got))
	}
}

// TestNoInjection: no value can put a header of its own on the wire.
func TestNoInjection(t *testing.T) {
	r, tx := request(t, subscribe)
	if err := r.Respond(200, "OK\r\nX-A: 1", Header("Warning", "x\r\nX-B: 1")); err != nil {
		t.Fatal(err)
	}
	if text := tx.Result()[0].String(); strings.Contains(text, "\nX-") {
		t.Errorf("injected:\n%s", text)
	}
	r, tx = request(t, subscribe)
	if err := r.Respond(200, "", sip.NewHeader("Warning", "x\r\nX-B: 1")); err == nil || len(tx.Result()) > 0 {
		t.Error("a header that was not cleaned went out")
	}
}

// FuzzRequest: whatever the stack takes for a request, our side neither panics
// on it nor answers with more lines than it means to.
func FuzzRequest(f *testing.F) {
	f.Add(subscribe)
	f.Add("REGISTER sip:a SIP/2.0\r\nv: SIP/2.0/UDP [::1]:5;branch=z9hG4bKx;rport\r\nf: a<sip:b@c>;tag=1\r\nt: \"x\\\"\" <sip:d@e>\r\ni:1\r\nCSeq: 1 REGISTER\r\nm:*\r\nl:0\r\n\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		msg, err := sip.NewParser(sip.WithHeadersParsers(HeaderParsers())).ParseSIP([]byte(text))
		req, ok := msg.(*sip.Request)
		if err != nil || !ok || req.Via() == nil || req.CSeq() == nil {
			return
		}
		req.SetSource("192.0.2.7:1024")
		if Validate(req) != nil {
			return
		}
		r := NewRequest(req, nil, Arrival{}, "Perch", time.Time{})
		for _, h := range r.Response(200, "").Headers() {
			if broken(h.Value()) {
				t.Fatalf("%q breaks the response", h.Value())
			}
		}
	})
}
