package sim

import (
	"bufio"
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestYealinkFileRules(t *testing.T) {
	cases := []struct {
		name, file string
		want       settings
		includes   []string
		bad        bool
	}{
		{"values are trimmed", yealinkHeader + "\n a.b =  c d  \r\nx=1", settings{"a.b": "c d", "x": "1"}, nil, false},
		{"no header line", "a = b\n", settings{}, nil, true},
		{"empty", "", settings{}, nil, true},
		{"the last one counts", yealinkHeader + "\na=1\na=2", settings{"a": "2"}, nil, false},
		{"NULL clears", yealinkHeader + "\na=1\na=%NULL%", settings{"a": ""}, nil, false},
		{"comments and junk", yealinkHeader + "\n# a=1\njunk\nb==2", settings{"b": "=2"}, nil, false},
		{"includes", yealinkHeader + "\ninclude:config \"x.cfg\"\ninclude:config <y.cfg>", settings{}, []string{"x.cfg", "y.cfg"}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := settings{}
			includes, err := parseYealink([]byte(c.file), got)
			if (err != nil) != c.bad {
				t.Errorf("error %v", err)
			}
			if d := cmp.Diff(c.want, got) + cmp.Diff(c.includes, includes); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestSnomFileRules(t *testing.T) {
	cases := []struct {
		name, file string
		ok         bool
	}{
		{"settings", "<settings><phone-settings><user_name idx=\"1\">a</user_name></phone-settings></settings>", true},
		{"not closed", "<settings><phone-settings>", false},
		{"another root", "<html></html>", false},
		{"two kinds of nonsense", "user_name1: a", false},
		{"deep", strings.Repeat("<settings>", 20), false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if _, err := parseSnom([]byte(c.file), newSnomSettings()); (err == nil) != c.ok {
				t.Errorf("error %v", err)
			}
		})
	}
	s := newSnomSettings()
	files, err := parseSnom([]byte(`<setting-files><file url="a.xml"/><file url="b.xml"/></setting-files>`), s)
	if err != nil || len(files) != 2 {
		t.Errorf("setting-files: %v %v", files, err)
	}
}

func TestDialPlans(t *testing.T) {
	yealink := func(kv ...string) dialPlan {
		s := settings{}
		for _, e := range kv {
			k, v, _ := strings.Cut(e, "=")
			s[k] = v
		}
		return yealinkDialPlan(s)
	}
	const codes = "dialplan.digitmap.string=*11T|*11*[x*].T|*12T|[x*#+].T"
	cases := []struct {
		name   string
		plan   dialPlan
		typed  string
		dialed string
		ok     bool
	}{
		{"factory", yealink(), "*11*1001*4321", "*11*1001*4321", true},
		{"# sends", yealink(), "*12#", "*12", true},
		{"# is dialled", yealink("features.key_as_send=0"), "*12#", "*12#", true},
		{"* sends", yealink("features.key_as_send=2"), "*11*1001*4321", "*11", true},
		{"replaced", yealink("dialplan.replace.prefix.1=0(xx).", "dialplan.replace.replace.1=00$1"), "0301", "0030", true},
		{"dial now cuts", yealink("dialplan.dialnow.rule.1=*xx"), "*11*1001*4321", "*11", true},
		{"blocked", yealink("dialplan.block_out.number.1=112"), "112", "", false},
		{"unreadable rule", yealink("dialplan.block_out.number.1=[1"), "1", "1", true},
		{"digit map waits", yealink("dialplan.digitmap.enable=1", codes), "*11*1001*4321", "*11*1001*4321", true},
		{"digit map waits 2", yealink("dialplan.digitmap.enable=1", codes), "*12", "*12", true},
		{"digit map cuts", yealink("dialplan.digitmap.enable=1", "dialplan.digitmap.string=*xx|1xxx"), "*11*1001*4321", "*11", true},
		{"digit map no match", yealink("dialplan.digitmap.enable=1", "dialplan.digitmap.string=2xx"), "1001", "1001", true},
		{"snom keeps", snomDialPlan(`!^(\*11(\*[0-9*]+)?)$!sip:\1@\d!`), "*11*1001*4321", "*11*1001*4321", true},
		{"snom drops #", snomDialPlan(`!^([^#]+)#$!sip:\1@\d!d`), "*12#", "*12", true},
		{"snom cuts", snomDialPlan(`!^(\*[0-9]{2})$!sip:\1@\d!d`), "*11*1001", "*11", true},
		{"snom nothing", snomDialPlan(""), "112", "112", true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got, ok := c.plan.apply(c.typed); got != c.dialed || ok != c.ok {
				t.Errorf("dials %q %v", got, ok)
			}
		})
	}
}

// TestDigestExamples holds the answers of RFC 2617 section 3.5 and RFC 7616
// section 3.9.1.
func TestDigestExamples(t *testing.T) {
	cases := []struct {
		name string
		a    answer
		want string
	}{
		{"RFC 2617", answer{
			challenge: challenge{realm: "testrealm@host.com", nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093", qop: true}, user: "Mufasa",
			password: "Circle Of Life", method: "GET", uri: "/dir/index.html", nc: 1, cnonce: "0a4f113b",
		}, "6629fae49393a05397450978507c4ef1"},
		{"RFC 7616 SHA-256", answer{
			challenge: challenge{
				realm: "http-auth@example.org", algorithm: "SHA-256", qop: true,
				nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
			}, user: "Mufasa", password: "Circle of Life", method: "GET", uri: "/dir/index.html",
			nc: 1, cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
		}, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := c.a.response(); got != c.want {
				t.Errorf("got %s", got)
			}
			if !c.a.answers(c.a.header(), c.a.user, c.a.password, c.a.method, c.a.uri) {
				t.Error("the answer does not pass its own check")
			}
		})
	}
}

func TestChallengesArePicked(t *testing.T) {
	cases := []struct {
		name   string
		values []string
		realm  string
		ok     bool
	}{
		{"none", nil, "", false},
		{"unknown first", []string{`Digest realm="a", nonce="1", algorithm=SHA-512-256`, `Digest realm="b", nonce="2"`}, "b", true},
		{"comma and quote inside", []string{`digest realm="a, \"b\"", nonce="1",qop="auth-int, auth", stale=TRUE`}, `a, "b"`, true},
		{"basic only", []string{`Basic realm="a"`}, "", false},
		{"no nonce", []string{`Digest realm="a"`}, "a", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got, ok := pickChallenge(c.values); ok != c.ok || (ok && got.realm != c.realm) {
				t.Errorf("%+v %v", got, ok)
			}
		})
	}
}

func TestDialogInfoDocuments(t *testing.T) {
	doc := func(attrs, dialogs string) string {
		return `<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" ` + attrs + `>` + dialogs + `</dialog-info>`
	}
	cases := []struct {
		name, body, lamp string
		ok               bool
	}{
		{"idle", doc(`version="0" state="full" entity="sip:a@b"`, ""), "idle", true},
		{"ringing and talking", doc(`version="1" state="full" entity="sip:a@b"`,
			`<dialog id="1"><state>early</state></dialog><dialog id="2"><state event="x">confirmed</state></dialog>`), "confirmed", true},
		{"ended", doc(`version="1" state="full" entity="sip:a@b"`, `<dialog id="1"><state>terminated</state></dialog>`), "idle", true},
		{"no version", doc(`state="full" entity="sip:a@b"`, ""), "", false},
		{"no entity", doc(`version="0" state="full"`, ""), "", false},
		{"wrong state", doc(`version="0" state="whole" entity="sip:a@b"`, ""), "", false},
		{"unknown dialog state", doc(`version="0" state="full" entity="sip:a@b"`, `<dialog id="1"><state>odd</state></dialog>`), "", false},
		{"no namespace", `<dialog-info version="0" state="full" entity="sip:a@b"/>`, "", false},
		{"not XML", "idle", "", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d, err := parseDialogInfo([]byte(c.body))
			if (err == nil) != c.ok {
				t.Fatalf("error %v", err)
			}
			if c.ok && lampState(d.take(nil)) != c.lamp {
				t.Errorf("lamp %s", lampState(d.take(nil)))
			}
		})
	}
}

