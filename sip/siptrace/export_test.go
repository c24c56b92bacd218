package siptrace

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var moment = time.Date(2026, 3, 4, 5, 6, 7, 89_000_000, time.UTC)

// TestPcapOpens: tcpdump, which checks every length and sum, reads what was
// written.
func TestPcapOpens(t *testing.T) {
	var file bytes.Buffer
	p, err := NewPcap(&file)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []Message{
		{At: moment, Transport: "udp", In: true, Local: "192.0.2.10:5060", Remote: "192.0.2.1:5062", Text: []byte(register(mac1, ""))},
		{At: moment, Transport: "tcp", Local: "[2001:db8::1]:5060", Remote: "[2001:db8::2]:40000", Text: []byte("SIP/2.0 200 OK\r\nOdd: 1\r\n\r\n")},
		{At: moment, Transport: "udp", Local: "192.0.2.10:5060", Remote: "192.0.2.1:5062", Text: bytes.Repeat([]byte("x"), 70_000)},
	} {
		if err := p.Write(m); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Write(Message{Local: "nowhere"}); err == nil {
		t.Error("an address that is none was written")
	}
	name := filepath.Join(t.TempDir(), "sip.pcap")
	if err := os.WriteFile(name, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("tcpdump", "-nvv", "-tt", "-r", name).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		"1772600767.089000 IP (", "192.0.2.1.5062 > 192.0.2.10.5060: [udp sum ok] SIP", "REGISTER sip:acme.test SIP/2.0",
		"2001:db8::1.5060 > 2001:db8::2.40000: [udp sum ok]", "length 65535",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in\n%.3000s", want, out)
		}
	}
	if strings.Contains(string(out), "bad") {
		t.Errorf("a wrong sum or length:\n%.3000s", out)
	}
}

// TestHEP reads the chunks back by the document's rules.
func TestHEP(t *testing.T) {
	for _, tc := range []struct {
		m    Message
		want map[uint16]string
	}{
		{
			Message{At: moment, Transport: "udp", In: true, Local: "192.0.2.10:5060", Remote: "192.0.2.1:5062", Text: []byte("hello")},
			map[uint16]string{
				1: "\x02", 2: "\x11", 3: "\xc0\x00\x02\x01", 4: "\xc0\x00\x02\x0a", 7: "\x13\xc6", 8: "\x13\xc4",
				9: "\x69\xa7\xbd\xbf", 10: "\x00\x01\x5b\xa8", 11: "\x01", 12: "\x00\x00\x07\xd1", 15: "hello", 0x13: "perch",
			},
		},
		{
			Message{At: moment, Transport: "tls", Local: "[2001:db8::1]:5061", Remote: "[2001:db8::2]:9", Text: bytes.Repeat([]byte("x"), 70_000)},
			map[uint16]string{
				1: "\x0a", 2: "\x06", 5: "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01",
				6: "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02", 7: "\x13\xc5", 8: "\x00\x09",
				9: "\x69\xa7\xbd\xbf", 10: "\x00\x01\x5b\xa8", 11: "\x01", 12: "\x00\x00\x07\xd1", 15: strings.Repeat("x", 65_507-134), 0x13: "perch",
			},
		},
	} {
		b, err := HEP(tc.m, 2001, "perch")
		if err != nil {
			t.Fatal(err)
		}
		if string(b[:4]) != "HEP3" || int(binary.BigEndian.Uint16(b[4:])) != len(b) || len(b) > 65_507 {
			t.Fatalf("header %q of %d bytes", b[:6], len(b))
		}
		got := map[uint16]string{}
		for rest := b[6:]; len(rest) > 0; {
			vendor, kind, n := binary.BigEndian.Uint16(rest), binary.BigEndian.Uint16(rest[2:]), int(binary.BigEndian.Uint16(rest[4:]))
			if vendor != 0 || n < 6 || n > len(rest) {
				t.Fatalf("chunk %d of vendor %d has %d bytes", kind, vendor, n)
			}
			got[kind] = string(rest[6:n])
			rest = rest[n:]
		}
		for kind, want := range tc.want {
			if got[kind] != want {
				t.Errorf("chunk %#x: %.40q, want %.40q (%d, %d bytes)", kind, got[kind], want, len(got[kind]), len(want))
			}
		}
		if len(got) != len(tc.want) {
			t.Errorf("%d chunks, want %d", len(got), len(tc.want))
		}
	}
}
