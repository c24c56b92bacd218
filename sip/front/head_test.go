package front

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
)

const whole = "REGISTER sip:acme.test SIP/2.0\r\nv: SIP/2.0/UDP 10.0.0.1;rport;branch=z9hG4bK1\r\nVIA: SIP/2.0/UDP other\r\n" +
	"From:<sip:1@acme.test>\r\n ;tag=1\r\nt : <sip:1@acme.test>\r\ni: id\r\nCSeq: 1 REGISTER\r\nm: <sip:1@10.0.0.1>\r\n" +
	"Expires: 60\r\nAuthorization: Digest a\r\nUser-Agent: Phone/1\r\nContent-Length: 3\r\n\r\nabc"

func TestHead(t *testing.T) {
	var h Head
	if f := h.Parse([]byte(whole)); f != NoFault {
		t.Fatal(f)
	}
	for _, tc := range []struct {
		name string
		got  []byte
		want string
	}{
		{"method", h.Method, "REGISTER"},
		{"URI", h.URI, "sip:acme.test"},
		{"Via", h.Via, "SIP/2.0/UDP 10.0.0.1;rport;branch=z9hG4bK1"},
		{"From, folded", h.From, "<sip:1@acme.test>\r\n ;tag=1"},
		{"To, a blank before the colon", h.To, "<sip:1@acme.test>"},
		{"Call-ID", h.CallID, "id"},
		{"CSeq", h.CSeq, "1 REGISTER"},
		{"Contact", h.Contact, "<sip:1@10.0.0.1>"},
		{"Expires", h.Expires, "60"},
		{"Authorization", h.Authorization, "Digest a"},
		{"User-Agent", h.UserAgent, "Phone/1"},
	} {
		if string(tc.got) != tc.want {
			t.Errorf("%s: %q", tc.name, tc.got)
		}
	}
	if h.Length != 3 || h.Size != len(whole)-3 || h.Fields != 11 {
		t.Errorf("length %d, size %d, %d fields", h.Length, h.Size, h.Fields)
	}
}

func TestHeadFaults(t *testing.T) {
	const line = "OPTIONS sip:a SIP/2.0\r\n"
	for _, tc := range []struct {
		name, in string
		want     Fault
	}{
		{"nothing", "", Unfinished},
		{"line only", line, Unfinished},
		{"no empty line", line + "A: b\r\n", Unfinished},
		{"cut in a folded field", line + "A: b\r\n c", Unfinished},
		{"response", "SIP/2.0 200 OK\r\nl: 0\r\n\r\n", NoFault},
		{"no fields", line + "\r\n", NoFault},
		{"two blanks", "OPTIONS  sip:a SIP/2.0\r\n\r\n", BadLine},
		{"blank after the version", "OPTIONS sip:a SIP/2.0 \r\n\r\n", BadLine},
		{"blank in the URI", "OPTIONS sip:a; lr SIP/2.0\r\n\r\n", BadLine},
		{"brackets round the URI", "OPTIONS <sip:a> SIP/2.0\r\n\r\n", BadLine},
		{"no scheme", "OPTIONS a SIP/2.0\r\n\r\n", BadLine},
		{"other scheme", "OPTIONS soap.beep://192.0.2.1:3002 SIP/2.0\r\n\r\n", BadScheme},
		{"help by name", "INVITE urn:service:sos.police SIP/2.0\r\n\r\n", NoFault},
		{"another service", "INVITE urn:service:sosx SIP/2.0\r\n\r\n", BadScheme},
		{"scheme in capitals", "OPTIONS SIPS:a SIP/2.0\r\n\r\n", NoFault},
		{"IPv6 without brackets", "OPTIONS sip:2001:db8::1 SIP/2.0\r\n\r\n", BadLine},
		{"IPv6", "OPTIONS sip:a:b?c;d@[2001:db8::1]:5060;lr SIP/2.0\r\n\r\n", NoFault},
		{"half a bracket", "OPTIONS sip:[2001:db8::1 SIP/2.0\r\n\r\n", BadLine},
		{"no host", "OPTIONS sip:a@ SIP/2.0\r\n\r\n", BadLine},
		{"port of letters", "OPTIONS sip:a:x SIP/2.0\r\n\r\n", BadLine},
		{"port too long", "OPTIONS sip:a:123456 SIP/2.0\r\n\r\n", BadLine},
		{"status of four digits", "SIP/2.0 2000 OK\r\n\r\n", BadLine},
		{"raw byte in the URI", "OPTIONS sip:\xe9 SIP/2.0\r\n\r\n", BadLine},
		{"negative length", line + "l: -1\r\n\r\n", BadLength},
		{"huge length", line + "l: 1234567890\r\n\r\n", BadLength},
		{"length of letters", line + "Content-Length: x\r\n\r\n", BadLength},
		{"empty length", line + "Content-Length:\r\n\r\n", BadLength},
		{"two lengths", line + "Content-Length: 1\r\nl: 2\r\n\r\n", BadLength},
		{"the same length twice", line + "Content-Length: 1\r\nl: 1\r\n\r\n", NoFault},
		{"128 fields", line + strings.Repeat("A: b\r\n", 128) + "\r\n", NoFault},
		{"129 fields", line + strings.Repeat("A: b\r\n", 129) + "\r\n", Crowded},
		{"long field", line + "A: " + strings.Repeat("b", maxField) + "\r\n\r\n", Crowded},
		{"long folded field", line + "A: b" + strings.Repeat("\r\n c", maxField/4) + "\r\n\r\n", Crowded},
		{"field without a colon", line + "nonsense\r\n\r\n", NoFault},
	} {
		var h Head
		if f := h.Parse([]byte(tc.in)); f != tc.want {
			t.Errorf("%s: fault %d", tc.name, f)
		}
	}
}

