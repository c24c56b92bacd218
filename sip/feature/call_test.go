package feature_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	stack "github.com/emiago/sipgo/sip"
	"github.com/google/go-cmp/cmp"

	"perch/hotdesk"
	"perch/sip/feature"
	"perch/sip/handler"
	"perch/sip/location"
	"perch/sip/media"
)

func TestLoginCall(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	p := newPhone(t, o.at)
	began := time.Now()
	d := p.dials("%2A11%2A1001*4321%23").invite()
	ok := d.answered()
	for name, want := range map[string]string{
		"Content-Type": "application/sdp", "Contact": fmt.Sprintf("<sip:perch@%s>", o.at), "CSeq": "7 INVITE", "Call-ID": d.callID,
	} {
		if got := ok.get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if !strings.Contains(ok.body, "m=audio ") || !strings.Contains(ok.body, "PCMU/8000") || !strings.Contains(ok.get("To"), ";tag=") {
		t.Errorf("the 200 is\n%v\n%s", ok.head, ok.body)
	}
	if dialled.MatchString(ok.get("Contact")) {
		t.Error("the Contact repeats what was dialled")
	}
	d.ack(ok)
	p.hears(media.Yes())
	bye := p.request("BYE")
	if bye.get("From") != ok.get("To") || bye.get("To") != ok.get("From") || bye.get("Call-ID") != d.callID {
		t.Errorf("the BYE is not of the dialog: %v", bye.head)
	}
	if want := fmt.Sprintf("BYE sip:desk@127.0.0.1:%d SIP/2.0", p.port(p.sip)); bye.start != want {
		t.Errorf("%q, want %q", bye.start, want)
	}
	if bye.from.String() != o.at.String() {
		t.Errorf("the BYE came from %v, not from %v", bye.from, o.at)
	}
	if slices.Contains(o.entries(), "end") {
		t.Error("the device is free before the BYE is answered")
	}
	p.reply(bye, "200 OK")
	if diff := cmp.Diff([]string{"start", "login", "logged in", "end"}, o.await("end")); diff != "" {
		t.Error(diff)
	}
	want := hotdesk.LoginRequest{
		ID: "trace-1", At: o.login.At, Door: hotdesk.FeatureCode, Device: desk, Line: 1, Number: "1001", PIN: "4321",
		Source: "device:001565aabb01",
	}
	if diff := cmp.Diff(want, o.login); diff != "" {
		t.Error(diff)
	}
	if at := o.login.At; at.Before(began) || at.After(time.Now()) {
		t.Errorf("the key press was at %v", at)
	}
}

// TestMelodies dials each form and listens for the answer.
func TestMelodies(t *testing.T) {
	t.Parallel()
	refused := &hotdesk.Refused{Why: hotdesk.BadCredentials}
	static := handler.Identity{Kind: handler.Static, Tenant: tenant, Number: "1001"}
	for _, tc := range []struct {
		name, user string
		office     func(*office)
		yes        bool
		did        string
		result     string
	}{
		{"wrong PIN", "*11*1001*9999", func(o *office) { o.refusal = refused }, false, "logged in", "bad_credentials"},
		{"no PIN yet", "*11*1001", nil, false, "", "incomplete"},
		{"no number yet", "*11", nil, false, "", "incomplete"},
		{"malformed", "*11**4321", nil, false, "", "malformed"},
		{"store lost after the answer", "*11*1001*4321", func(o *office) { o.refusal = fmt.Errorf("bind: %w", hotdesk.ErrUnavailable) }, false, "logged in", "unavailable"},
		{"defect", "*11*1001*4321", func(o *office) { o.refusal = errDefect }, false, "logged in", "error"},
		{"logout", "*12", nil, true, "logout 001565aabb01 line 1 door feature-code", "ok"},
		{"logout of nobody", "*12#", func(o *office) { o.refusal = &hotdesk.Refused{Why: hotdesk.NobodyHere} }, false, "", "nobody_here"},
		{"somebody sits here", "*13", func(o *office) { o.sits = true }, true, "who sits at line 1", "ok"},
		{"nobody sits here", "*13", nil, false, "who sits at line 1", "nobody_here"},
		{"a session's own line", "*13", func(o *office) { o.sits, o.identity.Kind, o.identity.Line = true, handler.Session, 3 }, true, "who sits at line 3", "ok"},
		{"reload", "*14", nil, true, "reload 001565aabb01 line 1 door feature-code", "ok"},
		{"static whoami", "*13", func(o *office) { o.identity = static }, true, "", "ok"},
		{"static login", "*11*1001*4321", func(o *office) { o.identity = static }, false, "", "no_device"},
		{"static logout", "*12", func(o *office) { o.identity = static }, false, "", "no_device"},
		{"static reload", "*14", func(o *office) { o.identity = static }, false, "", "no_device"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, tc.office)
			p := newPhone(t, o.at)
			d := p.dials(tc.user).invite()
			d.ack(d.answered())
			if tc.yes {
				p.hears(media.Yes())
			} else {
				p.hears(media.No())
			}
			p.reply(p.request("BYE"), "200 OK")
			if tc.did != "" && !slices.Contains(o.entries(), tc.did) {
				t.Errorf("no %q in %q", tc.did, o.entries())
			}
			if tc.did == "" && slices.Contains(o.entries(), "login") {
				t.Errorf("the desk was asked: %q", o.entries())
			}
			o.logged(tc.result)
		})
	}
}

