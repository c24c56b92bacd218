package notify_test

import (
	"errors"
	"strings"
	"testing"

	"perch/hotdesk/directory"
	"perch/hotdesk/reload"
	"perch/sip/digest"
	"perch/sip/flow"
	"perch/sip/location"
)

// notice is a NOTIFY to a phone that has registered by the flow it uses.
func (o *office) notice(p *phone) reload.Notice {
	return reload.Notice{
		Domain: "acme.test", CallID: "trace1@acme.test", Event: "check-sync;reboot=false",
		Contact: location.Contact{
			URI: "sip:Odd%20one@192.0.2.99:1;ob;x=Y", AOR: directory.AOR{User: p.user, Domain: "acme.test"},
			Path: []string{"<sip:edge.acme.test;lr>"}, Flow: o.flow(p),
		},
		Username: p.username, Password: p.password,
	}
}

// connect makes the server know the phone's flow, as a REGISTER would, and
// gives it back with its connection's name.
func (o *office) connect(p *phone) location.Flow {
	o.t.Helper()
	want(o.t, p.subscribe(grace, event), 200)
	p.reply(p.request(), "200 OK")
	return o.of(p.username)[0].Flow
}

// sent sends a notice that must leave, and gives it as the phone got it.
func (o *office) sent(p *phone, n reload.Notice) (message, <-chan int) {
	o.t.Helper()
	answer, err := o.notifier.Send(o.t.Context(), n)
	o.must(err)
	return p.request(), answer
}

func TestReloadNotify(t *testing.T) {
	for _, tp := range []string{"udp", "tcp"} {
		t.Run(tp, func(t *testing.T) {
			o := open(t)
			p := o.device(tp, desk1)
			n := o.notice(p)
			n.Contact.Flow = o.connect(p)
			m, answer := o.sent(p, n)
			if m.first != "NOTIFY sip:Odd%20one@192.0.2.99:1;ob;x=Y SIP/2.0" {
				t.Errorf("Request-URI not verbatim: %s", m.first)
			}
			for name, value := range map[string]string{
				"To": "<sip:001565aabb01@acme.test>", "Call-ID": "trace1@acme.test", "Event": "check-sync;reboot=false",
				"Subscription-State": "terminated", "Content-Length": "0", "Content-Type": "", "Route": "<sip:edge.acme.test;lr>",
			} {
				if got := m.get(name); got != value {
					t.Errorf("%s: %q, want %q", name, got, value)
				}
			}
			if got := m.get("from"); !strings.HasPrefix(got, "<sip:perch@acme.test>;tag=") || len(got) < 40 {
				t.Errorf("From %q", got)
			}
			if got := m.get("contact"); !strings.HasPrefix(got, "<sip:perch@"+o.at[tp]) {
				t.Errorf("Contact %q", got)
			}
			p.reply(m, "200 OK")
			if got := <-answer; got != 200 {
				t.Errorf("status %d", got)
			}

			n.ContentType, n.Body = "application/x", []byte("body")
			m, answer = o.sent(p, n)
			if m.get("content-type") != "application/x" || m.body != "body" {
				t.Errorf("body:\n%s", m.text)
			}
			p.reply(m, "489 Bad Event")
			if got := <-answer; got != 489 {
				t.Errorf("status %d", got)
			}
		})
	}
}

// The phone's challenge is answered once, with its own realm, by the best
// algorithm it offers, qop or none.
func TestChallenge(t *testing.T) {
	const md5, sha = `algorithm=MD5`, `algorithm=SHA-256`
	for _, tc := range []struct {
		name       string
		status     string
		challenges []string
		alg        digest.Algorithm
		qop        string
	}{
		{"md5 with qop", "401 Unauthorized", []string{`Digest realm="Phone, \"own\"", nonce="n1", qop="auth", ` + md5}, digest.MD5, "auth"},
		{"md5 without qop", "401 Unauthorized", []string{`Digest realm="phone", nonce="n1"`}, digest.MD5, ""},
		{"qop list and opaque", "401 Unauthorized", []string{`Digest realm="phone", nonce="n1", opaque="o", qop="auth,auth-int"`}, digest.MD5, "auth"},
		{"sha-256", "401 Unauthorized", []string{`Digest realm="phone", nonce="n1", qop="auth", ` + sha}, digest.SHA256, "auth"},
		{"the best of several", "401 Unauthorized", []string{`Digest realm="phone", nonce="n1", qop="auth", ` + md5, `Digest realm="phone", nonce="n2", qop="auth", ` + sha}, digest.SHA256, "auth"},
		{"proxy", "407 Proxy Authentication Required", []string{`Digest realm="edge", nonce="n1", qop="auth"`}, digest.MD5, "auth"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := open(t)
			p := o.device("udp", desk1)
			ask, reply := "WWW-Authenticate: ", "authorization"
			if tc.status[:3] == "407" {
				ask, reply = "Proxy-Authenticate: ", "proxy-authorization"
			}
			var lines []string
			for _, c := range tc.challenges {
				lines = append(lines, ask+c)
			}
			check := func(t *testing.T, first, second message) {
				t.Helper()
				for _, name := range []string{"Call-ID", "From", "To", "Event", "Subscription-State"} {
					if first.get(name) != second.get(name) {
						t.Errorf("%s changed: %q, %q", name, first.get(name), second.get(name))
					}
				}
				if first.first != second.first || first.body != second.body {
					t.Errorf("another request:\n%s%s", first.text, second.text)
				}
				if a, b := number(t, first), number(t, second); b != a+1 {
					t.Errorf("CSeq %d after %d", b, a)
				}
				if first.get("via") == second.get("via") {
					t.Error("the same branch")
				}
				c, err := digest.ParseCredentials(second.get(reply))
				if err != nil {
					t.Fatalf("%v\n%s", err, second.text)
				}
				uri := strings.Fields(second.first)[1]
				if c.Algorithm != tc.alg || c.QOP != tc.qop || c.Username != p.username || c.URI != uri {
					t.Errorf("credentials %s", second.get(reply))
				}
				if !c.Verify(p.password.Reveal(), "NOTIFY", tc.alg) {
					t.Errorf("wrong answer: %s", second.get(reply))
				}
			}
			t.Run("subscription", func(t *testing.T) {
				want(t, p.subscribe(grace, event), 200)
				first := p.request()
				p.reply(first, tc.status, lines...)
				second := p.request()
				check(t, first, second)
				p.reply(second, "200 OK")
				eventually(t, "lit", func() bool { l := o.of(p.username); return len(l) == 1 && l[0].Lit })
				want(t, p.once(grace, event, "Expires: 0"), 200)
				last := p.request()
				if got, before := number(t, last), number(t, second); got != before+1 {
					t.Errorf("CSeq %d after %d", got, before)
				}
				p.reply(last, tc.status, lines...)
				again := p.request()
				check(t, last, again)
				p.reply(again, "200 OK")
			})
			t.Run("reload", func(t *testing.T) {
				first, answer := o.sent(p, o.notice(p))
				p.reply(first, tc.status, lines...)
				second := p.request()
				check(t, first, second)
				p.reply(second, "200 OK")
				if got := <-answer; got != 200 {
					t.Errorf("status %d", got)
				}
			})
			t.Run("twice", func(t *testing.T) {
				first, answer := o.sent(p, o.notice(p))
				p.reply(first, tc.status, lines...)
				p.reply(p.request(), tc.status, lines...)
				if got := <-answer; got != 401 && got != 407 {
					t.Errorf("status %d", got)
				}
			})
		})
	}
}

