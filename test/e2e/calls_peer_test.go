package e2e

import (
	"bufio"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// peer is a phone that speaks SIP by hand, over UDP or TCP: it can send what no
// phone should. It shares no code with the server.
type peer struct {
	t        testing.TB
	conn     net.Conn
	tp       string
	user     string // of its AOR
	boot     string // another after a restart: its REGISTERs have another Call-ID
	auth     string // digest username
	password string
	in       chan packet
	kept     []packet // read and not asked for yet
	seq      int
	ch       packet // the last challenge
	nc       int
}

// packet is a message off the wire.
type packet struct {
	line    string
	headers [][2]string
	body    string
}

func (p packet) status() int {
	if !strings.HasPrefix(p.line, "SIP/2.0 ") {
		return 0
	}
	n, _ := strconv.Atoi(p.line[8:11])
	return n
}

func (p packet) method() string {
	m, _, _ := strings.Cut(p.line, " ")
	return m
}

func (p packet) uri() string { return strings.Fields(p.line)[1] }

func (p packet) all(name string) (out []string) {
	for _, h := range p.headers {
		if strings.EqualFold(h[0], name) {
			out = append(out, h[1])
		}
	}
	return out
}

func (p packet) get(name string) string {
	if v := p.all(name); len(v) > 0 {
		return v[0]
	}
	return ""
}

func (p packet) String() string {
	var b strings.Builder
	b.WriteString(p.line + "\n")
	for _, h := range p.headers {
		b.WriteString(h[0] + ": " + h[1] + "\n")
	}
	return b.String() + "\n" + p.body
}

func tagOf(value string) string {
	_, after, _ := strings.Cut(value, ";tag=")
	tag, _, _ := strings.Cut(after, ";")
	return tag
}

func between(s, open, end string) string {
	_, s, _ = strings.Cut(s, open)
	s, _, _ = strings.Cut(s, end)
	return s
}

// dialPeer connects a phone to a server.
func dialPeer(t testing.TB, tp, at, user, auth, password string) *peer {
	t.Helper()
	p := &peer{t: t, tp: tp, user: user, auth: auth, password: password}
	p.connect(at)
	return p
}

// connect opens a socket to the server, in place of an earlier one.
func (p *peer) connect(at string) {
	p.t.Helper()
	c, err := net.Dial(p.tp, at)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = c.Close() })
	p.conn, p.in, p.ch = c, make(chan packet, 256), packet{}
	go readPackets(c, p.tp, p.in)
}

func readPackets(c net.Conn, tp string, in chan<- packet) {
	defer close(in)
	r := bufio.NewReaderSize(c, 1<<16)
	for {
		if tp == "udp" {
			r.Reset(c)
		}
		m, err := readPacket(r)
		if err != nil {
			if tp == "udp" && !isClosed(err) { // a port that was shut for a moment
				continue
			}
			return
		}
		if m.line != "" {
			in <- m
		}
	}
}

func isClosed(err error) bool { return strings.Contains(err.Error(), "closed") }

func readPacket(r *bufio.Reader) (packet, error) {
	var m packet
	length := 0
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return m, err
		}
		line = strings.TrimRight(line, "\r\n")
		switch {
		case line == "" && m.line == "":
			return m, nil // a keep-alive
		case line == "":
			body := make([]byte, length)
			_, err := io.ReadFull(r, body)
			m.body = string(body)
			return m, err
		case m.line == "":
			m.line = line
		default:
			k, v, _ := strings.Cut(line, ":")
			m.headers = append(m.headers, [2]string{k, strings.TrimSpace(v)})
			if strings.EqualFold(k, "Content-Length") {
				length, _ = strconv.Atoi(strings.TrimSpace(v))
			}
		}
	}
}

const patience = 30 * time.Second

// expect waits for a message that is as wanted; others are kept for later.
func (p *peer) expect(what string, ok func(packet) bool) packet {
	p.t.Helper()
	return p.expectWithin(patience, what, ok)
}

func (p *peer) expectWithin(limit time.Duration, what string, ok func(packet) bool) packet {
	p.t.Helper()
	if i := slices.IndexFunc(p.kept, ok); i >= 0 {
		m := p.kept[i]
		p.kept = slices.Delete(p.kept, i, i+1)
		return m
	}
	end := time.NewTimer(limit)
	defer end.Stop()
	for {
		select {
		case m, open := <-p.in:
			if !open {
				p.t.Fatalf("%s: the connection closed while waiting for %s; kept %v", p.user, what, p.kept)
			}
			if ok(m) {
				return m
			}
			p.kept = append(p.kept, m)
		case <-end.C:
			p.t.Fatalf("%s: no %s; kept %v", p.user, what, p.kept)
		}
	}
}

