package upstream

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"perch/hotdesk/directory"
	"perch/sip/digest"
	"perch/sip/flow"
	"perch/sip/location"
	"perch/sip/upstream/registration"
	"perch/sip/upstream/resolve"
)

// fakePBX answers each request as its script says.
type fakePBX struct {
	t      testing.TB
	script []func(*sip.Request) (*sip.Response, error)
	sent   []*sip.Request
	to     []string
	dead   string // hop that cannot be reached
}

func (f *fakePBX) Reach(_ context.Context, h flow.Hop, _ int) (location.Flow, error) {
	if h.String() == f.dead {
		return location.Flow{}, flow.ErrNoWay
	}
	return location.Flow{Transport: h.Transport, Remote: h.Addr.String()}, nil
}

func (f *fakePBX) Contact(_ location.Flow, user string) string {
	return "sip:" + user + "@198.51.100.1:5060"
}

func (f *fakePBX) Send(_ context.Context, l location.Flow, req *sip.Request) (*sip.Response, error) {
	if len(f.sent) >= len(f.script) {
		f.t.Fatalf("one request too many:\n%s", req)
	}
	f.sent, f.to = append(f.sent, req), append(f.to, l.Remote)
	return f.script[len(f.sent)-1](req)
}

func (f *fakePBX) Resolve(context.Context, string) ([]resolve.Hop, error) {
	return []resolve.Hop{{Transport: "udp", Addr: hop("1").Addr}, {Transport: "udp", Addr: hop("2").Addr}}, nil
}

// UpstreamPassword implements Secrets: nobody has one whose number is 9.
func (f *fakePBX) UpstreamPassword(e directory.Extension) (directory.Secret, bool, error) {
	return "secret", e.ID.Number != "9", nil
}

func (f *fakePBX) client() *Client {
	return &Client{Resolver: f, Sender: f, Health: NewHealth(), Now: func() time.Time { return noon }}
}

// says answers with a status and header fields, "Name: value".
func says(code int, headers ...string) func(*sip.Request) (*sip.Response, error) {
	return func(req *sip.Request) (*sip.Response, error) {
		res := sip.NewResponse(code, "x")
		for _, h := range headers {
			name, value, _ := strings.Cut(h, ": ")
			res.AppendHeader(sip.NewHeader(name, value))
		}
		return res, nil
	}
}

// silent gives no answer.
func silent(*sip.Request) (*sip.Response, error) { return nil, flow.ErrTimeout }

// proven wants credentials that hold.
func proven(field string, headers ...string) func(*sip.Request) (*sip.Response, error) {
	return func(req *sip.Request) (*sip.Response, error) {
		h := req.GetHeader(field)
		if h == nil {
			return says(400)(req)
		}
		c, err := digest.ParseCredentials(h.Value())
		if err != nil || !c.Verify("secret", "REGISTER", digest.MD5, digest.SHA256) || c.URI != req.Recipient.String() {
			return says(403)(req)
		}
		return says(200, headers...)(req)
	}
}

const (
	md5Challenge = `WWW-Authenticate: Digest realm="pbx", nonce="n1", algorithm=MD5, qop="auth"`
	shaChallenge = `WWW-Authenticate: Digest realm="pbx", nonce="n2", algorithm=SHA-256, qop="auth"`
	staleAnswer  = `WWW-Authenticate: Digest realm="pbx", nonce="n3", stale=true, qop="auth"`
	proxyAnswer  = `Proxy-Authenticate: Digest realm="pbx", nonce="n4", qop="auth"`
)