// Passwords are those by which the phone subscribed.
func TestChallengedWatchers(t *testing.T) {
	o := open(t)
	_, session := o.login("1002", desk2)
	for _, p := range []*phone{
		o.phone("udp", "1001", "1001", "s3cret"),
		o.phone("udp", "1002", desk2.MAC.String(), session),
	} {
		want(t, p.subscribe(grace, event), 200)
		p.reply(p.request(), "401 Unauthorized", `WWW-Authenticate: Digest realm="phone", nonce="n"`)
		m := p.request()
		c, err := digest.ParseCredentials(m.get("authorization"))
		if err != nil || c.Username != p.username || !c.Verify(p.password.Reveal(), "NOTIFY", digest.MD5) {
			t.Errorf("%v %s", err, m.text)
		}
		p.reply(m, "200 OK")
	}
}

func TestUnanswerableChallenge(t *testing.T) {
	o := open(t)
	p := o.device("udp", desk1)
	for _, line := range []string{`WWW-Authenticate: Digest realm="p", nonce="n", algorithm=MD5-sess`, "WWW-Authenticate: Basic realm=x", "X: y"} {
		m, answer := o.sent(p, o.notice(p))
		p.reply(m, "401 Unauthorized", line)
		if got := <-answer; got != 401 {
			t.Errorf("%s: status %d", line, got)
		}
	}
}

func TestReloadWithoutFlow(t *testing.T) {
	o := open(t)
	p := o.device("tcp", desk1)
	n := o.notice(p)
	n.Contact.Flow = o.connect(p)
	for name, change := range map[string]func(*location.Flow){
		"another node":       func(f *location.Flow) { f.Node = "other" },
		"a closed socket":    func(f *location.Flow) { f.Local = "127.0.0.1:1" },
		"another connection": func(f *location.Flow) { f.ID = "older" },
	} {
		t.Run(name, func(t *testing.T) {
			bad := n
			change(&bad.Contact.Flow)
			if _, err := o.notifier.Send(t.Context(), bad); !errors.Is(err, reload.ErrNoFlow) {
				t.Errorf("%v", err)
			}
		})
	}
	p.silent()
	n.Event = "check-sync\r\nX: injected"
	if _, err := o.notifier.Send(t.Context(), n); !errors.Is(err, flow.ErrUnsafe) {
		t.Errorf("%v", err)
	}
	o.must(o.notifier.Close())
	if _, err := o.notifier.Send(t.Context(), o.notice(p)); !errors.Is(err, reload.ErrNoFlow) {
		t.Errorf("after Close: %v", err)
	}
}

// TestLostContact: nothing is sent to a contact that is marked, even where its
// UDP flow could carry it.
func TestLostContact(t *testing.T) {
	o := open(t)
	p := o.device("udp", desk1)
	n := o.notice(p)
	n.Contact.Flow, n.Contact.Lost = o.connect(p), 1
	if _, err := o.notifier.Send(t.Context(), n); !errors.Is(err, reload.ErrNoFlow) {
		t.Error(err)
	}
}

// TestMove: what a device has subscribed goes on by the flow that it is heard
// by, with the state that it may have missed.
func TestMove(t *testing.T) {
	o := open(t)
	p, next := o.device("tcp", desk1), o.device("tcp", desk2)
	from, to := o.connect(p), o.connect(next)
	o.must(o.notifier.Move(t.Context(), "acme", p.username, from, to))
	m := next.request()
	if !strings.HasPrefix(m.first, "NOTIFY ") {
		t.Errorf("got %s", m.first)
	}
	next.reply(m, "200 OK")
	for _, sub := range o.of(p.username) {
		if sub.Flow != to {
			t.Errorf("%s still uses %+v", sub.ID, sub.Flow)
		}
	}
	o.must(o.notifier.Move(t.Context(), "acme", "nobody", from, to))
}