// logged waits for the line of the call.
func (o *office) logged(result string) {
	o.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(patience)
	for {
		for line := range strings.Lines(o.log.String()) {
			if strings.Contains(line, "method=INVITE") && strings.Contains(line, "feature=") &&
				(strings.Contains(line, "result="+result) || strings.Contains(line, "reason="+result)) {
				return
			}
		}
		select {
		case <-tick.C:
		case <-limit:
			o.t.Fatalf("no result %q in the log:\n%s", result, o.log.String())
		}
	}
}

func TestNoOffer(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	p := newPhone(t, o.at)
	d := p.dials("*12")
	answer := d.sdp
	d.sdp = ""
	ok := d.invite().answered()
	if !strings.Contains(ok.body, "m=audio") || !strings.Contains(ok.body, "PCMA/8000") {
		t.Fatalf("the offer in the 200 is %q", ok.body)
	}
	d.ackContent = answer
	d.ack(ok)
	p.hears(media.Yes())
	p.reply(p.request("BYE"), "200 OK")
	o.await("end")
}

func TestNoOfferAndNoAnswer(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	p := newPhone(t, o.at)
	d := p.dials("*12")
	d.sdp = ""
	d.ack(d.invite().answered())
	p.reply(p.request("BYE"), "200 OK")
	o.await("end")
	if len(p.sound) > 0 {
		t.Error("sound without an agreement")
	}
}

// TestRefusedBeforeTheAnswer: what a call needs is missing, so it is not
// answered and nothing is done.
func TestRefusedBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		office func(*office)
		user   string
		dial   func(*dial)
		status int
		header string // "Name: value" in the response
	}{
		{"another number, and nobody else to take it", nil, "1002", nil, 404, ""},
		{"nearly a code", nil, "*115", nil, 404, ""},
		{"unknown codec", nil, "*12", func(d *dial) { d.sdp = d.p.offer("sendrecv", 18) }, 488, ""},
		{"malformed SDP", nil, "*12", func(d *dial) { d.sdp = "hello" }, 400, ""},
		{"no SDP at all", nil, "*12", func(d *dial) { d.bodyType = "text/plain" }, 415, "Accept: application/sdp"},
		{"compressed SDP", nil, "*12", func(d *dial) { d.extra = []string{"Content-Encoding: gzip"} }, 415, "Accept-Encoding: identity"},
		{"required extension", nil, "*12", func(d *dial) { d.extra = []string{"Require: 100rel,timer", "Require: x"} }, 420, "Unsupported: 100rel, timer, x"},
		{"no Contact", nil, "*12", func(d *dial) { d.noContact = true }, 400, ""},
		{"store down", func(o *office) { o.starting = fmt.Errorf("x: %w", hotdesk.ErrUnavailable) }, "*12", nil, 503, "Retry-After: 5"},
		{"unauthenticated", func(o *office) { o.noAuth = true }, "*12", nil, 401, ""},
		{"session that is over", func(o *office) { o.identity.Kind = handler.Ending }, "*12", nil, 403, ""},
		{"too many calls", func(o *office) { o.parts.MaxCalls = 1 }, "*12", nil, 503, "Retry-After: 2"},
		{"no port", func(o *office) { o.takenPorts() }, "*12", nil, 503, "Retry-After: 2"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, tc.office)
			p := newPhone(t, o.at)
			if tc.name == "too many calls" {
				p.dials("*12").invite().answered()
			}
			d := p.dials(tc.user)
			if tc.dial != nil {
				tc.dial(d)
			}
			p.drain()
			res := d.invite().refused()
			name, want, _ := strings.Cut(tc.header, ": ")
			if res.status() != tc.status || want != "" && res.get(name) != want {
				t.Errorf("%s with %s: %q", res.start, name, res.get(name))
			}
			if slices.Contains(o.entries(), "login") || tc.name != "too many calls" && slices.ContainsFunc(o.entries(), func(e string) bool { return strings.HasPrefix(e, "logout") }) {
				t.Errorf("something was done: %q", o.entries())
			}
		})
	}
}

