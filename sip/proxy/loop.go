package proxy

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"perch/sip/flow"
	"perch/sip/handler"
)

// mark begins the branches of forwarded requests, behind the cookie.
const mark = "p"

// maxVias bounds how many proxies a request may have passed.
const maxVias = 70

// fingerprint is what two passes of one request through here have in common
// when nothing about its way has changed (RFC 5393 section 4.2.1): then it is in
// a loop. A spiral comes with another Request-URI or route.
func (s sealer) fingerprint(r *handler.Request, p path) string {
	m := hmac.New(sha256.New, s.key)
	for _, part := range append([]string{
		"loop", p.target, r.CallID(), r.FromTag(), r.ToTag(), r.Method(), strconv.FormatUint(uint64(r.SIP.CSeq().SeqNo), 10),
		r.Header("Proxy-Require"),
	}, p.rest...) {
		m.Write([]byte(part))
		m.Write([]byte{0})
	}
	return hex.EncodeToString(m.Sum(nil)[:8])
}

// branch makes the branch of a forwarded request: the fingerprint, and
// something random.
func branch(fingerprint string) string { return flow.NewBranch(mark + fingerprint + "-") }

// loops tells whether a request has been here before as it is now. The
// fingerprint is keyed, so that nobody can make another's request look like one.
func loops(vias []string, fingerprint string) bool {
	for _, v := range vias {
		if strings.Contains(v, flow.Cookie+mark+fingerprint+"-") {
			return true
		}
	}
	return false
}
