package sip_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/internal/credential"
	"perch/internal/store"
	"perch/internal/store/storetest"
	"perch/sip"
	"perch/sip/auth"
	"perch/sip/digest"
	"perch/sip/flow"
	"perch/sip/registrar"
)

// office is a running server with one tenant, two devices and two people, on
// loopback ports of its own.
type office struct {
	t      testing.TB
	store  *store.Store
	key    *credential.Key
	server *sip.Server
	sender *flow.Sender
	auth   *auth.Auth
	udp    string
	tcp    string
}

var (
	desk1 = directory.DeviceID{Tenant: "acme", MAC: directory.MAC{0, 0x15, 0x65, 0xaa, 0xbb, 1}}
	desk2 = directory.DeviceID{Tenant: "acme", MAC: directory.MAC{0, 0x15, 0x65, 0xaa, 0xbb, 2}}
	other = directory.DeviceID{Tenant: "globex", MAC: directory.MAC{0, 0x15, 0x65, 0xaa, 0xbb, 9}}
)

// tenants gives the store the one method that it lacks.
type tenants struct{ *store.Store }

func (s tenants) OnlyTenant(ctx context.Context) (directory.Tenant, error) {
	all, err := s.Tenants(ctx)
	if err != nil || len(all) != 1 {
		return directory.Tenant{}, fmt.Errorf("only tenant: %w %v", hotdesk.ErrNotFound, err)
	}
	return all[0], nil
}

