package feature_test

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"perch/hotdesk/directory"
	"perch/sip/media"
)

var loopback = netip.MustParseAddr("127.0.0.1")

// reinvite sends another INVITE in the dialog.
func (d *dial) reinvite(ok message, sdp string) message {
	d.p.t.Helper()
	d.cseq++
	d.branch += "x"
	d.p.send(d.message("INVITE", target(ok), d.branch, d.cseq, nil, sdp))
	want := d.cseq
	return d.p.expect("final response to the re-INVITE", func(m message) bool {
		number, method, _ := strings.Cut(m.get("CSeq"), " ")
		return m.status() >= 200 && method == "INVITE" && number == strconv.Itoa(want)
	})
}

// TestHold: a call that is put on hold hears nothing, and goes on with its
// melody when taken back.
func TestHold(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(o *office) { o.loginAt = make(chan struct{}) })
	p := newPhone(t, o.at)
	d := p.dials("*11*1001*4321").invite()
	ok := d.answered()
	d.ack(ok)
	held := d.reinvite(ok, p.session("sendonly", 0, 2))
	if held.status() != 200 || !strings.Contains(held.body, "a=recvonly") || held.get("To") != ok.get("To") {
		t.Fatalf("hold: %s\n%s", held.start, held.body)
	}
	if version(ok)+1 != version(held) {
		t.Errorf("version %d after %d", version(held), version(ok))
	}
	d.ack(held)
	back := d.reinvite(ok, p.session("sendrecv", 0, 3))
	if back.status() != 200 || !strings.Contains(back.body, "a=sendrecv") || version(back) != version(held)+1 {
		t.Fatalf("back: %s\n%s", back.start, back.body)
	}
	d.ack(back)
	close(o.loginAt)
	p.hears(media.Yes())
	p.reply(p.request("BYE"), "200 OK")
	o.await("end")
}

// version is the second number of the o= line.
func version(m message) int {
	for line := range strings.SplitSeq(m.body, "\r\n") {
		if f := strings.Fields(line); strings.HasPrefix(line, "o=") && len(f) > 2 {
			n, _ := strconv.Atoi(f[2])
			return n
		}
	}
	return -1
}

func TestReinviteWithoutOffer(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(o *office) { o.loginAt = make(chan struct{}) })
	p := newPhone(t, o.at)
	d := p.dials("*11*1001*4321").invite()
	ok := d.answered()
	d.ack(ok)
	again := d.reinvite(ok, "")
	if again.status() != 200 || again.body != ok.body {
		t.Fatalf("%s\n%s", again.start, again.body)
	}
	d.ackContent = p.session("sendrecv", 0, 2)
	d.ack(again)
	close(o.loginAt)
	p.hears(media.Yes())
	p.reply(p.request("BYE"), "200 OK")
}

// TestReinviteRefused: a change that cannot be leaves the call as it was.
func TestReinviteRefused(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(o *office) { o.loginAt = make(chan struct{}) })
	p := newPhone(t, o.at)
	d := p.dials("*11*1001*4321").invite()
	ok := d.answered()
	d.ack(ok)
	if res := d.reinvite(ok, p.session("sendrecv", 18, 2)); res.status() != 488 {
		t.Errorf("unknown codec: %s", res.start)
	}
	d.cseq -= 2
	if res := d.reinvite(ok, p.session("sendonly", 0, 2)); res.status() != 500 {
		t.Errorf("a lower CSeq: %s", res.start)
	}
	d.cseq++
	d.extra = nil
	close(o.loginAt)
	p.hears(media.Yes())
	p.reply(p.request("BYE"), "200 OK")
}

// TestReinviteWithoutAck ends the call (RFC 3261 section 14.2).
func TestReinviteWithoutAck(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(o *office) {
		o.parts.T1, o.parts.T2 = 5*time.Millisecond, 20*time.Millisecond
		o.loginAt = make(chan struct{})
	})
	p := newPhone(t, o.at)
	d := p.dials("*11*1001*4321").invite()
	ok := d.answered()
	d.ack(ok)
	held := d.reinvite(ok, p.session("sendonly", 0, 2))
	tries := 1
	p.expect("200 again and again", func(m message) bool {
		if m.status() == 200 && m.get("CSeq") == held.get("CSeq") {
			tries++
		}
		return tries > 3 // a busy machine gets no further
	})
	close(o.loginAt)
	p.reply(p.request("BYE"), "200 OK")
	o.await("end")
}

func TestUnknownDialog(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(o *office) { o.noAuth = true })
	p := newPhone(t, o.at)
	d := p.dials("*12")
	d.to = "<sip:*12@acme.test>;tag=nobody"
	for _, method := range []string{"BYE", "INVITE"} {
		p.send(d.message(method, d.uri, d.branch+method, d.cseq, nil, ""))
		if res := p.final(method); res.status() != 481 {
			t.Errorf("%s got %s", method, res.start)
		}
	}
	p.send(d.message("ACK", d.uri, d.branch+"ack", d.cseq, nil, ""))
	if res := d.hangUp(message{head: map[string][]string{"contact": {d.uri}}}); res.status() != 481 {
		t.Errorf("after a stray ACK: %s", res.start)
	}
}

// TestForeignRequests: a request from elsewhere that knows the dialog's tags
// is authenticated, and then must be the caller.
func TestForeignRequests(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(o *office) { o.loginAt = make(chan struct{}) })
	p := newPhone(t, o.at)
	d := p.dials("*11*1001*4321").invite()
	ok := d.answered()
	d.ack(ok)
	o.await("login")
	stranger := *d
	stranger.p = newPhone(t, o.at)
	stranger.branch += "-stranger"
	o.become(directory.MAC{2, 2, 2, 2, 2, 2})
	if res := stranger.hangUp(ok); res.status() != 403 {
		t.Errorf("another device: %s", res.start)
	}
	o.become(desk.MAC)
	stranger.branch += "-again"
	if res := stranger.hangUp(ok); res.status() != 200 {
		t.Errorf("the same device by another way: %s", res.start)
	}
	close(o.loginAt)
	o.await("end")
}

func TestByeOutOfOrder(t *testing.T) {
	t.Parallel()
	o := newOffice(t, func(o *office) { o.loginAt = make(chan struct{}) })
	p := newPhone(t, o.at)
	d := p.dials("*11*1001*4321").invite()
	ok := d.answered()
	d.ack(ok)
	d.cseq -= 3
	if res := d.hangUp(ok); res.status() != 500 {
		t.Errorf("a lower CSeq: %s", res.start)
	}
	d.cseq += 5
	d.branch += "y"
	if res := d.hangUp(ok); res.status() != 200 {
		t.Errorf("the next: %s", res.start)
	}
	close(o.loginAt)
	o.await("end")
}
