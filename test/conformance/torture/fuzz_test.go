package torture

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// FuzzServer: whatever is sent to a whole Perch, by datagram and by stream, it
// answers the next request. What was found is in testdata/fuzz.
func FuzzServer(f *testing.F) {
	for _, m := range append(rfc4475(), rfc5118()...) {
		f.Add([]byte(m.text("UDP", "seed")))
	}
	f.Add([]byte("\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl"))
	f.Add([]byte("\r\n\r\n"))
	udp, tcp := start(f)
	packets, err := net.Dial("udp", udp)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = packets.Close() })
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 60_000 || bytes.Contains(b, []byte("probe")) {
			return
		}
		if _, err := packets.Write(b); err != nil {
			t.Fatal(err)
		}
		probe(t, packets)
		stream, err := net.Dial("tcp", tcp)
		if err != nil {
			t.Fatal(err)
		}
		defer stream.Close()
		_, _ = stream.Write(b) // the server may end the connection meanwhile
		_ = stream.(*net.TCPConn).CloseWrite()
		_ = stream.SetReadDeadline(time.Now().Add(10 * time.Second))
		_, _ = io.Copy(io.Discard, stream)
	})
}

// probe asks the server whether it is there.
func probe(t *testing.T, conn net.Conn) {
	t.Helper()
	id := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, time.Now().Format(time.RFC3339Nano))
	m := message{lines: of("OPTIONS sip:acme.test SIP/2.0", "Call-ID: probe-%B")}
	buf := make([]byte, 65536)
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	for range 3 { // a datagram may be lost
		if _, err := io.WriteString(conn, m.text("UDP", id)); err != nil {
			t.Fatal(err)
		}
		for {
			n, err := conn.Read(buf)
			if err != nil {
				t.Fatalf("the server does not answer any more: %v", err)
			}
			if bytes.HasPrefix(buf[:n], []byte("SIP/2.0 200 ")) && bytes.Contains(buf[:n], []byte("probe-"+id)) {
				return
			}
		}
	}
}