// takenPorts leaves the office a range of one port, which is taken.
func (o *office) takenPorts() {
	for first := uint16(40000); first < 50000; first += 2 {
		ports, err := media.NewPorts(first, first+1)
		if err != nil {
			o.t.Fatal(err)
		}
		sock, err := ports.Listen(loopback)
		if err != nil {
			continue
		}
		o.t.Cleanup(func() { _ = sock.Close() })
		o.parts.Ports = ports
		return
	}
	o.t.Fatal("no port to take")
}

// refused waits for the final response of this call and acknowledges it.
func (d *dial) refused() message {
	d.p.t.Helper()
	m := d.p.expect("final response", func(m message) bool {
		return m.status() >= 200 && m.method() == "INVITE" && strings.Contains(m.get("Via")+";", "branch="+d.branch+";")
	})
	d.to = m.get("To")
	d.p.send(d.message("ACK", d.uri, d.branch, d.cseq, nil, ""))
	return m
}

func TestRetransmittedInvite(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	p := newPhone(t, o.at)
	d := p.dials("*11*1001*4321").invite()
	ok := d.answered()
	d2 := *d
	d2.to = ""
	d2.invite()
	d2.invite()
	d.ack(ok)
	p.hears(media.Yes())
	bye := p.expect("BYE", func(m message) bool {
		if m.status() == 200 && m.get("To") != ok.get("To") {
			t.Errorf("a second tag: %s", m.get("To"))
		}
		return strings.HasPrefix(m.start, "BYE ")
	})
	p.reply(bye, "200 OK")
	if diff := cmp.Diff([]string{"start", "login", "logged in", "end"}, o.await("end")); diff != "" {
		t.Error(diff)
	}
}

func TestMergedRequest(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	p := newPhone(t, o.at)
	d := p.dials("*12").invite()
	ok := d.answered()
	other := *d
	other.branch, other.to = d.branch+"-other-way", ""
	if res := other.invite().refused(); res.status() != 482 {
		t.Errorf("the copy got %s", res.start)
	}
	d.ack(ok)
	p.reply(p.request("BYE"), "200 OK")
	if all := o.await("end"); len(all) != 3 {
		t.Errorf("done twice: %q", all)
	}
}

// TestLostAck: the 200 comes again until the ACK, and the melody waits for it.
func TestLostAck(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(o *office) { o.parts.T1, o.parts.T2 = 20*time.Millisecond, 80*time.Millisecond })
	p := newPhone(t, o.at)
	d := p.dials("*12").invite()
	ok := d.answered()
	for range 5 {
		if again := p.final("INVITE"); again.status() != 200 || again.get("To") != ok.get("To") || again.body != ok.body {
			t.Fatalf("again: %s", again.start)
		}
	}
	if len(p.sound) > 0 {
		t.Error("sound before the ACK")
	}
	d.ack(ok)
	p.hears(media.Yes())
	p.reply(p.request("BYE"), "200 OK")
	o.await("end")
}

// TestNoAck: 64*T1 after the 200 the call is given up with a BYE (RFC 3261
// section 13.3.1.4). What was dialled has been done.
func TestNoAck(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(o *office) { o.parts.T1, o.parts.T2 = 5*time.Millisecond, 20*time.Millisecond })
	p := newPhone(t, o.at)
	began := time.Now()
	p.dials("*11*1001*4321").invite().answered()
	bye := p.request("BYE")
	if waited := time.Since(began); waited < 64*5*time.Millisecond {
		t.Errorf("given up after %v", waited)
	}
	p.reply(bye, "481 Call Does Not Exist")
	if diff := cmp.Diff([]string{"start", "login", "logged in", "end"}, o.await("end")); diff != "" {
		t.Error(diff)
	}
	if len(p.sound) > 0 {
		t.Error("sound without an ACK")
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(o *office) { o.gate = make(chan struct{}) })
	p := newPhone(t, o.at)
	d := p.dials("*11*1001*4321").invite()
	o.await("start")
	p.send(d.message("CANCEL", d.uri, d.branch, d.cseq, nil, ""))
	if res := p.final("CANCEL"); res.status() != 200 {
		t.Errorf("the CANCEL got %s", res.start)
	}
	if res := d.refused(); res.status() != 487 || !strings.Contains(res.get("To"), "tag=") {
		t.Errorf("the INVITE got %s", res.start)
	}
	if diff := cmp.Diff([]string{"start", "end"}, o.await("end")); diff != "" {
		t.Error(diff)
	}
	o.logged("cancelled")
}

