package sim

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"perch/hotdesk/directory"

	"github.com/emiago/sipgo/sip"
	"github.com/pion/rtp"
)

// server is a small registrar, presence server and feature-code answerer with
// the files of one phone, written for these tests alone.
type server struct {
	t    testing.TB
	conn *net.UDPConn
	addr netip.AddrPort
	http *httptest.Server
	wg   sync.WaitGroup

	mu             sync.Mutex
	files          map[string]string // by file name
	passwords      map[string]string // by digest user
	httpUser       string
	httpPass       string
	basicOnly      bool
	gets           []string // "status name" of requests that were let through or not found
	agents         map[string]bool
	contacts       map[string]string // AOR user to contact URI
	sources        map[string]netip.AddrPort
	registers      []string // "Call-ID CSeq Expires"
	expires        int
	registerStatus int
	subs           map[string]*watch // by Call-ID
	refuseSub      int
	answers        chan *sip.Response // to requests the test sent
	reply          func(req *sip.Request, from netip.AddrPort) bool
	invites        int
	cancels        int
	byes           chan string
	acks           chan *sip.Request
	drop           int // datagrams to lose
	algorithm      string
	cseq           int
}

type watch struct {
	req     *sip.Request
	tag     string
	from    netip.AddrPort
	version int
	cseq    int
	ended   bool
}

func newServer(t testing.TB) *server {
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	s := &server{
		t: t, conn: conn, addr: conn.LocalAddr().(*net.UDPAddr).AddrPort(),
		files: map[string]string{}, passwords: map[string]string{}, agents: map[string]bool{},
		contacts: map[string]string{}, sources: map[string]netip.AddrPort{}, subs: map[string]*watch{},
		answers: make(chan *sip.Response, 64), byes: make(chan string, 16), acks: make(chan *sip.Request, 64),
		expires: 3600, algorithm: "MD5", httpUser: testMAC.String(), httpPass: "dev-s3cret",
	}
	s.http = httptest.NewServer(http.HandlerFunc(s.serveFile))
	s.wg.Go(s.listen)
	t.Cleanup(s.close)
	return s
}

func (s *server) close() {
	s.conn.Close()
	s.wg.Wait()
	s.http.Close()
}

func (s *server) set(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// serveFile asks for credentials first, then answers 200 or 404.
func (s *server) serveFile(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.agents[r.UserAgent()] = true
	const nonce = "f00"
	c := challenge{realm: "files", nonce: nonce, algorithm: "MD5", qop: true}
	user, pass, basic := r.BasicAuth()
	ok := basic && user == s.httpUser && pass == s.httpPass
	if !s.basicOnly && !basic {
		ok = c.answers(r.Header.Get("Authorization"), s.httpUser, directory.Secret(s.httpPass), "GET", r.URL.RequestURI())
	}
	if !ok && s.httpUser != "" {
		if !s.basicOnly {
			w.Header().Add("WWW-Authenticate", `Digest realm="files", nonce="f00", algorithm=MD5, qop="auth"`)
		}
		w.Header().Add("WWW-Authenticate", `Basic realm="files"`)
		w.WriteHeader(401)
		return
	}
	body, found := s.files[name]
	if !found {
		s.gets = append(s.gets, "404 "+name)
		http.NotFound(w, r)
		return
	}
	s.gets = append(s.gets, "200 "+name)
	fmt.Fprint(w, body)
}

func (s *server) listen() {
	buf := make([]byte, 65536)
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		s.mu.Lock()
		lose := s.drop > 0
		if lose {
			s.drop--
		}
		s.mu.Unlock()
		if lose {
			continue
		}
		msg, err := sip.ParseMessage(append([]byte(nil), buf[:n]...))
		if err != nil {
			s.t.Errorf("phone sent what does not parse: %v\n%s", err, buf[:n])
			continue
		}
		switch m := msg.(type) {
		case *sip.Response:
			s.answers <- m
		case *sip.Request:
			s.mu.Lock()
			s.request(m, from)
			s.mu.Unlock()
		}
	}
}

func (s *server) send(m interface{ String() string }, to netip.AddrPort) {
	if _, err := s.conn.WriteToUDPAddrPort([]byte(m.String()), to); err != nil {
		s.t.Log(err)
	}
}