func TestRegister(t *testing.T) {
	type step = func(*sip.Request) (*sip.Response, error)
	for name, tc := range map[string]struct {
		number  string
		dead    string
		script  []step
		status  int
		why     string
		granted time.Duration
		to      string // last hop
	}{
		"no challenge":      {script: []step{says(200, "Expires: 300")}, status: 200, granted: 5 * time.Minute, to: "1"},
		"md5":               {script: []step{says(401, md5Challenge), proven("Authorization")}, status: 200, granted: registration.Ask, to: "1"},
		"sha-256":           {script: []step{says(401, md5Challenge, shaChallenge), proven("Authorization", "Contact: <sip:1@198.51.100.1:5060>;expires=90, <sip:x@y>;expires=9")}, status: 200, granted: 90 * time.Second, to: "1"},
		"407":               {script: []step{says(407, proxyAnswer), proven("Proxy-Authorization")}, status: 200, granted: registration.Ask, to: "1"},
		"stale":             {script: []step{says(401, md5Challenge), says(401, staleAnswer), proven("Authorization")}, status: 200, granted: registration.Ask, to: "1"},
		"wrong password":    {script: []step{says(401, md5Challenge), says(401, md5Challenge)}, status: 401, why: registration.WhyCredentials, to: "1"},
		"forbidden":         {script: []step{says(401, md5Challenge), says(403)}, status: 403, why: registration.WhyCredentials, to: "1"},
		"no password":       {number: "9", script: []step{says(401, md5Challenge)}, status: 401, why: registration.WhyNoPassword, to: "1"},
		"unknown scheme":    {script: []step{says(401, "WWW-Authenticate: Bearer x")}, status: 401, why: registration.WhyNoPassword, to: "1"},
		"challenge without": {script: []step{says(401)}, status: 401, why: registration.WhyNoPassword, to: "1"},
		"too brief":         {script: []step{says(423, "Min-Expires: 900"), says(200, "Contact: <sip:1@198.51.100.1:5060>;expires=900")}, status: 200, granted: 15 * time.Minute, to: "1"},
		"too brief, absurd": {script: []step{says(423, "Min-Expires: 99999999999")}, status: 423, why: registration.WhyRefused, to: "1"},
		"not found":         {script: []step{says(404)}, status: 404, why: registration.WhyRefused, to: "1"},
		"moved":             {script: []step{says(302, "Contact: <sip:evil@198.51.100.9>")}, status: 302, why: registration.WhyRefused, to: "1"},
		"503, next hop":     {script: []step{says(503, "Retry-After: 60"), says(200)}, status: 200, granted: registration.Ask, to: "2"},
		"silence, next hop": {script: []step{silent, says(200)}, status: 200, granted: registration.Ask, to: "2"},
		"dead, next hop":    {dead: "udp:192.0.2.1:5060", script: []step{says(200)}, status: 200, granted: registration.Ask, to: "2"},
		"all silent":        {script: []step{silent, silent}, why: registration.WhySilent, to: "2"},
		"asks for ever": {script: []step{
			says(401, md5Challenge), says(401, staleAnswer), says(401, staleAnswer), says(401, staleAnswer),
		}, status: 401, why: registration.WhyCredentials, to: "1"},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fakePBX{t: t, script: tc.script, dead: tc.dead}
			number := tc.number
			if number == "" {
				number = "1"
			}
			rec := registration.Record{
				Tenant: "acme", Account: registration.Account{Number: number, URI: "sip:pbx.test:5070", Username: "u"}, Wanted: true,
				CallID: "c", CSeq: 7, Contacts: []registration.Contact{{URI: "sip:old@198.51.100.7", Expires: noon.Add(time.Minute).UnixMilli()}},
			}
			got, ans := f.client().register(t.Context(), rec, f)
			if ans.Status != tc.status || ans.Why != tc.why || ans.Granted != tc.granted || len(f.sent) != len(tc.script) {
				t.Errorf("%+v after %d requests", ans, len(f.sent))
			}
			if last := f.to[len(f.to)-1]; last != "192.0.2."+tc.to+":5060" {
				t.Errorf("asked %v", f.to)
			}
			for i, req := range f.sent {
				if req.CSeq().SeqNo != uint32(7+i) || req.Recipient.String() != "sip:pbx.test:5070" || req.To().Address.String() != "sip:u@pbx.test:5070" {
					t.Errorf("request %d:\n%s", i, req)
				}
			}
			if ans.CSeq != uint32(7+len(f.sent)) || got.Contacts[0].URI != "sip:"+number+"@198.51.100.1:5060;perch-tenant=acme" {
				t.Errorf("next CSeq %d, contacts %+v", ans.CSeq, got.Contacts)
			}
			if c := f.sent[0].GetHeader("Contact").Value(); !strings.Contains(c, "<sip:old@198.51.100.7>;expires=0") || !strings.Contains(c, ";expires=600, ") {
				t.Errorf("Contact: %s", c)
			}
		})
	}
}