func TestCancelAfterTheAnswer(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	p := newPhone(t, o.at)
	d := p.dials("*11*1001*4321").invite()
	ok := d.answered()
	to := d.to
	d.to = ""
	p.send(d.message("CANCEL", d.uri, d.branch, d.cseq, nil, ""))
	if res := p.final("CANCEL"); res.status() != 200 {
		t.Errorf("the CANCEL got %s", res.start)
	}
	d.to = to
	d.ack(ok)
	p.hears(media.Yes())
	p.reply(p.request("BYE"), "200 OK")
	o.await("end")
}

// TestEarlyBye: the phone hangs up before the melody; the login it asked for
// is committed all the same.
func TestEarlyBye(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(o *office) { o.loginAt = make(chan struct{}) })
	p := newPhone(t, o.at)
	d := p.dials("*11*1001*4321").invite()
	ok := d.answered()
	d.ack(ok)
	o.await("login")
	if res := d.hangUp(ok); res.status() != 200 {
		t.Errorf("the BYE got %s", res.start)
	}
	close(o.loginAt)
	if diff := cmp.Diff([]string{"start", "login", "logged in", "end"}, o.await("end")); diff != "" {
		t.Error(diff)
	}
	for _, m := range p.drain() {
		if strings.HasPrefix(m.start, "BYE") {
			t.Error("both hung up")
		}
	}
	d.branch += "-late"
	if res := d.hangUp(ok); res.status() != 481 {
		t.Errorf("a BYE after the end got %s", res.start)
	}
}

func TestByeInTheMelody(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	p := newPhone(t, o.at)
	d := p.dials("*12").invite()
	ok := d.answered()
	d.ack(ok)
	<-p.sound
	if res := d.hangUp(ok); res.status() != 200 {
		t.Errorf("the BYE got %s", res.start)
	}
	o.await("end")
	if n := len(p.sound); n > 30 {
		t.Errorf("%d packets of a melody that was cut short", n)
	}
}

// TestByesCross: ours gets 481 from a phone that has just hung up, or nothing;
// theirs gets 200, and ends the wait.
func TestByesCross(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	p := newPhone(t, o.at)
	d := p.dials("*12").invite()
	ok := d.answered()
	d.ack(ok)
	p.request("BYE")
	if res := d.hangUp(ok); res.status() != 200 {
		t.Errorf("the BYE got %s", res.start)
	}
	o.await("end")
}

// impatient gives a request up sooner than 64*T1.
type impatient struct{ feature.Sender }

func (i impatient) Send(ctx context.Context, f location.Flow, req *stack.Request) (*stack.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	return i.Sender.Send(ctx, f, req)
}

func TestByeIsNeverAnswered(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(o *office) { o.parts.Sender = impatient{o.parts.Sender} })
	p := newPhone(t, o.at)
	d := p.dials("*12").invite()
	d.ack(d.answered())
	p.request("BYE")
	o.await("end")
}

func TestCloseHangsUp(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	p := newPhone(t, o.at)
	d := p.dials("*12").invite()
	d.ack(d.answered())
	<-p.sound
	closed := make(chan error, 1)
	go func() { closed <- o.service.Close(t.Context()) }()
	p.reply(p.request("BYE"), "200 OK")
	if err := <-closed; err != nil {
		t.Error(err)
	}
	o.await("end")
	if res := p.dials("*12").invite().refused(); res.status() != 503 {
		t.Errorf("a call after Close got %s", res.start)
	}
}

func TestCallsOfOneDeskAreBounded(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(o *office) { o.loginAt = make(chan struct{}) })
	p := newPhone(t, o.at)
	for range 4 {
		p.dials("*11*1001*4321").invite().answered()
	}
	if res := p.dials("*11*1001*4321").invite().refused(); res.status() != 503 {
		t.Errorf("the fifth call got %s", res.start)
	}
	close(o.loginAt)
}