func (s *server) respond(req *sip.Request, from netip.AddrPort, status int, hs ...string) {
	res := sip.NewResponseFromRequest(req, status, "Test", nil)
	if _, ok := req.To().Params.Get("tag"); !ok && status != 100 {
		res.To().Params = sip.HeaderParams{{K: "tag", V: "server"}}
	}
	for _, h := range hs {
		n, v, _ := strings.Cut(h, ": ")
		res.AppendHeader(sip.NewHeader(n, v))
	}
	s.send(res, from)
}

// authentic challenges a request until it is answered right.
func (s *server) authentic(req *sip.Request, from netip.AddrPort) bool {
	c := challenge{realm: "acme.test", nonce: "n1", algorithm: s.algorithm, qop: true}
	if h := req.GetHeader("Authorization"); h != nil {
		user := authParams(strings.TrimPrefix(h.Value(), "Digest "))["username"]
		if pw, ok := s.passwords[user]; ok && c.answers(h.Value(), user, directory.Secret(pw), string(req.Method), req.Recipient.String()) {
			return true
		}
	}
	s.respond(req, from, 401, fmt.Sprintf(`WWW-Authenticate: Digest realm="acme.test", nonce="n1", algorithm=%s, qop="auth"`, s.algorithm))
	return false
}

func (s *server) request(req *sip.Request, from netip.AddrPort) {
	if s.reply != nil && s.reply(req, from) {
		return
	}
	switch req.Method {
	case sip.REGISTER:
		s.register(req, from)
	case sip.SUBSCRIBE:
		s.subscribe(req, from)
	case sip.INVITE:
		s.invite(req, from)
	case sip.ACK:
		s.acks <- req
	case sip.BYE:
		s.respond(req, from, 200)
		s.byes <- req.CallID().Value()
	case sip.CANCEL:
		s.cancels++
		s.respond(req, from, 200)
	default:
		s.respond(req, from, 501)
	}
}

func (s *server) register(req *sip.Request, from netip.AddrPort) {
	if s.registerStatus != 0 {
		s.respond(req, from, s.registerStatus, "Retry-After: 1", "Min-Expires: 7200")
		return
	}
	if !s.authentic(req, from) {
		return
	}
	asked := req.GetHeader("Expires").Value()
	s.registers = append(s.registers, fmt.Sprintf("%s %d %s", req.CallID().Value(), req.CSeq().SeqNo, asked))
	user := req.To().Address.User
	uri := req.Contact().Address.String()
	if asked == "0" {
		delete(s.contacts, user)
		s.respond(req, from, 200)
		return
	}
	s.contacts[user], s.sources[user] = uri, from
	s.respond(req, from, 200, fmt.Sprintf("Contact: <%s>;expires=%d", uri, s.expires))
}

func (s *server) subscribe(req *sip.Request, from netip.AddrPort) {
	if s.refuseSub != 0 {
		s.respond(req, from, s.refuseSub)
		return
	}
	if !s.authentic(req, from) {
		return
	}
	id := req.CallID().Value()
	w := s.subs[id]
	if _, in := req.To().Params.Get("tag"); in && w == nil {
		s.respond(req, from, 481)
		return
	}
	if w == nil {
		w = &watch{req: req, tag: "server", from: from}
		s.subs[id] = w
	}
	expires := req.GetHeader("Expires").Value()
	s.respond(req, from, 200, "Expires: "+expires, fmt.Sprintf("Contact: <sip:perch@%s>", s.addr))
	state := "active;expires=" + expires
	if expires == "0" {
		state, w.ended = "terminated;reason=timeout", true
	}
	s.notify(w, state, dialogDoc(w, "terminated"))
}

func dialogDoc(w *watch, state string) string {
	doc := fmt.Sprintf(`<?xml version="1.0"?><dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="%d" state="full" entity="%s">`,
		w.version, w.req.To().Address.String())
	if state != "terminated" {
		doc += `<dialog id="d1" direction="recipient"><state>` + state + `</state></dialog>`
	}
	w.version++
	return doc + `</dialog-info>`
}

