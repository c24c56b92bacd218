package lossy

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"syscall"
)

// message is a request or a response.
type message struct {
	line    string
	headers [][2]string
	body    string
}

func parse(text string) (message, bool) {
	head, body, ok := strings.Cut(text, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	if !ok || len(lines) < 2 {
		return message{}, false
	}
	m := message{line: lines[0], body: body}
	for _, l := range lines[1:] {
		k, v, _ := strings.Cut(l, ":")
		m.headers = append(m.headers, [2]string{strings.ToLower(k), strings.TrimSpace(v)})
	}
	return m, true
}

func (m message) all(name string) (out []string) {
	for _, h := range m.headers {
		if h[0] == name {
			out = append(out, h[1])
		}
	}
	return out
}

func (m message) get(name string) string {
	for _, h := range m.headers {
		if h[0] == name {
			return h[1]
		}
	}
	return ""
}

// code is the status, 0 of a request.
func (m message) code() int {
	if !strings.HasPrefix(m.line, "SIP/2.0 ") || len(m.line) < 11 {
		return 0
	}
	n, _ := strconv.Atoi(m.line[8:11])
	return n
}

func (m message) method() string {
	if m.code() != 0 {
		_, method, _ := strings.Cut(m.get("cseq"), " ")
		return method
	}
	method, _, _ := strings.Cut(m.line, " ")
	return method
}

func (m message) cseq() int {
	n, _, _ := strings.Cut(m.get("cseq"), " ")
	v, _ := strconv.Atoi(n)
	return v
}

func (m message) branch() string { return parameter(m.get("via"), "branch") }

// recorded gives the routes of a message, one each.
func (m message) recorded() (out []string) {
	for _, v := range m.all("record-route") {
		for one := range strings.SplitSeq(v, ",") {
			out = append(out, strings.TrimSpace(one))
		}
	}
	return out
}

func parameter(value, name string) string {
	_, after, _ := strings.Cut(value, ";"+name+"=")
	v, _, _ := strings.Cut(after, ";")
	return v
}

func uriOf(value string) string {
	_, after, ok := strings.Cut(value, "<")
	if !ok {
		return value
	}
	uri, _, _ := strings.Cut(after, ">")
	return uri
}

var quoted = regexp.MustCompile(`(\w+)="?([^",]+)"?`)

// challenge is what a server asks for; a nonce is used again while it is good.
type challenge struct {
	realm, nonce string
	count        int
}

func challengeOf(m message) *challenge {
	c := &challenge{}
	for _, f := range quoted.FindAllStringSubmatch(m.get("www-authenticate"), -1) {
		switch f[1] {
		case "realm":
			c.realm = f[2]
		case "nonce":
			c.nonce = f[2]
		}
	}
	return c
}

// answer is a header line (RFC 2617, MD5 with qop auth).
func (c *challenge) answer(user, password, method, uri string) string {
	c.count++
	h := func(parts ...string) string {
		sum := md5.Sum([]byte(strings.Join(parts, ":")))
		return hex.EncodeToString(sum[:])
	}
	nc := fmt.Sprintf("%08x", c.count)
	response := h(h(user, c.realm, password), c.nonce, nc, "c", "auth", h(method, uri))
	return fmt.Sprintf(`Authorization: Digest username=%q, realm=%q, nonce=%q, uri=%q, qop=auth, nc=%s, cnonce="c", response=%q, algorithm=MD5`,
		user, c.realm, c.nonce, uri, nc, response)
}

func isRefused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }
