package main

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"strconv"
)

// user is one who registers, again and again, with the same contact.
type user struct {
	number, local, via, contact string
	seq                         uint32
	registered                  bool
	realm, nonce                string
	used                        uint32 // of the nonce
	secret, target              [32]byte
	broken                      int // challenges in a row
}

func newUser(number, local, transport string) *user {
	u := &user{number: number, local: local, via: "SIP/2.0/UDP ", contact: "<sip:" + number + "@" + local + ">"}
	if transport == "tcp" {
		u.via, u.contact = "SIP/2.0/TCP ", "<sip:"+number+"@"+local+";transport=tcp>"
	}
	u.target = hexMD5([]byte("REGISTER:sip:" + domain))
	return u
}

func hexMD5(b []byte) (out [32]byte) {
	sum := md5.Sum(b)
	hex.Encode(out[:], sum[:])
	return out
}

// appendRegister writes the next REGISTER (RFC 3261 section 10.2); the branch
// says in which slot it is.
func (u *user) appendRegister(b []byte, slot int) []byte {
	u.seq++
	b = append(b, "REGISTER sip:"+domain+" SIP/2.0\r\nVia: "...)
	b = append(append(b, u.via...), u.local...)
	b = append(b, ";branch=z9hG4bK-"...)
	b = strconv.AppendInt(b, int64(slot), 10)
	b = append(b, '-')
	b = strconv.AppendUint(b, uint64(u.seq), 10)
	b = append(append(b, '-'), u.number...)
	b = append(b, ";rport\r\nMax-Forwards: 70\r\nFrom: <sip:"...)
	b = append(append(b, u.number...), "@"+domain+">;tag=b\r\nTo: <sip:"...)
	b = append(append(b, u.number...), "@"+domain+">\r\nCall-ID: bench-"...)
	b = append(append(b, u.number...), "\r\nCSeq: "...)
	b = strconv.AppendUint(b, uint64(u.seq), 10)
	b = append(append(b, " REGISTER\r\nContact: "...), u.contact...)
	b = append(b, "\r\nExpires: 3600\r\nUser-Agent: bench\r\n"...)
	if u.nonce != "" {
		b = u.appendAuthorization(b)
	}
	return append(b, "Content-Length: 0\r\n\r\n"...)
}

// appendAuthorization answers the challenge with qop auth (RFC 7616 section
// 3.4.1), the nonce counted.
func (u *user) appendAuthorization(b []byte) []byte {
	u.used++
	var count [8]byte
	hex.Encode(count[:], []byte{byte(u.used >> 24), byte(u.used >> 16), byte(u.used >> 8), byte(u.used)})
	var room [256]byte
	text := append(append(room[:0], u.secret[:]...), ':')
	text = append(append(text, u.nonce...), ':')
	text = append(append(text, count[:]...), ":c:auth:"...)
	answer := hexMD5(append(text, u.target[:]...))
	b = append(append(b, `Authorization: Digest username="`...), u.number...)
	b = append(append(b, `", realm="`...), u.realm...)
	b = append(append(b, `", nonce="`...), u.nonce...)
	b = append(append(b, `", uri="sip:`+domain+`", algorithm=MD5, qop=auth, cnonce="c", nc=`...), count[:]...)
	b = append(append(b, `, response="`...), answer[:]...)
	return append(b, "\"\r\n"...)
}

// challenged takes the nonce of a 401; false when there is none, or when one
// after the other is refused.
func (u *user) challenged(msg []byte) bool {
	realm, nonce := quoted(msg, "realm=\""), quoted(msg, "nonce=\"")
	if nonce == "" {
		return false
	}
	if u.broken++; u.broken > 2 && u.nonce != "" {
		return false
	}
	if u.realm != realm {
		u.realm = realm
		u.secret = hexMD5([]byte(u.number + ":" + realm + ":" + sipPassword))
	}
	u.nonce, u.used = nonce, 0
	return true
}

// quoted finds the value behind name.
func quoted(msg []byte, name string) string {
	_, rest, ok := bytes.Cut(msg, []byte(name))
	if !ok {
		return ""
	}
	value, _, ok := bytes.Cut(rest, []byte{'"'})
	if !ok {
		return ""
	}
	return string(value)
}

// readResponse gives the slot and number that the branch names, and the code;
// slot -1 for what is no response to us.
func readResponse(msg []byte) (slot int, seq uint32, code int) {
	if len(msg) < 12 || string(msg[:8]) != "SIP/2.0 " {
		return -1, 0, 0
	}
	code, _ = strconv.Atoi(string(msg[8:11]))
	_, rest, ok := bytes.Cut(msg, []byte("branch=z9hG4bK-"))
	if !ok {
		return -1, 0, code
	}
	i := bytes.IndexByte(rest, '-')
	if i < 0 {
		return -1, 0, code
	}
	j := bytes.IndexByte(rest[i+1:], '-')
	if j < 0 {
		return -1, 0, code
	}
	slot, err := strconv.Atoi(string(rest[:i]))
	n, err2 := strconv.ParseUint(string(rest[i+1:i+1+j]), 10, 32)
	if err != nil || err2 != nil {
		return -1, 0, code
	}
	return slot, uint32(n), code
}