// TestUnregister: everything that the PBX may hold goes.
func TestUnregister(t *testing.T) {
	f := &fakePBX{t: t}
	f.script = append(f.script, says(401, md5Challenge), proven("Authorization"))
	rec := registration.Record{Account: registration.Account{Number: "1", URI: "sip:pbx.test", Username: "u"}, CallID: "c", Contacts: []registration.Contact{{URI: "sip:a@b"}, {URI: "sip:c@d"}}}
	got, ans := f.client().register(t.Context(), rec, f)
	if c := f.sent[1].GetHeader("Contact").Value(); !ans.OK() || c != "<sip:a@b>;expires=0, <sip:c@d>;expires=0" || f.sent[1].GetHeader("Expires") != nil {
		t.Errorf("%+v\n%s", ans, f.sent[1])
	}
	if next, _ := got.Next(ans, noon, 0.5); next.Stays() {
		t.Errorf("%+v", next)
	}
}

// TestClientTells: who listens hears of hops that go and come.
func TestClientTells(t *testing.T) {
	f := &fakePBX{t: t, script: []func(*sip.Request) (*sip.Response, error){silent, silent, says(200), says(503), says(404), says(200)}}
	c := f.client()
	var told []string
	c.Changed = func(h flow.Hop, up bool, why string) {
		told = append(told, h.String()+" "+map[bool]string{true: "up", false: why}[up])
	}
	var ok []bool
	for range f.script {
		ok = append(ok, c.Check(t.Context(), hop("1"), "sip:pbx.test") == nil)
	}
	if want := []string{"udp:192.0.2.1:5060 silent", "udp:192.0.2.1:5060 up"}; !slices.Equal(told, want) {
		t.Error(told)
	}
	if want := []bool{false, false, true, false, true, true}; !slices.Equal(ok, want) {
		t.Error(ok)
	}
	f.dead = "udp:192.0.2.1:5060"
	if err := c.Check(t.Context(), hop("1"), "sip:pbx.test"); !errors.Is(err, flow.ErrNoWay) {
		t.Error(err)
	}
}

// FuzzAnswer: whatever a PBX writes into the fields that are read, the time
// granted makes sense and nothing breaks.
func FuzzAnswer(f *testing.F) {
	f.Add("<sip:1@198.51.100.1:5060>;expires=60", "60", "120")
	f.Add(`"a,b" <sip:x>;expires="9", <`, "-1", "9999999999999999999999")
	f.Fuzz(func(t *testing.T, contact, expires, after string) {
		res := sip.NewResponse(200, "OK")
		res.AppendHeader(sip.NewHeader("Contact", contact))
		res.AppendHeader(sip.NewHeader("Expires", expires))
		res.AppendHeader(sip.NewHeader("Retry-After", after))
		if got := granted(res, "sip:1@198.51.100.1:5060", time.Minute); got <= 0 {
			t.Fatal(got)
		}
		if got := retryAfter(res, time.Hour); got < 0 || got > time.Hour {
			t.Fatal(got)
		}
	})
}

// FuzzAddress: a user part cannot leave its place, and comes back as it was.
func FuzzAddress(f *testing.F) {
	f.Add("+4930")
	f.Add("a@b>\r\nX: y")
	f.Fuzz(func(t *testing.T, user string) {
		uri := pbx{scheme: "sip", domain: "pbx.test"}.identity(user)
		if strings.ContainsAny(uri, "\r\n<> \"") || strings.Count(uri, "@") != 1 {
			t.Fatalf("%q", uri)
		}
	})
}
