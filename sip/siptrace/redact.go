package siptrace

import (
	"bytes"
	"strconv"
	"strings"
)

// cut stands where something was taken out. It is made of characters that a
// URI and a quoted string may hold, so that the message still parses.
const cut = "xxx"

// maxText bounds a message that a watcher gets, in bytes.
const maxText = 65_535

var (
	crlf      = []byte("\r\n")
	endOfHead = []byte("\r\n\r\n")
)

// Redact gives a copy of a message without its secrets: of Authorization and
// Proxy-Authorization only the harmless parameters stay, of a feature code only
// the code, wherever it stands and however it is escaped; passwords in URIs,
// keys of media in SDP, and key presses (application/dtmf-relay)
// go. Content-Length says what is left of the body. A message that is none is
// treated alike.
func Redact(text []byte) []byte {
	head, body := split(text[:min(len(text), maxText)])
	lines := unfold(head)
	kind := ""
	for i, line := range lines {
		if name, value := field(line); i > 0 && (name == "content-type" || name == "c") {
			kind = strings.ToLower(value)
		}
		lines[i] = redactLine(line)
	}
	short := redactBody(body, kind)
	if len(short) != len(body) {
		setLength(lines, len(body), len(short))
	}
	out := make([]byte, 0, len(text)+16)
	for i, line := range lines {
		if i > 0 {
			out = append(out, crlf...)
		}
		out = append(out, line...)
	}
	if len(head) < len(text) {
		out = append(append(out, endOfHead...), short...)
	}
	return out
}

// field splits a header line; the name is in lower case.
func field(line string) (name, value string) {
	name, value, _ = strings.Cut(line, ":")
	return strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
}

// redactLine treats lines of head and body alike: a body may be a message.
func redactLine(line string) string {
	switch name, value := field(line); name {
	case "authorization", "proxy-authorization", "authentication-info", "proxy-authentication-info":
		return line[:strings.IndexByte(line, ':')+1] + " " + credentials(value)
	}
	return keys(uris(dialled(line)))
}

// split gives the head without its last line break, and the body.
func split(text []byte) (head, body []byte) {
	i := bytes.Index(text, endOfHead)
	if i < 0 {
		return text, nil
	}
	return text[:i], text[i+len(endOfHead):]
}

// unfold gives the lines of a head; a folded one is made whole, since a secret
// may be in its second part (RFC 3261 section 7.3.1).
func unfold(head []byte) []string {
	var out []string
	var line strings.Builder
	for part := range strings.SplitSeq(string(head), "\n") {
		part = strings.TrimSuffix(part, "\r")
		if len(out) > 0 && part != "" && (part[0] == ' ' || part[0] == '\t') {
			line.WriteString(" " + strings.TrimLeft(part, " \t"))
			continue
		}
		out = append(out, line.String()) // what came before; at first nothing
		line.Reset()
		line.WriteString(part)
	}
	return append(out, line.String())[1:]
}

// kept are the parameters of a digest answer that help to find a fault and
// prove nothing (RFC 7616 section 3.4). The URI is not among them: it holds
// what was dialled.
var kept = [...]string{"username", "realm", "nonce", "algorithm", "qop", "nc", "nextnonce", "opaque"}

func credentials(value string) string {
	scheme, _, _ := strings.Cut(value, " ")
	switch strings.ToLower(scheme) {
	case "digest":
	case "basic", "bearer":
		return scheme + " " + cut
	default:
		scheme = "" // Authentication-Info, or what nobody knows
	}
	var parts []string
	for _, name := range kept {
		if v := parameter(","+value[len(scheme):], name); v != "" {
			parts = append(parts, name+`="`+dialled(v)+`"`)
		}
	}
	parts = append(parts, `response="`+cut+`"`)
	return strings.TrimSpace(scheme + " " + strings.Join(parts, ", "))
}

// uris takes the password out of sip:user:password@host, and credentials out of
// a URI's headers.
func uris(line string) string {
	var out strings.Builder
	for {
		i := indexFold(line, "sip")
		if i < 0 {
			out.WriteString(line)
			return out.String()
		}
		rest := line[i+len("sip"):]
		if rest != "" && (rest[0] == 's' || rest[0] == 'S') {
			rest = rest[1:]
		}
		if !strings.HasPrefix(rest, ":") {
			out.WriteString(line[:i+len("sip")])
			line = line[i+len("sip"):]
			continue
		}
		out.WriteString(line[:len(line)-len(rest)+1])
		uri := rest[1:]
		if j := strings.IndexAny(uri, "> \t\""); j >= 0 {
			uri = uri[:j]
		}
		out.WriteString(uriParts(uri))
		line = rest[1+len(uri):]
	}
}

// uriParts redacts what stands behind sip:.
func uriParts(uri string) string {
	if user, host, ok := cutLast(uri, "@"); ok {
		if name, _, has := strings.Cut(user, ":"); has {
			uri = name + ":" + cut + "@" + host
		}
	}
	if j := indexFold(uri, "authorization="); j >= 0 {
		uri = uri[:j] + "authorization=" + cut
	}
	return uri
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// redactBody goes through a body line by line.
func redactBody(body []byte, kind string) []byte {
	if len(body) == 0 {
		return body
	}
	kind, _, _ = strings.Cut(kind, ";")
	switch kind = strings.TrimSpace(kind); {
	case strings.Contains(kind, "dtmf"), // key presses: a PIN, digit by digit
		kind == "application/xml", kind == "application/snomxml": // settings for a phone
		return []byte(cut + "\r\n")
	}
	lines := strings.SplitAfter(string(body), "\n")
	for i, line := range lines {
		text := strings.TrimRight(line, "\r\n")
		lines[i] = redactLine(text) + line[len(text):]
	}
	return []byte(strings.Join(lines, ""))
}

// secretLines are the lines of SDP that hold keys.
var secretLines = [...]string{"a=crypto:", "a=key-mgmt:", "a=ice-pwd:", "k="}

func keys(line string) string {
	for _, name := range secretLines {
		if !strings.HasPrefix(strings.ToLower(strings.TrimLeft(line, " \t")), name) {
			continue
		}
		if i := indexFold(line, "inline:"); i >= 0 {
			return line[:i] + "inline:" + cut
		}
		return line[:indexFold(line, name)+len(name)] + cut
	}
	return line
}

// setLength corrects Content-Length where it was right before; one that lied
// goes on lying.
func setLength(lines []string, was, is int) {
	for i, line := range lines {
		name, value := field(line)
		if (name == "content-length" || name == "l") && value == strconv.Itoa(was) {
			lines[i] = line[:strings.IndexByte(line, ':')+1] + " " + strconv.Itoa(is)
		}
	}
}
