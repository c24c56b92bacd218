package e2e

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/textproto"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// trunk is a PBX played by hand, at an address of its own: it answers OPTIONS by
// itself and leaves everything else to the test.
type trunk struct{ *peer }

// trunkAddress is where a PBX shall be, for a directory file that names it
// before Perch is there.
func trunkAddress(t testing.TB, host string) string {
	t.Helper()
	return net.JoinHostPort(host, strconv.Itoa(freePort(t)))
}

// trunk opens the PBX; it hears nobody but this Perch.
func (o *office) trunk(at string) trunk {
	o.t.Helper()
	p := dialPeerFrom(o.t, at, o.sip("udp"))
	all, rest := p.in, make(chan packet, 256)
	p.user, p.in = "pbx", rest
	go func() {
		defer close(rest)
		for m := range all {
			if m.method() == "OPTIONS" {
				_, _ = io.WriteString(p.conn, answerTo(m, "200 OK"))
				continue
			}
			rest <- m
		}
	}()
	return trunk{p}
}

// dialPeerFrom is a peer that speaks from an address of its own, to one server.
func dialPeerFrom(t testing.TB, from, to string) *peer {
	t.Helper()
	local, err := net.ResolveUDPAddr("udp", from)
	if err != nil {
		t.Fatal(err)
	}
	d := net.Dialer{LocalAddr: local}
	conn, err := d.DialContext(t.Context(), "udp", to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	p := &peer{t: t, tp: "udp", user: "outside", conn: conn, in: make(chan packet, 256)}
	go readPackets(conn, "udp", p.in)
	return p
}

// answerTo is a response without a body.
func answerTo(m packet, status string, headers ...string) string {
	lines := []string{"SIP/2.0 " + status}
	for _, name := range []string{"Via", "From", "Call-ID", "CSeq"} {
		for _, v := range m.all(name) {
			lines = append(lines, name+": "+v)
		}
	}
	lines = append(lines, "To: "+m.get("To")+";tag=pbx")
	return strings.Join(append(append(lines, headers...), "Content-Length: 0", "", ""), "\r\n")
}

// desk registers the phone of a desk by hand, as whoever sits there now.
func (o *office) desk(mac string) *peer {
	o.t.Helper()
	a := o.yealinkFile(mac)
	p := dialPeer(o.t, "udp", o.sip("udp"), a.user, a.auth, a.password)
	if res := p.register(); res.status() != 200 {
		o.t.Fatalf("%s: %s", mac, res)
	}
	return p
}

// hopsAre waits until every next hop of acme's upstream has a state.
func (o *office) hopsAre(state string, n int) {
	o.t.Helper()
	eventually(o.t, fmt.Sprintf("%d next hops %s", n, state), 90*time.Second, func() bool {
		var up struct {
			Hops []struct{ State string }
		}
		o.rest().list(o.t, "/upstream?tenant=acme", &up)
		got := 0
		for _, h := range up.Hops {
			if h.State == state {
				got++
			}
		}
		return got == n
	})
}

// parts takes a multipart body apart, by media type.
func parts(t testing.TB, m packet) map[string]string {
	t.Helper()
	kind, params, err := mime.ParseMediaType(m.get("Content-Type"))
	if err != nil || kind != "multipart/mixed" {
		t.Fatalf("Content-Type %q, %v", m.get("Content-Type"), err)
	}
	out := map[string]string{}
	r := multipart.NewReader(strings.NewReader(m.body), params["boundary"])
	for {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(p)
		if err != nil {
			t.Fatal(err)
		}
		out[p.Header.Get("Content-Type")] = string(text)
		if id := p.Header.Get(textproto.CanonicalMIMEHeaderKey("Content-ID")); id != "" {
			out["id"] = strings.Trim(id, "<>")
		}
	}
}

// validXML asks libxml2.
func validXML(t testing.TB, doc string) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "place.xml")
	if err := os.WriteFile(name, []byte(doc), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := program(t.Context(), t, "xmllint", "--noout", name).CombinedOutput(); err != nil || len(bytes.TrimSpace(out)) > 0 {
		t.Errorf("xmllint: %v\n%s\n%s", err, out, doc)
	}
}
