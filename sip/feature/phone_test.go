package feature_test

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"perch/sip/media"
)

// patience bounds every wait of the tests.
const patience = 20 * time.Second

// message is a SIP message as a phone reads it, by a reader that is not ours.
type message struct {
	start string
	head  map[string][]string
	body  string
	from  net.Addr
}

func (m message) get(name string) string { return strings.Join(m.head[strings.ToLower(name)], ", ") }

func (m message) status() int {
	if !strings.HasPrefix(m.start, "SIP/2.0 ") || len(m.start) < 11 {
		return 0
	}
	code, _ := strconv.Atoi(m.start[8:11])
	return code
}

func (m message) method() string {
	_, method, _ := strings.Cut(m.get("CSeq"), " ")
	return method
}

func readMessage(text string) message {
	head, body, _ := strings.Cut(text, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	m := message{start: lines[0], head: map[string][]string{}, body: body}
	for _, l := range lines[1:] {
		name, value, _ := strings.Cut(l, ":")
		name = strings.ToLower(strings.TrimSpace(name))
		m.head[name] = append(m.head[name], strings.TrimSpace(value))
	}
	return m
}

// phone is a SIP phone made of two sockets and text.
type phone struct {
	t      *testing.T
	server net.Addr
	sip    net.PacketConn
	rtp    net.PacketConn
	got    chan message
	sound  chan []byte

	rtpSeq   uint16
	rtpStamp uint32
	heard    []byte // sound that came and was not looked for yet
}

var serial atomic.Int64

func newPhone(t *testing.T, server netip.AddrPort) *phone {
	t.Helper()
	listen := func() net.PacketConn {
		c, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	p := &phone{
		t: t, server: net.UDPAddrFromAddrPort(server), sip: listen(), rtp: listen(),
		got: make(chan message, 1000), sound: make(chan []byte, 10000),
	}
	go p.read(p.sip, func(b []byte, from net.Addr) {
		m := readMessage(string(b))
		m.from = from
		p.got <- m
	})
	go p.read(p.rtp, func(b []byte, _ net.Addr) {
		if len(b) > 12 {
			p.sound <- bytes.Clone(b[12:])
		}
	})
	return p
}

func (p *phone) read(c net.PacketConn, f func([]byte, net.Addr)) {
	buf := make([]byte, 65536)
	for {
		n, from, err := c.ReadFrom(buf)
		if err != nil {
			return
		}
		f(buf[:n], from)
	}
}

func (p *phone) port(c net.PacketConn) int { return c.LocalAddr().(*net.UDPAddr).Port }

func (p *phone) send(text string) {
	p.t.Helper()
	if _, err := p.sip.WriteTo([]byte(text), p.server); err != nil {
		p.t.Fatal(err)
	}
}

// expect waits for the first message that fits; others are dropped.
func (p *phone) expect(what string, fits func(message) bool) message {
	p.t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	var seen []string
	for {
		select {
		case m := <-p.got:
			if fits(m) {
				return m
			}
			seen = append(seen, m.start)
		case <-limit.C:
			p.t.Fatalf("no %s; came instead: %q", what, seen)
		}
	}
}

func (p *phone) final(method string) message {
	p.t.Helper()
	return p.expect("final response to "+method, func(m message) bool { return m.status() >= 200 && m.method() == method })
}

func (p *phone) request(method string) message {
	p.t.Helper()
	return p.expect(method, func(m message) bool { return strings.HasPrefix(m.start, method+" ") })
}

// drain gives what has come so far.
func (p *phone) drain() []message {
	var all []message
	for {
		select {
		case m := <-p.got:
			all = append(all, m)
		default:
			return all
		}
	}
}

// hears waits until the sound that came holds the melody. Each packet may be
// filled up with silence at the end.
func (p *phone) hears(pcm []int16) {
	p.t.Helper()
	p.listens("the melody", media.PCMU.AppendEncoded(nil, pcm))
}

// listens waits for a sound, and forgets what came up to its end.
func (p *phone) listens(what string, want []byte) {
	p.t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for {
		if i := bytes.Index(p.heard, want); i >= 0 {
			p.heard = p.heard[i+len(want):]
			return
		}
		select {
		case b := <-p.sound:
			p.heard = append(p.heard, b...)
		case <-limit.C:
			p.t.Fatalf("%s, %d bytes of it, is not in the %d heard", what, len(want), len(p.heard))
		}
	}
}

// dial is one call from the phone's side.
type dial struct {
	p          *phone
	uri        string
	callID     string
	branch     string
	fromTag    string
	cseq       int
	extra      []string // header lines of the INVITE
	sdp        string   // body; empty: none
	to         string   // To of the dialog, once known
	bodyType   string
	noContact  bool
	ackContent string
}

func (p *phone) dials(user string) *dial {
	n := serial.Add(1)
	return &dial{
		p: p, uri: fmt.Sprintf("sip:%s@%s", user, p.server), callID: fmt.Sprintf("call-%d@phone", n),
		branch: fmt.Sprintf("z9hG4bK-%d", n), fromTag: fmt.Sprintf("tag%d", n), cseq: 7, sdp: p.offer("sendrecv", 0), bodyType: "application/sdp",
	}
}

func (p *phone) offer(direction string, format int) string {
	return p.session(direction, format, 1)
}

func (p *phone) session(direction string, format, version int) string {
	return strings.Join([]string{
		"v=0", fmt.Sprintf("o=- 1 %d IN IP4 127.0.0.1", version), "s=-", "c=IN IP4 127.0.0.1", "t=0 0",
		fmt.Sprintf("m=audio %d RTP/AVP %d 101", p.port(p.rtp), format), "a=rtpmap:101 telephone-event/8000", "a=" + direction, "",
	}, "\r\n")
}

func (d *dial) message(method, uri, branch string, cseq int, extra []string, body string) string {
	to := d.to
	if to == "" {
		to = "<" + d.uri + ">"
	}
	lines := append([]string{
		method + " " + uri + " SIP/2.0",
		fmt.Sprintf("Via: SIP/2.0/UDP 127.0.0.1:%d;branch=%s;rport", d.p.port(d.p.sip), branch),
		"Max-Forwards: 70",
		"From: <sip:001565aabb01@acme.test>;tag=" + d.fromTag,
		"To: " + to,
		"Call-ID: " + d.callID,
		fmt.Sprintf("CSeq: %d %s", cseq, method),
	}, extra...)
	if !d.noContact && method != "BYE" && method != "CANCEL" {
		lines = append(lines, fmt.Sprintf("Contact: <sip:desk@127.0.0.1:%d>", d.p.port(d.p.sip)))
	}
	if body != "" {
		lines = append(lines, "Content-Type: "+d.bodyType)
	}
	lines = append(lines, fmt.Sprintf("Content-Length: %d", len(body)), "", body)
	return strings.Join(lines, "\r\n")
}

func (d *dial) invite() *dial {
	d.p.send(d.message("INVITE", d.uri, d.branch, d.cseq, d.extra, d.sdp))
	return d
}

// answered waits for the 200 and keeps the dialog.
func (d *dial) answered() message {
	d.p.t.Helper()
	m := d.p.final("INVITE")
	if m.status() != 200 {
		d.p.t.Fatalf("the INVITE got %s", m.start)
	}
	d.to = m.get("To")
	return m
}

// target is the Contact of the 200.
func target(ok message) string { return strings.Trim(ok.get("Contact"), "<>") }

func (d *dial) ack(ok message) {
	d.p.send(d.message("ACK", target(ok), d.branch+"-ack", d.cseq, nil, d.ackContent))
}

// hangUp sends a BYE and gives its answer.
func (d *dial) hangUp(ok message) message {
	d.p.t.Helper()
	d.cseq++
	d.p.send(d.message("BYE", target(ok), d.branch+"-bye", d.cseq, nil, ""))
	return d.p.final("BYE")
}

// reply answers a request of the server's.
func (p *phone) reply(req message, status string) {
	lines := []string{"SIP/2.0 " + status}
	for _, name := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
		for _, v := range req.head[strings.ToLower(name)] {
			lines = append(lines, name+": "+v)
		}
	}
	p.send(strings.Join(append(lines, "Content-Length: 0", "", ""), "\r\n"))
}
