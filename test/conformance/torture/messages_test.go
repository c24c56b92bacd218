package torture

import "strings"

// message is one hard message. In its lines %T is the transport, %B a branch
// and a Call-ID of its own, %L the length of the body; blank lines are where
// they are written.
type message struct {
	section string // of the RFC
	name    string
	rule    string   // what the RFC asks of an element like this one
	lines   []string // header fields and start line
	body    string
	udp     string // what comes back: a status code, or "none"
	tcp     string // the same; "closed" after it when the connection ends with it
	short   string // why the answer is not what the RFC asks; empty: it is
}

func (m message) text(transport, branch string) string {
	r := strings.NewReplacer("%T", transport, "%B", branch, "%L", itoa(len(m.body)))
	return r.Replace(strings.Join(m.lines, "\r\n")) + "\r\n\r\n" + m.body
}

// of makes a request's lines: the usual fields, and others after them. A line
// that begins with the name of a usual field takes its place.
func of(start string, others ...string) []string {
	method, _, _ := strings.Cut(start, " ")
	usual := []string{
		"Via: SIP/2.0/%T client.acme.test;branch=z9hG4bK%B;rport", "Max-Forwards: 70",
		"From: <sip:1001@acme.test>;tag=t1", "To: <sip:1002@acme.test>", "Call-ID: %B", "CSeq: 7 " + method, "Content-Length: %L",
	}
	out := []string{start}
	for _, line := range usual {
		name, _, _ := strings.Cut(line, ":")
		taken := false
		for _, o := range others {
			other, _, _ := strings.Cut(o, ":")
			taken = taken || strings.EqualFold(strings.TrimSpace(other), name)
		}
		if !taken {
			out = append(out, line)
		}
	}
	return append(out, others...)
}

const sdp = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"

const (
	contact = "Contact: <sip:1001@client.acme.test>"
	isSDP   = "Content-Type: application/sdp"
)