// asked waits for a request of a method.
func (p *peer) asked(method string) packet {
	p.t.Helper()
	return p.expect(method, func(m packet) bool { return m.method() == method })
}

// told waits for the response to a request, by its CSeq.
func (p *peer) told(code int, cseq string) packet {
	p.t.Helper()
	return p.expect(fmt.Sprintf("%d to %s", code, cseq), func(m packet) bool { return m.status() == code && m.get("CSeq") == cseq })
}

// final waits for any final response to a request.
func (p *peer) final(cseq string) packet {
	p.t.Helper()
	return p.expect("answer to "+cseq, func(m packet) bool { return m.status() >= 200 && m.get("CSeq") == cseq })
}

// nothing fails the test if such a message has come by now: after whatever was
// awaited before.
func (p *peer) nothing(what string, bad func(packet) bool) {
	p.t.Helper()
	for {
		select {
		case m, open := <-p.in:
			if open {
				p.kept = append(p.kept, m)
				continue
			}
		default:
		}
		break
	}
	for _, m := range p.kept {
		if bad(m) {
			p.t.Errorf("%s: %s:\n%s", p.user, what, m)
		}
	}
}

func (p *peer) write(text string) {
	p.t.Helper()
	if _, err := io.WriteString(p.conn, text); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) contact() string {
	uri := "sip:" + p.user + "@" + p.conn.LocalAddr().String()
	if p.tp != "udp" {
		uri += ";transport=" + p.tp
	}
	return uri
}

// ask is a request that a phone sends.
type ask struct {
	method, uri string
	from, to    string // header values; empty: own AOR with a tag, and the URI
	callID      string
	cseq        int
	routes      []string
	headers     []string
	body        string
	branch      string
	hops        string // Max-Forwards; empty: 70
}

func branchOf() string { return fmt.Sprintf("z9hG4bK%x", rand.Uint64()) }

func (p *peer) send(a ask) {
	p.t.Helper()
	if a.from == "" {
		a.from = "<sip:" + p.user + "@acme.test>;tag=" + p.user + "tag"
	}
	if a.to == "" {
		a.to = "<" + a.uri + ">"
	}
	if a.branch == "" {
		a.branch = branchOf()
	}
	if a.hops == "" {
		a.hops = "70"
	}
	lines := []string{
		a.method + " " + a.uri + " SIP/2.0",
		"Via: SIP/2.0/" + strings.ToUpper(p.tp) + " " + p.conn.LocalAddr().String() + ";branch=" + a.branch + ";rport",
		"Max-Forwards: " + a.hops, "From: " + a.from, "To: " + a.to, "Call-ID: " + a.callID, fmt.Sprintf("CSeq: %d %s", a.cseq, a.method),
		"Contact: <" + p.contact() + ">",
	}
	for _, r := range a.routes {
		lines = append(lines, "Route: "+r)
	}
	lines = append(lines, a.headers...)
	if a.body != "" {
		lines = append(lines, "Content-Type: application/sdp")
	}
	lines = append(lines, fmt.Sprintf("Content-Length: %d", len(a.body)), "", a.body)
	p.write(strings.Join(lines, "\r\n"))
}

// authorization answers the challenge last seen (RFC 2617, MD5 with qop auth).
func (p *peer) authorization(method, uri string) string {
	params := map[string]string{}
	for _, f := range parameter.FindAllStringSubmatch(p.ch.get("WWW-Authenticate"), -1) {
		params[f[1]] = f[2] + f[3]
	}
	hash := func(parts ...string) string {
		sum := md5.Sum([]byte(strings.Join(parts, ":")))
		return hex.EncodeToString(sum[:])
	}
	p.nc++
	nc := fmt.Sprintf("%08x", p.nc)
	answer := hash(hash(p.auth, params["realm"], p.password), params["nonce"], nc, "c", "auth", hash(method, uri))
	return fmt.Sprintf(`Authorization: Digest username=%q, realm=%q, nonce=%q, uri=%q, qop=auth, nc=%s, cnonce="c", response=%q, algorithm=MD5`,
		p.auth, params["realm"], params["nonce"], uri, nc, answer)
}

// register registers the phone, with credentials once it knows a challenge.
func (p *peer) register(headers ...string) packet {
	p.t.Helper()
	for {
		p.seq++
		a := ask{method: "REGISTER", uri: "sip:acme.test", to: "<sip:" + p.user + "@acme.test>", callID: "reg-" + p.user + p.boot, cseq: p.seq, headers: slices.Clone(headers)}
		if p.ch.line != "" {
			a.headers = append(a.headers, p.authorization("REGISTER", a.uri))
		}
		p.send(a)
		res := p.final(fmt.Sprintf("%d REGISTER", p.seq))
		if res.status() != 401 {
			return res
		}
		p.ch, p.nc = res, 0
	}
}