// notify sends a NOTIFY in w's dialog.
func (s *server) notify(w *watch, state, body string) {
	w.cseq++
	tag, _ := w.req.From().Params.Get("tag")
	s.raw(w.from, "NOTIFY", w.req.Contact().Address.String(),
		fmt.Sprintf("<%s>;tag=%s", w.req.To().Address.String(), w.tag),
		fmt.Sprintf("<%s>;tag=%s", w.req.From().Address.String(), tag),
		w.req.CallID().Value(), w.cseq, body,
		"Event: dialog", "Subscription-State: "+state, "Content-Type: application/dialog-info+xml", fmt.Sprintf("Contact: <sip:perch@%s>", s.addr))
}

// raw sends a request put together by hand.
func (s *server) raw(to netip.AddrPort, method, uri, fromH, toH, callID string, cseq int, body string, hs ...string) {
	s.cseq++
	msg := fmt.Sprintf("%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKsrv%d;rport\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\nMax-Forwards: 70\r\n",
		method, uri, s.addr, s.cseq, fromH, toH, callID, cseq, method)
	for _, h := range hs {
		msg += h + "\r\n"
	}
	msg += fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
	if _, err := s.conn.WriteToUDPAddrPort([]byte(msg), to); err != nil {
		s.t.Log(err)
	}
}

// checkSync sends an out-of-dialog NOTIFY to the contact of user.
func (s *server) checkSync(user, event, callID string, cseq int, hs ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.raw(s.sources[user], "NOTIFY", s.contacts[user], "<sip:perch@acme.test>;tag=p1", "<sip:"+user+"@acme.test>", callID, cseq, "",
		append([]string{"Event: " + event, "Subscription-State: terminated"}, hs...)...)
}

// answer waits for the phone's response to a NOTIFY of that Call-ID.
func (s *server) answer(callID string) *sip.Response {
	s.t.Helper()
	deadline := time.After(5 * time.Second)
	for {
		select {
		case res := <-s.answers:
			if res.CallID().Value() == callID {
				return res
			}
		case <-deadline:
			s.t.Fatalf("no answer to %s", callID)
		}
	}
}

// invite answers a feature code: three packets of PCMU, then BYE.
func (s *server) invite(req *sip.Request, from netip.AddrPort) {
	if !s.authentic(req, from) {
		return
	}
	s.invites++
	peer, _, ok := readSDP(req.Body())
	if !ok && len(req.Body()) > 0 {
		s.respond(req, from, 488)
		return
	}
	media, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		s.t.Error(err)
		return
	}
	port := media.LocalAddr().(*net.UDPAddr).Port
	body := fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n", port)
	res := sip.NewResponseFromRequest(req, 200, "OK", []byte(body))
	res.To().Params = sip.HeaderParams{{K: "tag", V: "server"}}
	res.AppendHeader(sip.NewHeader("Contact", fmt.Sprintf("<sip:perch@%s>", s.addr)))
	res.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
	s.send(res, from)
	tag, _ := req.From().Params.Get("tag")
	s.wg.Go(func() {
		defer media.Close()
		for n := 0; n < 2; {
			var ack *sip.Request
			select {
			case ack = <-s.acks:
			case <-time.After(5 * time.Second):
				s.t.Error("no ACK")
				return
			}
			if ack.CallID().Value() != req.CallID().Value() || ack.CSeq().SeqNo != req.CSeq().SeqNo {
				continue // the ACK of the challenge
			}
			if n++; n == 1 {
				s.send(res, from) // a copy of the 2xx wants its ACK too
			}
			if p, _, ok := readSDP(ack.Body()); ok {
				peer = p
			}
		}
		for i := range 3 {
			pkt := rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: uint16(i)}, Payload: []byte{1, 2, byte(i)}}
			b, _ := pkt.Marshal()
			media.WriteToUDPAddrPort(b, peer)
		}
		media.SetReadDeadline(time.Now().Add(3 * time.Second))
		if n, err := media.Read(make([]byte, 500)); err != nil || n != 172 {
			s.t.Errorf("no silence from the phone: %d bytes, %v", n, err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.raw(from, "BYE", req.Contact().Address.String(), req.To().Value()+";tag=server", fmt.Sprintf("<%s>;tag=%s", req.From().Address.String(), tag), req.CallID().Value(), 1, "")
	})
}

// contact gives what a user registered.
func (s *server) contact(user string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.contacts[user]
}