// rfc4475 are messages with the faults of RFC 4475, in its order, in our own
// words. A request that is in order is challenged, 401; OPTIONS is answered.
func rfc4475() []message {
	return []message{
		{"3.1.1.1", "folding and blanks everywhere", "accept", []string{
			"INVITE sip:1002@acme.test;unknown SIP/2.0", "TO :\r\n sip:1002@acme.test ;   x    = y", "from   : \"A \\\\\\\"\"       <sip:1001@acme.test>\r\n  ;\r\n  tag = t1",
			"MaX-fOrWaRdS: 0068", "Call-ID: %B", "Content-Length   : %L", "cseq: 0009\r\n  INVITE",
			"Via  : SIP  /   2.0\r\n /%T\r\n    192.0.2.2;branch=z9hG4bK%B;rport", "s :", "NewField: newValue\r\n newer%%\r\n %%",
			"UnknownHeaderWithUnusualValue: ;;,,;;,;", "Content-Type: application/sdp", "Route:\r\n <sip:services.acme.test;lr;x=y;z>",
			"v:  SIP  / 2.0  / TCP     p.acme.test   ;\r\n  branch  =   z9hG4bKa  ,\r\n SIP  /    2.0   / UDP  192.0.2.111   ; branch=\r\n z9hG4bKb",
			"m:\"Quoted string \\\"\\\"\" <sip:1001@192.0.2.9> ; newparam =\r\n      newvalue ;\r\n  secondparam ; q = 0.33",
		}, sdp, "401", "401", ""},
		{"3.1.1.2", "every character a method and a field may have", "501, an unknown method", of(
			"!interesting-Method0123456789_*+`.%indeed'~ sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@acme.test SIP/2.0",
			"To: \"BEL:\\\a NUL:\\\b DEL:\\\x7f\" <sip:1_unusual.URI~@acme.test>",
			"From: token1~` token2'+_ token3*%!.- <sip:mundane@acme.test>;fromParam''~+*_!.-%=\"\u0440\u0430\u0431\u043e\u0442\";tag=_token~1'+`*%!-.",
			"extensionHeader-!.%*+_`'~: \ufeff\u5927\u505c\u96fb",
		), "", "400", "400", "a display name with control characters, even escaped ones, is refused: 400"},
		{"3.1.1.3", "percent-encoding in URIs", "accept; encoded and plain are the same URI", of("INVITE sip:sips%3A1002%40acme.test@acme.test SIP/2.0", "To: sip:%31%30%30%32@acme.test", "From: <sip:I%20have%20spaces@acme.test>;tag=t1", contact, isSDP), sdp, "400", "400", "a user part with a blank in it names no account here: 400 in place of the challenge"},
		{"3.1.1.4", "an escaped NUL in URIs", "accept", of("REGISTER sip:acme.test SIP/2.0", "To: sip:null-%00-null@acme.test", "From: sip:null-%00-null@acme.test;tag=t1", "Contact: <sip:%00@host.acme.test>", "Contact: <sip:%00%00@host.acme.test>"), "", "400", "400", "a user part with a NUL in it names no account here: 400 in place of the challenge"},
		{"3.1.1.5", "percent signs that encode nothing", "an unknown method: the method is not decoded", of("RE%47IST%45R sip:acme.test SIP/2.0", "To: \"%Z%45\" <sip:1002@acme.test>", "From: \"%Z%45\" <sip:1001@acme.test>;tag=t1", "Contact: <sip:alias1@host.acme.test>"), "", "501", "501", ""},
		{"3.1.1.6", "no blank between display name and <", "accept", of("OPTIONS sip:1002@acme.test SIP/2.0", "From: caller<sip:1001@acme.test>;tag=t1"), "", "200", "200", ""},
		{"3.1.1.7", "long values", "accept, or refuse by a limit of one's own", of("INVITE sip:1002@acme.test SIP/2.0",
			"To: \"I have a user name of "+strings.Repeat("extreme", 10)+" proportion\" <sip:1002@acme.test:6000;unknownparam1=very"+strings.Repeat("long", 20)+"value;longparam"+strings.Repeat("name", 25)+"=shortvalue>",
			"From: sip:"+strings.Repeat("amazinglylongcallername", 5)+"@acme.test;tag=12"+strings.Repeat("982", 50)+"424;unknown"+strings.Repeat("param", 20)+"=value",
			"Unknown-"+strings.Repeat("Long", 20)+"-Name: unknown-"+strings.Repeat("long", 20)+"-value; and="+strings.Repeat("x", 200),
			"Via: SIP/2.0/%T sip33.acme.test;branch=z9hG4bK%B;rport", "v: SIP/2.0/TCP sip32.acme.test;branch=z9hG4bK"+strings.Repeat("really", 20)+"long", contact, isSDP), sdp, "400", "400", "a user part of more than 64 bytes names no account here: 400 in place of the challenge"},
		{
			"3.1.1.8", "an extra request after the end of a datagram's", "the first is answered, the rest of the datagram is ignored; a stream has two", of("REGISTER sip:acme.test SIP/2.0", contact, "Content-Length: 0"),
			"INVITE sip:1002@acme.test SIP/2.0\r\nVia: SIP/2.0/UDP client.acme.test;branch=z9hG4bKsecond\r\nFrom: <sip:1001@acme.test>;tag=t1\r\nTo: <sip:1002@acme.test>\r\nCall-ID: second\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n", "401", "401 401", "",
		},
		{"3.1.1.9", "a semicolon in the user part", "accept", of("OPTIONS sip:user;par=u%40acme.test@acme.test SIP/2.0"), "", "200", "200", ""},
		{"3.1.1.10", "unknown transports in Via", "accept", of("OPTIONS sip:1002@acme.test SIP/2.0", "Via: SIP/2.0/%T t1.acme.test;branch=z9hG4bK%B;rport", "v: SIP/2.0/SCTP t2.acme.test;branch=z9hG4bKa", "v: SIP/2.0/TLS t3.acme.test;branch=z9hG4bKb", "v: SIP/2.0/UNKNOWN t4.acme.test;branch=z9hG4bKc"), "", "200", "200", ""},
		{
			"3.1.1.11", "multipart body", "accept", of("MESSAGE sip:1002@acme.test SIP/2.0", "Content-Type: multipart/mixed;boundary=7a9cbec02ceef655"),
			"--7a9cbec02ceef655\r\nContent-Type: text/plain\r\n\r\nHello\r\n\r\n--7a9cbec02ceef655\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n0\x82\x01R\x06\t\x00\x01\xff\n\n\r\n--7a9cbec02ceef655--\r\n", "401", "401", "",
		},
		{"3.1.1.12", "a reason phrase of other scripts", "accept; a response that belongs to nothing is dropped", []string{"SIP/2.0 200 = 2**3 * 5**2 \u043d\u043e \u044d\u0442\u043e", "Via: SIP/2.0/%T 192.0.2.198;branch=z9hG4bK%B", "Call-ID: %B", "CSeq: 35 INVITE", "From: <sip:1001@acme.test>;tag=1", "To: <sip:1002@acme.test>;tag=2", "Content-Length: 0"}, "", "none", "none", ""},
		{"3.1.1.13", "no reason phrase", "accept; a response that belongs to nothing is dropped", []string{"SIP/2.0 100 ", "Via: SIP/2.0/%T 192.0.2.198;branch=z9hG4bK%B", "Call-ID: %B", "CSeq: 35 INVITE", "From: <sip:1001@acme.test>;tag=1", "To: <sip:1002@acme.test>;tag=2", "Content-Length: 0"}, "", "none", "none", ""},

		{"3.1.2.1", "stray separators between parameters", "400", of("INVITE sip:1002@acme.test SIP/2.0", "Via: SIP/2.0/%T 192.0.2.15;rport;;,;,,", "From: sip:1001@acme.test;;tag=t1;", contact, isSDP), sdp, "401", "401", "empty parameters are passed over: there are phones that send them"},
		{"3.1.2.2", "a Content-Length beyond the end", "400 to a datagram; a stream waits for the rest", of("INVITE sip:1002@acme.test SIP/2.0", "Content-Length: 9999", contact, isSDP), sdp, "400", "none", ""},
		{"3.1.2.3", "a negative Content-Length", "400; a stream is closed", of("INVITE sip:1002@acme.test SIP/2.0", "Content-Length: -999", contact, isSDP), sdp, "400", "400 closed", ""},
		{"3.1.2.4", "numbers too large for their fields", "400 for CSeq; others may be cut", of("REGISTER sip:acme.test SIP/2.0", "CSeq: 36893488147419103232 REGISTER", "Max-Forwards: 300", "Expires: 1000000000000000000000000000", "Contact: <sip:1001@client.acme.test>;expires=280297596632815"), "", "400", "400", ""},
		{"3.1.2.5", "numbers too large in a response", "dropped", []string{"SIP/2.0 503 Service Unavailable", "Via: SIP/2.0/%T host.acme.test;branch=z9hG4bK%B", "Call-ID: %B", "CSeq: 9292394834772304023312 OPTIONS", "From: <sip:1001@acme.test>;tag=1", "To: <sip:1002@acme.test>;tag=2", "Retry-After: 949302838503028349304023988", "Warning: 1812 overture \"In Progress\"", "Content-Length: 0"}, "", "none", "none", ""},
		{"3.1.2.6", "a quoted string that does not end", "400", of("INVITE sip:1002@acme.test SIP/2.0", "To: \"Mr. J. User <sip:1002@acme.test>", contact, isSDP), sdp, "400", "400", ""},
		{"3.1.2.7", "a Request-URI in angle brackets", "400", of("INVITE <sip:1002@acme.test> SIP/2.0", contact, isSDP), sdp, "400", "400", ""},
		{"3.1.2.8", "blanks in the Request-URI", "400", of("INVITE sip:1002@acme.test; lr SIP/2.0", contact, isSDP), sdp, "400", "400", ""},
		{"3.1.2.9", "two blanks in the request line", "400", of("INVITE  sip:1002@acme.test  SIP/2.0", contact, isSDP), sdp, "400", "400", ""},
		{"3.1.2.10", "blanks after the request line", "400, or leave them aside", of("OPTIONS sip:1002@acme.test SIP/2.0  "), "", "400", "400", ""},
		{"3.1.2.11", "escaped header fields in the Request-URI", "400, or leave them aside", of("INVITE sip:1002@acme.test?Route=%3Csip:acme.test%3E SIP/2.0", contact, isSDP), sdp, "401", "401", ""},
		{"3.1.2.12", "an unknown time zone in Date", "400, or leave it aside", of("INVITE sip:1002@acme.test SIP/2.0", "Date: Fri, 01 Jan 2010 16:00:00 EST", contact, isSDP), sdp, "401", "401", ""},
		{"3.1.2.13", "a Contact without brackets and with a query", "400, after authentication too", of("REGISTER sip:acme.test SIP/2.0", "Contact: sip:1002@acme.test?Route=%3Csip:sip.acme.test%3E"), "", "401", "401", ""},
		{"3.1.2.14", "a blank before the To's URI scheme", "400", of("OPTIONS sip:1002@acme.test SIP/2.0", "To: \"Watson, Thomas\" < sip:1002@acme.test >"), "", "400", "400", ""},
		{"3.1.2.15", "blanks and commas in an unquoted display name", "400, or take what is meant", of("OPTIONS sip:1002@acme.test SIP/2.0", "From: Bell, Alexander <sip:1001@acme.test>;tag=t1", "To: Watson, Thomas <sip:1002@acme.test>"), "", "200", "200", ""},
		{"3.1.2.16", "an unknown protocol version", "505", []string{"OPTIONS sip:1002@acme.test SIP/7.0", "Via: SIP/7.0/%T client.acme.test;branch=z9hG4bK%B;rport", "Max-Forwards: 70", "From: <sip:1001@acme.test>;tag=t1", "To: <sip:1002@acme.test>", "Call-ID: %B", "CSeq: 1 OPTIONS", "l: 0"}, "", "505", "505", ""},
		{"3.1.2.17", "the method of CSeq differs", "400", of("OPTIONS sip:1002@acme.test SIP/2.0", "CSeq: 8 INVITE"), "", "400", "400", ""},
		{"3.1.2.18", "an unknown method, and CSeq differs", "400 or 501", of("NEWMETHOD sip:1002@acme.test SIP/2.0", "CSeq: 8 INVITE"), "", "400", "400", ""},
		{"3.1.2.19", "a status beyond three digits", "dropped", []string{"SIP/2.0 4294967301 better not break the receiver", "Via: SIP/2.0/%T host.acme.test;branch=z9hG4bK%B", "Call-ID: %B", "CSeq: 3 INVITE", "From: <sip:1001@acme.test>;tag=1", "To: <sip:1002@acme.test>;tag=2", "Content-Length: 0"}, "", "none", "none", ""},

		{"3.2.1", "a branch that is only the magic cookie", "accept; the transaction is matched as in RFC 2543", of("OPTIONS sip:1002@acme.test SIP/2.0", "Via: SIP/2.0/%T client.acme.test;branch=z9hG4bK;rport"), "", "200", "200", ""},
		{"3.3.1", "mandatory fields missing", "400", []string{"INVITE sip:1002@acme.test SIP/2.0", "CSeq: 193942 INVITE", "Via: SIP/2.0/%T 192.0.2.95;branch=z9hG4bK%B;rport", isSDP, "l: %L"}, sdp, "400", "400", ""},
		{"3.3.2", "an unknown scheme in the Request-URI", "416", of("OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0"), "", "416", "416", ""},
		{"3.3.3", "a known scheme that is none of SIP's", "416", of("OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0"), "", "416", "416", ""},
		{"3.3.4", "other schemes in To and From", "accept, or 400: a registrar knows no such address", of("REGISTER sip:acme.test SIP/2.0", "To: isbn:2983792873", "From: <http://www.acme.test>;tag=t1", "Contact: <name:John_Smith>"), "", "400", "400", ""},
		{"3.3.5", "Require and Proxy-Require of unknown extensions", "420 with Unsupported", of("OPTIONS sip:1002@acme.test SIP/2.0", "Require: nothingSupportsThis, nothingSupportsThisEither", "Proxy-Require: noProxiesSupportThis, norDoAnyProxiesSupportThis"), "", "420", "420", ""},
		{"3.3.6", "a body type nobody knows", "415, where the body matters", of("INVITE sip:1002@acme.test SIP/2.0", contact, "Content-Type: application/unknownformat"), "<audio> <pcmu port=\"443\"/> </audio>", "401", "401", ""},
		{"3.3.7", "an unknown authorization scheme", "401, as if there were none", of("REGISTER sip:acme.test SIP/2.0", "Authorization: NoOneKnowsThisScheme opaque-data=here", contact), "", "401", "401", ""},
		{"3.3.8", "single fields that stand there twice", "400", of("INVITE sip:1002@acme.test SIP/2.0", "CSeq: 5 INVITE", "CSeq: 59 INVITE", "Call-ID: %B", "Call-ID: other", "From: sip:1001@acme.test;tag=1", "From: sip:1003@acme.test;tag=2", "Max-Forwards: 70", "Max-Forwards: 5", contact, isSDP), sdp, "400", "400", ""},
		{"3.3.9", "two Content-Lengths that differ", "400; a stream is closed", of("OPTIONS sip:1002@acme.test SIP/2.0", "Content-Length: 13", "Content-Length: 5"), "There's no way to know how many octets are supposed to be here.", "400", "400 closed", ""},
		{"3.3.10", "a 200 with a broadcast Via", "dropped", []string{"SIP/2.0 200 OK", "Via: SIP/2.0/%T 192.0.2.198;branch=z9hG4bK%B", "Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK1saber23", "Call-ID: %B", "CSeq: 35 INVITE", "From: <sip:1001@acme.test>;tag=1", "To: <sip:1002@acme.test>;tag=2", "Content-Length: 0"}, "", "none", "none", ""},
		{"3.3.11", "Max-Forwards of zero", "accept: we are the server", of("OPTIONS sip:1002@acme.test SIP/2.0", "Max-Forwards: 0"), "", "200", "200", ""},
		{"3.3.12", "a Contact with parameters of its own and of its URI", "accept", of("REGISTER sip:acme.test SIP/2.0", "Contact: sip:+19725552222@gw1.acme.test;unknownparam"), "", "401", "401", ""},
		{"3.3.13", "a Contact whose parameters are its URI's", "accept", of("REGISTER sip:acme.test SIP/2.0", "Contact: <sip:+19725552222@gw1.acme.test;unknownparam>"), "", "401", "401", ""},
		{"3.3.14", "escaped header fields in a Contact", "accept: they are for whoever uses it", of("REGISTER sip:acme.test SIP/2.0", "Contact: <sip:user@acme.test?Route=%3Csip:sip.acme.test%3E>"), "", "401", "401", ""},
		{"3.3.15", "an Accept that has no SDP", "406, where a body would be sent", of("INVITE sip:1002@acme.test SIP/2.0", "Accept: text/nothing", contact, isSDP), sdp, "401", "401", ""},
		{"3.4.1", "an INVITE of RFC 2543: no branch, no Max-Forwards, no tag", "accept", []string{"INVITE sip:1002@acme.test SIP/2.0", "Via: SIP/2.0/%T iftgw.acme.test;rport", "From: <sip:+13035551111@acme.test;user=phone>", "Record-Route: <sip:1002@acme.test;maddr=ss1.acme.test>", "To: sip:+16505552222@acme.test;user=phone", "Call-ID: %B", "CSeq: 1 INVITE", "Contact: <sip:+13035551111@acme.test;user=phone>", isSDP, "Content-Length: %L"}, sdp, "400", "400", "without a branch and without a tag in From the stack has nothing to match a transaction by"},
	}
}