func open(t testing.TB, change ...func(*sip.Options, *office)) *office {
	t.Helper()
	o := &office{t: t, store: storetest.Memory(t), sender: flow.NewSender("test")}
	var err error
	o.key, err = credential.FromBytes([]byte("0123456789abcdef0123456789abcdef"))
	o.must(err)
	o.fill()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	o.auth = auth.New(auth.Options{
		Tenants: tenants{o.store}, Directory: o.store, Secrets: o.key, Reloads: o.store,
		Nonces: digest.NewNonces(o.key.SubKey("nonce"), "test", "boot", time.Hour, time.Now), Window: digest.NewWindow(0),
		Log: log, Now: time.Now,
	})
	reg := registrar.New(registrar.Options{Store: o.store, Auth: o.auth})
	opts := sip.Options{
		Listen: []string{"udp://127.0.0.1:0", "tcp://127.0.0.1:0"}, Node: "test", Sender: o.sender,
		Handlers: sip.Handlers{Register: reg.Serve}, Log: log,
		Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	}
	for _, f := range change {
		f(&opts, o)
	}
	o.server, err = sip.New(opts)
	o.must(err)
	o.must(o.server.Listen())
	for _, a := range o.server.Bound() {
		switch {
		case a.Transport == "udp" && o.udp == "":
			o.udp = a.Addr.String()
		case a.Transport == "tcp" && o.tcp == "":
			o.tcp = a.Addr.String()
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- o.server.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	<-o.server.Started()
	return o
}

func (o *office) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) fill() {
	o.t.Helper()
	ada := directory.ExtensionID{Tenant: "acme", Number: "1001"}
	sealed, err := o.key.Seal(ada.SecretContext("sip_password"), "s3cret")
	o.must(err)
	o.must(o.store.WriteDirectory(o.t.Context(), store.Changes{
		Tenants: []directory.Tenant{
			{Code: "acme", Domains: []string{"acme.test", "acme.example"}, Realm: "acme.test", Digest: []string{"md5"}, EmergencyNumbers: []string{"112"}},
			{Code: "globex", Domains: []string{"globex.test"}, Realm: "globex.test", Digest: []string{"sha-256", "md5"}},
		},
		Extensions: []directory.Extension{
			{ID: ada, SIPPassword: directory.Kept{Value: sealed}},
			{ID: directory.ExtensionID{Tenant: "acme", Number: "1002"}},
		},
		Devices: []directory.Device{{ID: desk1}, {ID: desk2, Digest: []string{"sha-256"}}, {ID: other}},
	}, nil))
}

// login binds a number to a device and gives the session's password.
func (o *office) login(number string, at directory.DeviceID) directory.Secret {
	o.t.Helper()
	session := credential.NewSessionID()
	_, err := o.store.Bind(o.t.Context(), hotdesk.BindRequest{
		ID: string(session), Now: time.Now(), Device: at,
		Rules:   hotdesk.Rules{MaxLogins: 1, OnConflict: directory.Move, OnOccupied: directory.Replace},
		Binding: hotdesk.Binding{Session: session, Number: number, Line: 1, Door: hotdesk.CLI, Since: time.Now().UnixMilli(), Trace: "t" + string(session[:8])},
	})
	o.must(err)
	return o.key.SIPPassword("acme", directory.AOR{User: number, Domain: "acme.test"}, at.MAC, session)
}

func (o *office) account(d directory.DeviceID) directory.Secret {
	return o.key.DevicePassword(d.Tenant, directory.AOR{User: d.MAC.String(), Domain: string(d.Tenant) + ".test"}, d.MAC, 0)
}

// phone is a UDP or TCP client that shares no code with the server but digest.
type phone struct {
	t        testing.TB
	conn     net.Conn
	r        *bufio.Reader
	tp       string
	user     string // of To and From
	domain   string
	username string
	password directory.Secret
	callID   string
	cseq     int
	nc       uint32
	ch       digest.Challenge
	branch   int
	extra    string // header lines added to each request
	contact  string // Contact line; empty: the default
}

func (o *office) phone(tp, user, username string, password directory.Secret) *phone {
	o.t.Helper()
	at := o.udp
	if tp == "tcp" {
		at = o.tcp
	}
	c, err := net.Dial(tp, at)
	o.must(err)
	o.t.Cleanup(func() { _ = c.Close() })
	return &phone{
		t: o.t, conn: c, r: bufio.NewReaderSize(c, 65536), tp: tp, user: user, domain: "acme.test",
		username: username, password: password, callID: credential.NewToken().Reveal(),
	}
}

// response is what came back.
type response struct {
	code    int
	headers map[string][]string // by name in lower case
	text    string
}

func (r response) get(name string) string {
	if v := r.headers[strings.ToLower(name)]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// message writes a request of the phone.
func (p *phone) message(method, headers string) string {
	p.branch++
	p.cseq++
	contact := p.contact
	if contact == "" {
		contact = fmt.Sprintf("Contact: <sip:%s@%s;transport=%s>\r\n", p.user, p.conn.LocalAddr(), p.tp)
	}
	return fmt.Sprintf("%s sip:%s SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=z9hG4bK%s%d;rport\r\nFrom: <sip:%s@%s>;tag=f1\r\nTo: <sip:%s@%s>\r\nCall-ID: %s\r\nCSeq: %d %s\r\nMax-Forwards: 70\r\n%s%s%sContent-Length: 0\r\n\r\n",
		method, p.domain, strings.ToUpper(p.tp), p.conn.LocalAddr(), p.callID[:8], p.branch, p.user, p.domain, p.user, p.domain, p.callID, p.cseq, method, contact, p.extra, headers)
}

// send writes text and reads one message.
func (p *phone) send(text string) response {
	p.t.Helper()
	p.write(text)
	return p.read()
}

func (p *phone) write(text string) {
	p.t.Helper()
	if _, err := io.WriteString(p.conn, text); err != nil {
		p.t.Fatal(err)
	}
}

func (p *phone) read() response {
	p.t.Helper()
	res, err := p.tryRead(5 * time.Second)
	if err != nil {
		p.t.Fatalf("no answer: %v", err)
	}
	return res
}

// tryRead reads one message without a body.
func (p *phone) tryRead(wait time.Duration) (response, error) {
	_ = p.conn.SetReadDeadline(time.Now().Add(wait))
	res := response{headers: map[string][]string{}}
	for {
		line, err := p.r.ReadString('\n')
		if err != nil {
			return res, err
		}
		res.text += line
		if line = strings.TrimSpace(line); line == "" {
			return res, nil
		}
		if res.code == 0 {
			_, _ = fmt.Sscanf(line, "SIP/2.0 %d", &res.code)
			if res.code == 0 {
				res.code = -1 // a request
			}
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		name = strings.ToLower(name)
		res.headers[name] = append(res.headers[name], strings.TrimSpace(value))
	}
}

// authorization answers the challenge last seen.
func (p *phone) authorization(method string) string {
	p.t.Helper()
	p.nc++
	c, err := digest.Answer(p.ch, p.username, p.password.Reveal(), method, "sip:"+p.domain, p.nc, "cn")
	if err != nil {
		p.t.Fatal(err)
	}
	return "Authorization: " + c.String() + "\r\n"
}

// challenged takes the challenge of a 401.
func (p *phone) challenged(r response) {
	p.t.Helper()
	if r.code != 401 {
		p.t.Fatalf("want a challenge, got\n%s", r.text)
	}
	ch, err := digest.Choose(digest.ParseChallenges(r.headers["www-authenticate"]))
	if err != nil {
		p.t.Fatalf("%v in\n%s", err, r.text)
	}
	p.ch, p.nc = ch, 0
}

// register registers, answering one challenge, and gives the last response.
func (p *phone) register(headers string) response {
	p.t.Helper()
	if p.ch.Nonce == "" {
		p.challenged(p.send(p.message("REGISTER", headers)))
	}
	return p.send(p.message("REGISTER", headers+p.authorization("REGISTER")))
}

// answerFor answers the challenge with another digest URI.
func (p *phone) answerFor(uri string) string {
	p.t.Helper()
	p.nc++
	c, err := digest.Answer(p.ch, p.username, p.password.Reveal(), "REGISTER", uri, p.nc, "cn")
	if err != nil {
		p.t.Fatal(err)
	}
	return "Authorization: " + c.String() + "\r\n"
}