func TestHostileTextStaysOutOfHeaders(t *testing.T) {
	for _, s := range []string{"a\r\nEvil: 1", "a\u0085b", "a\u2028b", "a\x00b"} {
		if got := quote(s); strings.ContainsAny(got, "\r\n\x00\u0085\u2028") {
			t.Errorf("%q becomes %q", s, got)
		}
		if got := escapeUser(s); strings.ContainsAny(got, "\r\n\x00 ") {
			t.Errorf("%q becomes %q", s, got)
		}
	}
}

func FuzzYealinkFile(f *testing.F) {
	f.Add([]byte(yealinkHeader + "\naccount.1.enable = 1\naccount.1.user_name = 1\naccount.1.sip_server.1.address = a\nlinekey.1.type = 16\nlinekey.1.value = 2\n"))
	f.Add([]byte(yealinkHeader + "\ndialplan.replace.prefix.1 = ([1-3x].)\ndialplan.replace.replace.1 = $1$9$\ndialplan.digitmap.enable = 1\ndialplan.digitmap.string = [x*].T|1"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := settings{}
		_, _ = parseYealink(b, s)
		checkConfig(t, yealinkConfig(s))
	})
}

func FuzzSnomFile(f *testing.F) {
	f.Add([]byte(`<settings><phone-settings><user_name idx="1">1</user_name><user_host idx="1">a</user_host><user_dp_str idx="1">!^(.*)$!\1!d</user_dp_str></phone-settings><functionKeys><fkey idx="0" context="1">blf sip:2@a|x</fkey></functionKeys></settings>`))
	f.Add([]byte(`<setting-files><file url="x"/></setting-files>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := newSnomSettings()
		_, _ = parseSnom(b, s)
		checkConfig(t, snomConfig(s))
	})
}

// checkConfig holds what must be true whatever was fetched.
func checkConfig(t *testing.T, c *config) {
	t.Helper()
	if len(c.keys) > maxKeys {
		t.Errorf("%d keys", len(c.keys))
	}
	for _, a := range c.accounts {
		if strings.ContainsAny(a.address(), "\r\n\x00 <>\"") {
			t.Errorf("address %q", a.address())
		}
	}
	for _, k := range c.keys {
		if strings.ContainsAny(k.uri, "\r\n\x00 <>\"") {
			t.Errorf("key %q", k.uri)
		}
	}
	if got, _ := c.dial.apply("*11*1001#"); strings.ContainsAny(escapeUser(got), "\r\n\x00 ") {
		t.Errorf("dials %q", got)
	}
}

func FuzzDialogInfo(f *testing.F) {
	f.Add([]byte(`<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="0" state="full" entity="sip:a@b"><dialog id="1"><state>early</state></dialog></dialog-info>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if d, err := parseDialogInfo(b); err == nil && lampState(d.take(nil)) == "" {
			t.Error("no lamp state")
		}
	})
}