// respond answers a request.
func (p *peer) respond(r packet, code int, reason, tag string, headers ...string) {
	p.t.Helper()
	p.respondBody(r, code, reason, tag, "", headers...)
}

func (p *peer) respondBody(r packet, code int, reason, tag, body string, headers ...string) {
	p.t.Helper()
	lines := []string{fmt.Sprintf("SIP/2.0 %d %s", code, reason)}
	for _, name := range []string{"Via", "Record-Route", "From", "Call-ID", "CSeq"} {
		for _, v := range r.all(name) {
			lines = append(lines, name+": "+v)
		}
	}
	to := r.get("To")
	if tag != "" && !strings.Contains(to, ";tag=") {
		to += ";tag=" + tag
	}
	lines = append(lines, "To: "+to, "Contact: <"+p.contact()+">")
	lines = append(lines, headers...)
	if body != "" {
		lines = append(lines, "Content-Type: application/sdp")
	}
	p.write(strings.Join(append(lines, fmt.Sprintf("Content-Length: %d", len(body)), "", body), "\r\n"))
}

// talk is a dialog as one phone has it.
type talk struct {
	p              *peer
	callID         string
	local, remote  string // From and To values with tags
	target         string
	routes         []string
	cseq           int
	invite, answer packet
}

// routesOf gives Record-Route values, one each.
func routesOf(m packet) (out []string) {
	for _, v := range m.all("Record-Route") {
		for part := range strings.SplitSeq(v, ",") {
			out = append(out, strings.TrimSpace(part))
		}
	}
	return out
}

// calls begins a call; the credentials are sent along or asked for.
func (p *peer) calls(to string, headers ...string) *talk {
	p.t.Helper()
	return p.callsWith(ask{method: "INVITE", uri: "sip:" + to + "@acme.test", callID: fmt.Sprintf("call-%x", rand.Uint64()), headers: headers, body: "v=0\r\n"})
}

func (p *peer) callsWith(a ask) *talk {
	p.t.Helper()
	p.seq++
	a.cseq = p.seq
	if p.ch.line != "" {
		a.headers = append(a.headers, p.authorization("INVITE", a.uri))
	}
	p.send(a)
	return &talk{p: p, callID: a.callID, cseq: a.cseq, remote: "<" + a.uri + ">"}
}

func (d *talk) key(method string) string { return fmt.Sprintf("%d %s", d.cseq, method) }

// answered waits for the 200 and acknowledges it.
func (d *talk) answered() packet {
	d.p.t.Helper()
	res := d.p.final(d.key("INVITE"))
	if res.status() != 200 {
		d.p.t.Fatalf("%s: not answered:\n%s", d.p.user, res)
	}
	d.take(res)
	d.ack()
	return res
}

// take makes the dialog of a response.
func (d *talk) take(res packet) {
	d.local, d.remote = res.get("From"), res.get("To")
	d.target = between(res.get("Contact"), "<", ">")
	d.routes = routesOf(res)
	slices.Reverse(d.routes)
	d.answer = res
}

func (d *talk) ack() {
	d.p.t.Helper()
	d.p.send(ask{method: "ACK", uri: d.target, from: d.local, to: d.remote, callID: d.callID, cseq: d.cseq, routes: d.routes})
}

// accepts answers an INVITE that was read.
func (p *peer) accepts(r packet, tag string) *talk {
	p.t.Helper()
	p.respondBody(r, 200, "OK", tag, "v=0\r\ns=a\r\n")
	return p.dialogOf(r, tag)
}

// dialogOf is the dialog of a request that was answered with a tag.
func (p *peer) dialogOf(r packet, tag string) *talk {
	return &talk{
		p: p, callID: r.get("Call-ID"), local: r.get("To") + ";tag=" + tag, remote: r.get("From"),
		target: between(r.get("Contact"), "<", ">"), routes: routesOf(r), cseq: 100, invite: r,
	}
}

// asks sends a request inside the dialog and gives its final response.
func (d *talk) asks(method string, headers ...string) packet {
	d.p.t.Helper()
	d.begins(method, headers...)
	return d.p.final(d.key(method))
}

func (d *talk) begins(method string, headers ...string) {
	d.p.t.Helper()
	d.cseq++
	a := ask{method: method, uri: d.target, from: d.local, to: d.remote, callID: d.callID, cseq: d.cseq, routes: d.routes, headers: headers}
	if method == "INVITE" {
		a.body = "v=0\r\na=sendonly\r\n"
	}
	d.p.send(a)
}
