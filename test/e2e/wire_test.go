package e2e

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"
)

// wire is a UDP socket that speaks SIP by hand.
type wire struct {
	t    testing.TB
	conn net.Conn
	seq  int
	id   string
}

func dialWire(t testing.TB, to string) *wire {
	t.Helper()
	c, err := net.Dial("udp", to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return &wire{t: t, conn: c, id: fmt.Sprintf("%x", rand.Uint64())}
}

// ask sends a request and gives back its final response. It is sent again
// until one comes, as UDP wants it.
func (w *wire) ask(method, uri, user string, more ...string) message {
	w.t.Helper()
	w.seq++
	branch := fmt.Sprintf("z9hG4bK%x", rand.Uint64())
	lines := append([]string{
		method + " " + uri + " SIP/2.0", "Via: SIP/2.0/UDP " + w.conn.LocalAddr().String() + ";branch=" + branch + ";rport",
		"Max-Forwards: 70", "From: <sip:" + user + "@acme.test>;tag=w", "To: <sip:" + user + "@acme.test>", "Call-ID: " + w.id,
		fmt.Sprintf("CSeq: %d %s", w.seq, method), "Contact: <sip:" + user + "@" + w.conn.LocalAddr().String() + ">",
	}, more...)
	text := strings.Join(append(lines, "Content-Length: 0"), "\r\n") + "\r\n\r\n"
	buf := make([]byte, 65536)
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); {
		if _, err := w.conn.Write([]byte(text)); err != nil {
			w.t.Fatal(err)
		}
		_ = w.conn.SetReadDeadline(time.Now().Add(time.Second))
		for {
			n, err := w.conn.Read(buf)
			if err != nil {
				break // again
			}
			answer := string(buf[:n])
			if strings.Contains(answer, branch) && strings.HasPrefix(answer, "SIP/2.0 ") && !strings.HasPrefix(answer, "SIP/2.0 1") {
				first, _, _ := strings.Cut(answer, "\r\n")
				return message{first, answer}
			}
		}
	}
	w.t.Fatalf("no answer to %s %s", method, uri)
	return message{}
}

// status is the code of a response.
func (m message) status() string {
	f := strings.Fields(m.line)
	if len(f) < 2 {
		return ""
	}
	return f[1]
}

// register registers a user with credentials, and gives back the answer to the
// request that carries them.
func (w *wire) register(a account, expires int) message {
	w.t.Helper()
	uri := "sip:acme.test"
	life := fmt.Sprintf("Expires: %d", expires)
	asked := w.ask("REGISTER", uri, a.user, life)
	if asked.status() != "401" {
		return asked
	}
	return w.ask("REGISTER", uri, a.user, life, w.credentials(asked, "REGISTER", uri, a))
}

// credentials answers a challenge (RFC 2617, MD5 with qop auth).
func (w *wire) credentials(asked message, method, uri string, a account) string {
	p := map[string]string{}
	for _, f := range parameter.FindAllStringSubmatch(asked.header("WWW-Authenticate"), -1) {
		p[f[1]] = f[2] + f[3]
	}
	hash := func(parts ...string) string {
		sum := md5.Sum([]byte(strings.Join(parts, ":")))
		return hex.EncodeToString(sum[:])
	}
	answer := hash(hash(a.auth, p["realm"], a.password), p["nonce"], "00000001", "c", "auth", hash(method, uri))
	return fmt.Sprintf(`Authorization: Digest username=%q, realm=%q, nonce=%q, uri=%q, qop=auth, nc=00000001, cnonce="c", response=%q, algorithm=MD5`,
		a.auth, p["realm"], p["nonce"], uri, answer)
}