func FuzzFrame(f *testing.F) {
	f.Add([]byte("\r\n\r\nOPTIONS sip:a SIP/2.0\r\nl: 3\r\n\r\nabc"))
	f.Fuzz(func(_ *testing.T, b []byte) {
		r := bufio.NewReader(bytes.NewReader(b))
		for {
			if m, err := readFrame(r); err != nil || len(m) > 2*maxMessage {
				return
			}
		}
	})
}

// sink is a link that counts.
type sink struct{ sent [][]byte }

func (s *sink) send(b []byte, _ netip.AddrPort) error { s.sent = append(s.sent, b); return nil }
func (s *sink) local() netip.AddrPort                 { return netip.MustParseAddrPort("127.0.0.1:5060") }
func (s *sink) proto() string                         { return "udp" }
func (s *sink) down() <-chan struct{}                 { return nil }

// FuzzReceive throws datagrams at a phone with power and an account.
func FuzzReceive(f *testing.F) {
	head := " sip:1001@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKx;rport\r\nFrom: <sip:p@a>;tag=1\r\nTo: <sip:1001@a>\r\nCall-ID: c\r\nCSeq: 1 "
	f.Add([]byte("NOTIFY" + head + "NOTIFY\r\nEvent: check-sync;reboot=true\r\nContent-Length: 0\r\n\r\n"))
	f.Add([]byte("INVITE" + head + "INVITE\r\n\r\n"))
	f.Add([]byte("BYE" + head + "BYE\r\n\r\n"))
	f.Add([]byte("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\r\n"))
	p, err := New(Options{MAC: testMAC, Brand: Snom, BaseURL: "http://127.0.0.1/", ChallengeNotify: "r"})
	if err != nil {
		f.Fatal(err)
	}
	p.deaf, p.trusting, p.realm = false, true, "r"
	p.root = f.Context()
	p.line = p.newLine(account{user: "1001", host: "a", transport: "udp"}, nil)
	f.Fuzz(func(t *testing.T, b []byte) {
		var s sink
		p.receive(b, netip.MustParseAddrPort("127.0.0.1:5099"), &s)
		for _, m := range s.sent {
			if !bytes.HasSuffix(m, []byte("\r\n\r\n")) || !bytes.HasPrefix(m, []byte("SIP/2.0 ")) {
				t.Errorf("answered %q", m)
			}
		}
		if len(s.sent) > 1 || len(p.servers) > maxServerTx || len(p.posed) > maxPosed {
			t.Error("out of bounds")
		}
	})
}
