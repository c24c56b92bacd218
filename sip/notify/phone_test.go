package notify_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"perch/hotdesk/directory"
	"perch/sip/digest"
	"perch/sip/location"
)

// phone is a UDP or TCP client that shares no code with the server but digest.
// It sorts what arrives into responses and requests.
type phone struct {
	t         testing.TB
	conn      net.Conn
	tp        string
	user      string // of From
	domain    string
	username  string
	password  directory.Secret
	callID    string
	cseq      int
	toTag     string // of the dialog; empty: none yet
	responses chan message
	requests  chan message
}

// message is anything that came.
type message struct {
	code    int // 0: a request
	first   string
	headers map[string][]string // by name in lower case
	body    string
	text    string
}

func (m message) get(name string) string {
	if v := m.headers[strings.ToLower(name)]; len(v) > 0 {
		return v[0]
	}
	return ""
}

var phones int

func (o *office) phone(tp, user, username string, password directory.Secret) *phone {
	o.t.Helper()
	c, err := net.Dial(tp, o.at[tp])
	o.must(err)
	phones++
	p := &phone{
		t: o.t, conn: c, tp: tp, user: user, domain: "acme.test", username: username, password: password,
		callID: fmt.Sprintf("call%d", phones), responses: make(chan message, 64), requests: make(chan message, 64),
	}
	done := make(chan struct{})
	go func() { defer close(done); p.listen() }()
	o.t.Cleanup(func() { _ = c.Close(); <-done })
	return p
}

// device is a phone of the tenant acme that uses its own account.
func (o *office) device(tp string, d directory.DeviceID) *phone {
	return o.phone(tp, d.MAC.String(), d.MAC.String(), o.account(d))
}

func (p *phone) listen() {
	r := bufio.NewReaderSize(p.conn, 65536)
	for {
		m, err := readMessage(r)
		if err != nil {
			return
		}
		to := p.requests
		if m.code != 0 {
			to = p.responses
		}
		select {
		case to <- m:
		default:
			p.t.Errorf("too much arrived: %s", m.first)
		}
	}
}

func readMessage(r *bufio.Reader) (message, error) {
	m := message{headers: map[string][]string{}}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return m, err
		}
		m.text += line
		line = strings.TrimSpace(line)
		switch {
		case line == "" && m.first == "":
		case line == "":
			n, _ := strconv.Atoi(m.get("content-length"))
			body := make([]byte, n)
			_, err := io.ReadFull(r, body)
			m.body = string(body)
			m.text += m.body
			return m, err
		case m.first == "":
			m.first = line
			_, _ = fmt.Sscanf(line, "SIP/2.0 %d", &m.code)
		default:
			name, value, _ := strings.Cut(line, ":")
			name = strings.ToLower(name)
			m.headers[name] = append(m.headers[name], strings.TrimSpace(value))
		}
	}
}

func next(t testing.TB, from chan message, what string) message {
	t.Helper()
	select {
	case m := <-from:
		return m
	case <-time.After(5 * time.Second):
		t.Fatalf("no %s arrived", what)
	}
	return message{}
}

// request reads the next request.
func (p *phone) request() message {
	p.t.Helper()
	return next(p.t, p.requests, "request")
}

// silent tells that nothing came; call it after something that would come later.
func (p *phone) silent() {
	p.t.Helper()
	select {
	case m := <-p.requests:
		p.t.Fatalf("unexpected:\n%s", m.text)
	default:
	}
}

func (p *phone) write(text string) {
	p.t.Helper()
	if _, err := io.WriteString(p.conn, text); err != nil {
		p.t.Fatal(err)
	}
}

// reply answers a request. extra are whole header lines.
func (p *phone) reply(m message, status string, extra ...string) {
	p.t.Helper()
	var b strings.Builder
	b.WriteString("SIP/2.0 " + status + "\r\n")
	for _, name := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
		b.WriteString(name + ": " + m.get(name) + "\r\n")
	}
	for _, e := range extra {
		b.WriteString(e + "\r\n")
	}
	p.write(b.String() + "Content-Length: 0\r\n\r\n")
}

func (p *phone) contact() string {
	return fmt.Sprintf("<sip:%s@%s;transport=%s>", p.user, p.conn.LocalAddr(), p.tp)
}

var branches int

// subscribeText writes a SUBSCRIBE with the header lines given.
func (p *phone) subscribeText(uri string, lines ...string) string {
	p.cseq++
	branches++
	to := "<" + uri + ">"
	if p.toTag != "" {
		to = "<sip:1002@acme.test>;tag=" + p.toTag
	}
	text := strings.Join(lines, "\r\n")
	if text != "" {
		text += "\r\n"
	}
	if !strings.Contains(text, "Contact:") {
		text += "Contact: " + p.contact() + "\r\n"
	}
	return fmt.Sprintf("SUBSCRIBE %s SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=z9hG4bKp%d;rport\r\nFrom: <sip:%s@%s>;tag=f%s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d SUBSCRIBE\r\nMax-Forwards: 70\r\n%sContent-Length: 0\r\n\r\n",
		uri, strings.ToUpper(p.tp), p.conn.LocalAddr(), branches, p.user, p.domain, p.callID, to, p.callID, p.cseq, text)
}

// once sends a SUBSCRIBE and reads its response.
func (p *phone) once(uri string, lines ...string) message {
	p.t.Helper()
	p.write(p.subscribeText(uri, lines...))
	return next(p.t, p.responses, "response")
}

// subscribe sends a SUBSCRIBE and answers the challenge.
func (p *phone) subscribe(uri string, lines ...string) message {
	p.t.Helper()
	m := p.once(uri, lines...)
	if m.code != 401 {
		return p.heard(m)
	}
	ch, err := digest.Choose(digest.ParseChallenges(m.headers["www-authenticate"]))
	if err != nil {
		p.t.Fatalf("%v\n%s", err, m.text)
	}
	c, err := digest.Answer(ch, p.username, p.password.Reveal(), "SUBSCRIBE", uri, 1, "cn")
	if err != nil {
		p.t.Fatal(err)
	}
	return p.heard(p.once(uri, append(lines, "Authorization: "+c.String())...))
}

// heard remembers the dialog that a 200 began.
func (p *phone) heard(m message) message {
	if _, tag, ok := strings.Cut(m.get("to"), ";tag="); ok && m.code == 200 {
		p.toTag = tag
	}
	return m
}

// flow is how the server sees the phone.
func (o *office) flow(p *phone) location.Flow {
	return location.Flow{Node: "test", Transport: p.tp, Remote: p.conn.LocalAddr().String(), Local: o.at[p.tp]}
}

func want(t testing.TB, m message, code int) {
	t.Helper()
	if m.code != code {
		t.Fatalf("got %s, want %d\n%s", m.first, code, m.text)
	}
}

// number reads the CSeq.
func number(t testing.TB, m message) int {
	t.Helper()
	n, err := strconv.Atoi(strings.Fields(m.get("cseq"))[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}