func TestHeadDoesNotAllocate(t *testing.T) {
	msg := []byte(whole)
	var h Head
	if n := testing.AllocsPerRun(100, func() { Scan(msg); h.Parse(msg) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkHead(b *testing.B) {
	msg := []byte(whole)
	var h Head
	b.ReportAllocs()
	for b.Loop() {
		if h.Parse(msg) != NoFault {
			b.Fatal("fault")
		}
	}
}

// FuzzHead: whatever comes, the head is inside its message and says the same
// of it as a slow reading does; an answer to it is one message whose lines
// came from it.
func FuzzHead(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte("SIP/2.0 200 OK\r\nl: 0\r\n\r\n"))
	f.Add([]byte("OPTIONS sip:a SIP/2.0\r\nContent-Length: 1\r\n\t2\r\n\r\n"))
	door := NewDoor(DoorOptions{Server: "Perch"})
	f.Fuzz(func(t *testing.T, b []byte) {
		v, offset := Scan(b)
		if v != Message {
			return
		}
		b = b[offset:]
		in := bytes.Clone(b)
		var h Head
		fault := h.Parse(b)
		if !bytes.Equal(in, b) {
			t.Fatal("changed its input")
		}
		if fault == NoFault {
			if h.Size > len(b) || !bytes.HasSuffix(b[:h.Size], []byte("\r\n\r\n")) || h.Fields > maxFields || h.Size > maxHead {
				t.Fatalf("size %d of %d, %d fields", h.Size, len(b), h.Fields)
			}
			if i := bytes.Index(b, []byte("\r\n\r\n")); i+4 != h.Size {
				t.Fatalf("ends at %d, the first empty line is at %d", h.Size, i+4)
			}
		}
		out := door.Refuse(nil, &h, BadLine, netip.MustParseAddrPort("192.0.2.1:5060"))
		if len(out) == 0 {
			return
		}
		if v, _ := Scan(out); len(out) <= maxDatagram && v != Message {
			t.Fatalf("the answer is no message: %q", out)
		}
		var answer Head
		if f := answer.Parse(out); f != NoFault && f != Crowded || f == NoFault && answer.Size != len(out) {
			t.Fatalf("the answer has fault %d: %q", f, out)
		}
	})
}

func TestRefuse(t *testing.T) {
	door := NewDoor(DoorOptions{Server: "Perch"})
	from := netip.MustParseAddrPort("192.0.2.1:5061")
	var h Head
	h.Parse([]byte(whole))
	want := "SIP/2.0 400 Body Shorter Than Content-Length\r\nVia: SIP/2.0/UDP 10.0.0.1;rport=5061;branch=z9hG4bK1;received=192.0.2.1\r\n" +
		"From: <sip:1@acme.test>\r\n ;tag=1\r\nTo: <sip:1@acme.test>;tag=none\r\nCall-ID: id\r\nCSeq: 1 REGISTER\r\nServer: Perch\r\nContent-Length: 0\r\n\r\n"
	if got := string(door.Refuse(nil, &h, Short, from)); got != want {
		t.Errorf("%s", got)
	}
	for name, change := range map[string]func(*Head){
		"ACK":        func(h *Head) { h.Method = []byte("ACK") },
		"response":   func(h *Head) { h.Method = nil },
		"no Via":     func(h *Head) { h.Via = nil },
		"no Call-ID": func(h *Head) { h.CallID = nil },
	} {
		broken := h
		change(&broken)
		if out := door.Refuse(nil, &broken, Short, from); len(out) > 0 {
			t.Errorf("%s was answered %q", name, out)
		}
	}
	for via, want := range map[string]string{
		"SIP/2.0/UDP a":                        "SIP/2.0/UDP a;received=192.0.2.1",
		"SIP/2.0/UDP a;rport":                  "SIP/2.0/UDP a;rport=5061;received=192.0.2.1",
		"SIP/2.0/UDP a;rport=1":                "SIP/2.0/UDP a;rport=1;received=192.0.2.1",
		"SIP/2.0/UDP a;rport;b, SIP/2.0/UDP c": "SIP/2.0/UDP a;rport=5061;b;received=192.0.2.1, SIP/2.0/UDP c",
		`SIP/2.0/UDP a;x=",";rport`:            `SIP/2.0/UDP a;x=",";rport`,
	} {
		if got := string(appendVia(nil, []byte(via), from)); got != want {
			t.Errorf("%s became %s", via, got)
		}
	}
	for to, want := range map[string]bool{
		"<sip:a>": false, "<sip:a;tag=1>": false, "<sip:a>;tag=1": true, "<sip:a>; TAG = 1": true, "<sip:a>;tags=1": false, "sip:a;x=1;tag=2": true,
	} {
		if hasTag([]byte(to)) != want {
			t.Errorf("tag in %q: %v", to, !want)
		}
	}
}
