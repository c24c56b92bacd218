package siptrace

import (
	"bytes"
	"strings"
)

// userAt is the user and host of a URI.
type userAt struct{ user, host string }

// names is whom a message is about: the users in its first line, From, To and
// Contact, and the user name of its digest answer.
type names struct {
	request  bool
	users    []userAt
	from     userAt
	username string
}

// maxLines bounds the lines of a head that are looked at.
const maxLines = 200

// namesIn reads a message that may be anything: what is not understood is not
// there.
func namesIn(text []byte) *names {
	n := &names{}
	head, _ := split(text)
	for i := 0; i < maxLines && len(head) > 0; i++ {
		line, rest, _ := bytes.Cut(head, crlf)
		head = rest
		if i == 0 {
			n.request = !bytes.HasPrefix(line, []byte("SIP/"))
			n.add(string(line))
			continue
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if ok {
			n.header(strings.ToLower(string(bytes.TrimSpace(name))), string(value))
		}
	}
	return n
}

func (n *names) header(name, value string) {
	switch name {
	case "from", "f":
		n.from, _ = userIn(value)
		n.add(value)
	case "to", "t", "contact", "m":
		n.add(value)
	case "authorization", "proxy-authorization":
		if u := parameter(value, "username"); u != "" {
			n.username = u
		}
	}
}

func (n *names) add(value string) {
	if u, ok := userIn(value); ok && len(n.users) < 16 {
		n.users = append(n.users, u)
	}
}

// userIn finds the first SIP URI of a text.
func userIn(text string) (u userAt, ok bool) {
	if i := strings.IndexByte(text, '<'); i >= 0 {
		text = text[i+1:]
	}
	i := indexFold(text, "sip")
	if i < 0 {
		return u, false
	}
	text = strings.TrimLeft(text[i+len("sip"):], "sS")
	if text, ok = strings.CutPrefix(text, ":"); !ok {
		return u, false
	}
	if end := strings.IndexAny(text, "> \t,\""); end >= 0 {
		text = text[:end]
	}
	user, host, found := strings.Cut(text, "@")
	if !found {
		return u, false
	}
	user, _, _ = strings.Cut(user, ":")
	user, _, _ = strings.Cut(user, ";")
	if end := strings.IndexAny(host, ";?"); end >= 0 {
		host = host[:end]
	}
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		host = host[:i]
	}
	return userAt{user, host}, true
}

// parameter finds name=value or name="value" among the parameters of a header.
func parameter(value, name string) string {
	for part := range strings.SplitSeq(value, ",") {
		k, v, ok := strings.Cut(part, "=")
		if i := strings.LastIndexAny(k, " \t"); ok && i >= 0 {
			k = k[i+1:]
		}
		if ok && strings.EqualFold(k, name) {
			return strings.Trim(strings.TrimSpace(v), `"`)
		}
	}
	return ""
}

func indexFold(s, lower string) int {
	for i := 0; i+len(lower) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(lower)], lower) {
			return i
		}
	}
	return -1
}
