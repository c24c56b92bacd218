package digest

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// vectors are the worked examples of the RFCs.
var vectors = []struct {
	name     string
	password string
	header   string
}{
	{
		"RFC 2617 section 3.5", "Circle Of Life",
		`Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", uri="/dir/index.html", qop=auth, nc=00000001, cnonce="0a4f113b", response="6629fae49393a05397450978507c4ef1", opaque="5ccc069c403ebaf9f0171e9517f40e41"`,
	},
	{
		"RFC 7616 section 3.9.1 MD5", "Circle of Life",
		`Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm=MD5, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, response="8ca523f5e9506fed4657c9700eebdbec", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`,
	},
	{
		"RFC 7616 section 3.9.1 SHA-256", "Circle of Life",
		`Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm=SHA-256, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`,
	},
	{
		"RFC 2069 section 2.4 with its erratum", "CircleOfLife",
		`Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", uri="/dir/index.html", response="1949323746fe6a43ef61f9606e7febea", opaque="5ccc069c403ebaf9f0171e9517f40e41"`,
	},
}

func TestVectors(t *testing.T) {
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			c, err := ParseCredentials(v.header)
			if err != nil {
				t.Fatal(err)
			}
			if !c.Verify(v.password, "GET", MD5, SHA256) {
				t.Error("the RFC's response does not verify")
			}
			for name, ok := range map[string]bool{
				"wrong password": c.Verify(v.password+"x", "GET", MD5, SHA256),
				"wrong method":   c.Verify(v.password, "PUT", MD5, SHA256),
				"empty password": c.Verify("", "GET", MD5, SHA256),
				"not allowed":    c.Verify(v.password, "GET"),
			} {
				if ok {
					t.Errorf("%s verifies", name)
				}
			}
			upper := c
			upper.Response = strings.ToUpper(c.Response)
			if !upper.Verify(v.password, "GET", MD5, SHA256) {
				t.Error("hex in capitals does not verify")
			}
			again, err := ParseCredentials(c.String())
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c, again, cmp.AllowUnexported(Credentials{})); d != "" {
				t.Errorf("String does not read back:\n%s", d)
			}
		})
	}
}

func TestAnswerIsWhatVerifyWants(t *testing.T) {
	for _, tc := range []struct {
		name string
		ch   Challenge
	}{
		{"MD5", Challenge{Realm: "acme.test", Nonce: "n", Algorithm: MD5, QOP: "auth"}},
		{"SHA-256", Challenge{Realm: "acme.test", Nonce: "n", Opaque: "o", Algorithm: SHA256, QOP: "auth,auth-int"}},
		{"no qop", Challenge{Realm: `a "quoted\realm"`, Nonce: "n", Algorithm: MD5}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := Answer(tc.ch, "001565aabb01", "secret", "NOTIFY", "sip:a@b;x=y", 7, "cn")
			if err != nil {
				t.Fatal(err)
			}
			got, err := ParseCredentials(c.String())
			if err != nil {
				t.Fatal(err)
			}
			if !got.Verify("secret", "NOTIFY", tc.ch.Algorithm) {
				t.Errorf("does not verify: %s", c)
			}
			if got.Verify("other", "NOTIFY", tc.ch.Algorithm) {
				t.Error("another password verifies")
			}
		})
	}
}

func TestVerifyRefuses(t *testing.T) {
	good, err := Answer(Challenge{Realm: "r", Nonce: "n", Algorithm: MD5, QOP: "auth"}, "u", "p", "REGISTER", "sip:r", 1, "c")
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Credentials){
		"auth-int":           func(c *Credentials) { c.QOP = "auth-int" },
		"qop without nc":     func(c *Credentials) { c.count = "" },
		"qop without cnonce": func(c *Credentials) { c.CNonce = "" },
		"other algorithm":    func(c *Credentials) { c.Algorithm = "MD5-SESS" },
		"SHA-256":            func(c *Credentials) { c.Algorithm = SHA256 },
		"short response":     func(c *Credentials) { c.Response = c.Response[:30] },
		"empty response":     func(c *Credentials) { c.Response = "" },
		"no hex":             func(c *Credentials) { c.Response = strings.Repeat("z", 32) },
		"count changed":      func(c *Credentials) { c.count = "00000002" },
		"realm changed":      func(c *Credentials) { c.Realm = "s" },
		"uri changed":        func(c *Credentials) { c.URI = "sip:s" },
		"nonce changed":      func(c *Credentials) { c.Nonce = "m" },
		"qop dropped":        func(c *Credentials) { c.QOP = "" },
	} {
		c := good
		change(&c)
		if c.Verify("p", "REGISTER", MD5) {
			t.Errorf("%s verifies", name)
		}
	}
	if !good.Verify("p", "REGISTER", MD5) {
		t.Error("the original does not verify")
	}
}

