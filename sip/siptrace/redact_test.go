package siptrace

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func crlfs(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

func TestRedact(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{
			"digest",
			"REGISTER sip:acme.test SIP/2.0\nAuthorization: Digest username=\"001565aabb01\", realm=\"acme.test\", nonce=\"n1\", uri=\"sip:acme.test\", response=\"6629fae49393a05397450978507c4ef1\", cnonce=\"0a4f\", qop=auth, nc=00000001\n\n",
			"REGISTER sip:acme.test SIP/2.0\nAuthorization: Digest username=\"001565aabb01\", realm=\"acme.test\", nonce=\"n1\", qop=\"auth\", nc=\"00000001\", response=\"xxx\"\n\n",
		},
		{
			"folded, upper case, without a blank",
			"REGISTER sip:a SIP/2.0\nPROXY-AUTHORIZATION:Digest username=\"u\",\n response=\"secret\"\n\n",
			"REGISTER sip:a SIP/2.0\nPROXY-AUTHORIZATION: Digest username=\"u\", response=\"xxx\"\n\n",
		},
		{"basic", "A sip:a SIP/2.0\nAuthorization: Basic c2VjcmV0\n\n", "A sip:a SIP/2.0\nAuthorization: Basic xxx\n\n"},
		{"nothing known", "A sip:a SIP/2.0\nAuthorization: secret\n\n", "A sip:a SIP/2.0\nAuthorization: response=\"xxx\"\n\n"},
		{"challenge stays", "SIP/2.0 401 No\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\n\n", "SIP/2.0 401 No\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\n\n"},
		{
			"feature code",
			"INVITE sip:*11*1001*4321@acme.test SIP/2.0\nTo: \"*11*1001*4321\" <sip:*11*1001*4321#@acme.test>\nFrom: <sip:1001@acme.test>\n\n",
			"INVITE sip:*11xxx@acme.test SIP/2.0\nTo: \"*11xxx\" <sip:*11xxx@acme.test>\nFrom: <sip:1001@acme.test>\n\n",
		},
		{"escaped", "INVITE sip:%2A11%2a%31001*%34321@a SIP/2.0\n\n", "INVITE sip:*11xxx@a SIP/2.0\n\n"},
		{"code alone", "INVITE sip:*12#@a SIP/2.0\nTo: <sip:%2A13@a>\nAccept: */*\n\n", "INVITE sip:*12#@a SIP/2.0\nTo: <sip:%2A13@a>\nAccept: */*\n\n"},
		{"star forgotten", "INVITE sip:11*1001*4321@a SIP/2.0\n\n", "INVITE sip:xxx@a SIP/2.0\n\n"},
		{"second star forgotten", "INVITE sip:*1110014321@a SIP/2.0\n\n", "INVITE sip:*xxx@a SIP/2.0\n\n"},
		{"written as a number", "INVITE tel:*11-1001-4321 SIP/2.0\n\n", "INVITE tel:*xxx SIP/2.0\n\n"},
		{"ordinary number", "INVITE sip:+493012345@a SIP/2.0\n\n", "INVITE sip:+493012345@a SIP/2.0\n\n"},
		{"password in a URI", "OPTIONS sip:a SIP/2.0\nContact: <SIPS:1001:s3cret@192.0.2.1:5061>\n\n", "OPTIONS sip:a SIP/2.0\nContact: <SIPS:1001:xxx@192.0.2.1:5061>\n\n"},
		{"credentials in a URI", "REFER sip:a SIP/2.0\nRefer-To: <sip:b@c?Proxy-Authorization=Digest%20s3cret>\n\n", "REFER sip:a SIP/2.0\nRefer-To: <sip:b@c?Proxy-authorization=xxx>\n\n"},
		{
			"keys of media, and a length that is right again",
			"INVITE sip:a SIP/2.0\nContent-Length: 70\n\nv=0\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0\na=ice-pwd:x\n",
			"INVITE sip:a SIP/2.0\nContent-Length: 67\n\nv=0\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:xxx\na=ice-pwd:xxx\n",
		},
		{"a length that lied", "A sip:a SIP/2.0\nl: 9\n\nk=clear:s3cret\n", "A sip:a SIP/2.0\nl: 9\n\nk=xxx\n"},
		{"key press", "INFO sip:a SIP/2.0\nc: application/dtmf-relay\n\nSignal=4\n", "INFO sip:a SIP/2.0\nc: application/dtmf-relay\n\nxxx\n"},
		{"settings for a phone", "NOTIFY sip:a SIP/2.0\nContent-Type: application/snomxml; charset=utf-8\n\n<fetch>phone://mb_exit#set:user_pass1=s3cret</fetch>\n", "NOTIFY sip:a SIP/2.0\nContent-Type: application/snomxml; charset=utf-8\n\nxxx\n"},
		{"more of them", "NOTIFY sip:a SIP/2.0\nContent-Type: application/xml\n\n<Item>account.1.password = s3cret</Item>\n", "NOTIFY sip:a SIP/2.0\nContent-Type: application/xml\n\nxxx\n"},
		{"a message in the body", "NOTIFY sip:a SIP/2.0\n\nINVITE sip:*11*9 SIP/2.0\nauthorization: s3cret\n", "NOTIFY sip:a SIP/2.0\n\nINVITE sip:*11xxx SIP/2.0\nauthorization: response=\"xxx\"\n"},
		{"dialog-info", "NOTIFY sip:a SIP/2.0\n\n<target uri=\"sip:*11*1001*4321@a\"/>\n", "NOTIFY sip:a SIP/2.0\n\n<target uri=\"sip:*11xxx@a\"/>\n"},
		{"no message", "junk *11*4321", "junk *11xxx"},
	} {
		if diff := cmp.Diff(crlfs(tc.want), string(Redact([]byte(crlfs(tc.in))))); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", tc.name, diff)
		}
	}
}

func FuzzRedact(f *testing.F) {
	f.Add("INVITE sip:", "@acme.test SIP/2.0\r\n\r\n")
	f.Add("INVITE sip:a SIP/2.0\r\nTo: <sip:", ">\r\n\r\nbody")
	f.Add("A\r\n\r\n<x uri='sip:", "'/>")
	f.Fuzz(func(t *testing.T, before, after string) {
		if strings.Contains(before+after, "98761") || len(before) > 60_000 {
			return
		}
		const pin = "98761"
		if got := Redact([]byte(before + "*11*1001*" + pin + after)); strings.Contains(string(got), pin) {
			t.Fatalf("%q holds the PIN", got)
		}
		if got := Redact([]byte(before + "\r\nAuthorization: Digest response=\"" + pin + "\"\r\n" + after)); strings.Contains(string(got), pin) {
			t.Fatalf("%q holds the answer", got)
		}
	})
}

func BenchmarkRedact(b *testing.B) {
	msg := []byte(register("001565aabb01", "001565aabb01"))
	b.ReportAllocs()
	for b.Loop() {
		Redact(msg)
	}
}