// rfc5118 are messages after RFC 5118.
func rfc5118() []message {
	return []message{
		{"4.1", "IPv6 references in their brackets", "accept", of("REGISTER sip:[2001:db8::10] SIP/2.0", "Via: SIP/2.0/%T [2001:db8::9:1];branch=z9hG4bK%B;rport", "Contact: \"Caller\" <sip:1002@[2001:db8::1]>"), "", "401", "401", ""},
		{"4.2", "an IPv6 reference without brackets", "400", of("REGISTER sip:2001:db8::10 SIP/2.0", "Via: SIP/2.0/%T [2001:db8::9:1];branch=z9hG4bK%B;rport", "Contact: \"Caller\" <sip:1002@[2001:db8::1]>"), "", "400", "400", ""},
		{"4.3", "a port inside the brackets", "accept: it is part of the address", of("REGISTER sip:[2001:db8::10:5070] SIP/2.0", "Via: SIP/2.0/%T [2001:db8::9:1];branch=z9hG4bK%B;rport", contact), "", "401", "401", ""},
		{"4.4", "a port after the brackets", "accept", of("REGISTER sip:[2001:db8::10]:5070 SIP/2.0", "Via: SIP/2.0/%T [2001:db8::9:1];branch=z9hG4bK%B;rport", contact), "", "401", "401", ""},
		{"4.5", "received with brackets", "accept", of("BYE sip:[2001:db8::10] SIP/2.0", "To: sip:1002@acme.test;tag=x", "Via: SIP/2.0/%T [2001:db8::9:1];received=[2001:db8::9:255];branch=z9hG4bK%B;rport"), "", "481", "481", ""},
		{"4.5", "received without brackets", "accept", of("OPTIONS sip:[2001:db8::10] SIP/2.0", "Via: SIP/2.0/%T [2001:db8::9:1];received=2001:db8::9:255;branch=z9hG4bK%B;rport"), "", "200", "200", ""},
		{"4.6", "IPv6 in SDP", "accept", of("INVITE sip:1002@[2001:db8::10] SIP/2.0", "Via: SIP/2.0/%T [2001:db8::20];branch=z9hG4bK%B;rport", "Contact: <sip:1001@[2001:db8::20]>", isSDP), strings.ReplaceAll(sdp, "IP4 192.0.2.9", "IP6 2001:db8::20"), "401", "401", ""},
		{"4.7", "IPv4 and IPv6 in Via", "accept", of("BYE sip:1002@acme.test SIP/2.0", "To: sip:1002@acme.test;tag=x", "Via: SIP/2.0/%T [2001:db8::9:1]:6050;branch=z9hG4bK%B;rport", "v: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa", "v: SIP/2.0/TCP [2001:db8::9:255];branch=z9hG4bKb;received=[2001:db8::9:255]"), "", "481", "481", ""},
		{"4.8", "IPv4 and IPv6 in SDP", "accept", of("INVITE sip:1002@[2001:db8::10] SIP/2.0", "Via: SIP/2.0/%T [2001:db8::9:1];branch=z9hG4bK%B;rport", contact, isSDP), sdp + "m=video 6102 RTP/AVP 31\r\nc=IN IP6 2001:db8::1\r\n", "401", "401", ""},
		{"4.9", "IPv4-mapped IPv6 addresses", "accept", of("INVITE sip:1002@acme.test SIP/2.0", "Via: SIP/2.0/%T [::ffff:192.0.2.10]:19823;branch=z9hG4bK%B;rport", "v: SIP/2.0/UDP [::ffff:192.0.2.2];branch=z9hG4bKa", "Contact: <sip:1001@[::ffff:192.0.2.10]:19823>", isSDP), strings.ReplaceAll(sdp, "IP4 192.0.2.9", "IP6 ::ffff:192.0.2.10"), "401", "401", ""},
		{"4.10", "two colons before an IPv4 part", "accept", of("OPTIONS sip:1002@[2001:db8::192.0.2.1] SIP/2.0", "To: sip:1002@[2001:db8::192.0.2.1]"), "", "200", "200", ""},
		{"4.10", "three colons before an IPv4 part", "accept: an old grammar allowed it; or 400", of("OPTIONS sip:1002@[2001:db8:::192.0.2.1] SIP/2.0", "To: sip:1002@[2001:db8:::192.0.2.1]"), "", "200", "200", ""},
	}
}