func TestParseCredentials(t *testing.T) {
	base := Credentials{Username: "u", Realm: "r", Nonce: "n", URI: "sip:r", Response: "00", Algorithm: MD5}
	with := func(change func(*Credentials)) Credentials { c := base; change(&c); return c }
	const head = `username="u",realm="r",nonce="n",uri="sip:r",response="00"`
	for _, tc := range []struct {
		name, in string
		want     Credentials
		err      error
	}{
		{"plain", `Digest ` + head, base, nil},
		{"case and spacing", "  dIGEST\tUserName = \"u\" ,REALM=\"r\",, nonce=n , uri=\"sip:r\"  response=\"00\" ,", base, nil},
		{"unquoted", `Digest username=u,realm=r,nonce=n,uri=sip:r,response=00`, base, nil},
		{"unknown parameters", `Digest ` + head + `, auts="x", userhash=false`, base, nil},
		{
			"quoted algorithm, qop, nc", `Digest ` + head + `, algorithm="md5", qop="AUTH", nc="0000000a", cnonce="c"`,
			with(func(c *Credentials) { c.QOP, c.NC, c.CNonce = "auth", 10, "c" }), nil,
		},
		{"session algorithm", `Digest ` + head + `, algorithm=MD5-sess`, with(func(c *Credentials) { c.Algorithm = "MD5-SESS" }), nil},
		{
			"quoted pair", `Digest username="a\"b\\c",realm="r",nonce="n",uri="sip:\"r",response="00"`,
			with(func(c *Credentials) { c.Username, c.URI = `a"b\c`, `sip:\"r` }), nil,
		},
		{
			"comma in a value", `Digest username="u",realm="a, b=c",nonce="n",uri="sip:r",response="00"`,
			with(func(c *Credentials) { c.Realm = "a, b=c" }), nil,
		},
		{
			"blank values", `Digest username="u",realm="",nonce="",uri="sip:r",response=""`,
			with(func(c *Credentials) { c.Realm, c.Nonce, c.Response = "", "", "" }), nil,
		},
		{"basic", `Basic dTpw`, Credentials{}, ErrNotDigest},
		{"scheme alone", `Digest`, Credentials{}, ErrNotDigest},
		{"longer word", `Digesting ` + head, Credentials{}, ErrNotDigest},
		{"nothing", ``, Credentials{}, ErrNotDigest},
		{"no parameters", `Digest `, Credentials{}, ErrMalformed},
		{"parameter twice", `Digest ` + head + `, REALM="s"`, Credentials{}, ErrMalformed},
		{"response missing", `Digest username="u",realm="r",nonce="n",uri="sip:r"`, Credentials{}, ErrMalformed},
		{"quote open", `Digest ` + head + `, opaque="x`, Credentials{}, ErrMalformed},
		{"quote open by a backslash", `Digest ` + head + `, opaque="x\"`, Credentials{}, ErrMalformed},
		{"line feed in a value", "Digest " + head + ", opaque=\"a\nb\"", Credentials{}, ErrMalformed},
		{"NUL in a value", "Digest " + head + ", opaque=a\x00b", Credentials{}, ErrMalformed},
		{"no equals sign", `Digest ` + head + `, opaque`, Credentials{}, ErrMalformed},
		{"nc no hex", `Digest ` + head + `, nc=1g`, Credentials{}, ErrMalformed},
		{"nc too long", `Digest ` + head + `, nc=000000001`, Credentials{}, ErrMalformed},
		{"nc negative", `Digest ` + head + `, nc=-1`, Credentials{}, ErrMalformed},
		{"qop no token", `Digest ` + head + `, qop="a b"`, Credentials{}, ErrMalformed},
		{"algorithm no token", `Digest ` + head + `, algorithm="#"`, Credentials{}, ErrMalformed},
		{"two schemes", `Digest ` + head + `, Digest ` + head, Credentials{}, ErrMalformed},
		{"too long", `Digest ` + head + `, x="` + strings.Repeat("x", maxHeader) + `"`, Credentials{}, ErrMalformed},
		{"too many", `Digest ` + head + strings.Repeat(`, x=1`, maxParams), Credentials{}, ErrMalformed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := ParseCredentials(tc.in)
			if !errors.Is(err, tc.err) {
				t.Fatalf("error %v, want %v", err, tc.err)
			}
			if d := cmp.Diff(tc.want, got, cmpopts.IgnoreUnexported(Credentials{})); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestParseChallenges(t *testing.T) {
	plain := Challenge{Realm: "r", Nonce: "n", Algorithm: MD5, QOP: "auth"}
	for _, tc := range []struct {
		name string
		in   []string
		want []Challenge
	}{
		{"plain", []string{`Digest realm="r", nonce="n", algorithm=MD5, qop="auth"`}, []Challenge{plain}},
		{"unquoted, no algorithm", []string{`digest REALM=r,NONCE=n , qop = auth`}, []Challenge{plain}},
		{"quoted algorithm", []string{`Digest realm="r", nonce="n", algorithm="md5", qop="auth"`}, []Challenge{plain}},
		{
			"qop list with blanks",
			[]string{`Digest realm="r", nonce="n", qop=" auth , AUTH-INT ,"`},
			[]Challenge{{Realm: "r", Nonce: "n", Algorithm: MD5, QOP: "auth,auth-int"}},
		},
		{
			"bare qop list",
			[]string{`Digest realm="r", qop=auth,auth-int, nonce="n"`},
			[]Challenge{{Realm: "r", Nonce: "n", Algorithm: MD5, QOP: "auth,auth-int"}},
		},
		{"empty qop", []string{`Digest realm="r", nonce="n", qop=""`}, []Challenge{{Realm: "r", Nonce: "n", Algorithm: MD5}}},
		{
			"several in one value",
			[]string{`Basic realm="x", Digest realm="r", nonce="n", qop="auth", Digest realm="s", nonce="m", algorithm=SHA-256, stale=TRUE`},
			[]Challenge{plain, {Realm: "s", Nonce: "m", Algorithm: SHA256, Stale: true}},
		},
		{"token68 of another scheme", []string{`Negotiate YWJj==, Digest realm="r", nonce="n", qop="auth"`}, []Challenge{plain}},
		{
			"RFC 8760 section 2.4 style",
			[]string{
				`Digest realm="r", qop="auth", algorithm=SHA-256, nonce="n", opaque="o"`,
				`Digest realm="r", qop="auth", algorithm=MD5, nonce="n"`,
			},
			[]Challenge{{Realm: "r", Nonce: "n", Opaque: "o", Algorithm: SHA256, QOP: "auth"}, plain},
		},
		{
			"session algorithm kept as such",
			[]string{`Digest realm="r", nonce="n", algorithm=MD5-sess`},
			[]Challenge{{Realm: "r", Nonce: "n", Algorithm: "MD5-SESS"}},
		},
		{"unknown parameters, commas", []string{`Digest domain="sip:a sip:b",, realm="r", nonce="n", charset=UTF-8, qop="auth",`}, []Challenge{plain}},
		{"first of two counts", []string{`Digest realm="r", nonce="n", realm="evil", qop="auth"`}, []Challenge{plain}},
		{"no nonce", []string{`Digest realm="r"`}, nil},
		{"broken off", []string{`Digest realm="r", nonce="n`, `Digest realm="r", nonce="n", qop="auth"`}, []Challenge{plain}},
		{"junk", []string{`"""`, ``, `=`, `,,,`, `Digest`, `Digest ="x"`}, nil},
		{"too long", []string{`Digest realm="` + strings.Repeat("x", maxHeader) + `", nonce="n"`}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if d := cmp.Diff(tc.want, ParseChallenges(tc.in)); d != "" {
				t.Error(d)
			}
		})
	}
	many := ParseChallenges([]string{strings.Repeat(`Digest nonce="n", `, 50)})
	if len(many) != maxChallenges {
		t.Errorf("%d challenges of 50 read, want %d", len(many), maxChallenges)
	}
}

func TestChallengeString(t *testing.T) {
	got := Challenge{Realm: "a\"b\\c\r\nEvil: 1\x00\u0085\u2028\xff\u00e4", Nonce: "n", Opaque: "o", Algorithm: SHA256, QOP: "auth", Stale: true}.String()
	want := `Digest realm="a\"b\\cEvil: 1ä", nonce="n", opaque="o", algorithm=SHA-256, qop="auth", stale=true`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := (Challenge{Realm: "r", Nonce: "n"}).String(); got != `Digest realm="r", nonce="n"` {
		t.Error(got)
	}
}

func TestChoose(t *testing.T) {
	md5 := Challenge{Nonce: "1", Algorithm: MD5}
	sha := Challenge{Nonce: "2", Algorithm: SHA256, QOP: "auth"}
	sess := Challenge{Nonce: "3", Algorithm: "SHA-256-SESS"}
	integrity := Challenge{Nonce: "4", Algorithm: SHA256, QOP: "auth-int"}
	for _, tc := range []struct {
		name   string
		in     []Challenge
		prefer []Algorithm
		want   string
		err    error
	}{
		{"the better one", []Challenge{md5, sha}, nil, "2", nil},
		{"as told", []Challenge{sha, md5}, []Algorithm{MD5, SHA256}, "1", nil},
		{"only what is preferred", []Challenge{sha}, []Algorithm{MD5}, "", ErrUnsupported},
		{"auth-int is passed over", []Challenge{integrity, md5}, nil, "1", nil},
		{"session form", []Challenge{sess}, nil, "", ErrUnsupported},
		{"none", nil, nil, "", ErrUnsupported},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := Choose(tc.in, tc.prefer...)
			if got.Nonce != tc.want || !errors.Is(err, tc.err) {
				t.Errorf("%q, %v; want %q, %v", got.Nonce, err, tc.want, tc.err)
			}
		})
	}
	if _, err := Answer(integrity, "u", "p", "M", "sip:x", 1, "c"); !errors.Is(err, ErrUnsupported) {
		t.Errorf("Answer to auth-int: %v", err)
	}
}

func TestParseAlgorithm(t *testing.T) {
	for in, want := range map[string]Algorithm{"md5": MD5, "Sha-256": SHA256, "": MD5, "sha256": "", "MD5-sess": ""} {
		got, err := ParseAlgorithm(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
}
