package proxy

import (
	"strings"

	"perch/sip/handler"
)

// privacy is what a caller asks to have kept back (RFC 3323 section 4.2, RFC
// 3325 section 9.3).
type privacy struct {
	id       bool // the asserted identity
	user     bool // From, and what tells of the person
	header   bool // what tells of the phone: as far as a proxy can
	session  bool // the media's addresses: a proxy cannot
	critical bool
}

func privacyOf(values []string) privacy {
	var p privacy
	for _, v := range values {
		for word := range strings.FieldsFuncSeq(v, func(r rune) bool { return r == ';' || r == ',' || r == ' ' || r == '\t' }) {
			switch strings.ToLower(word) {
			case "id":
				p.id = true
			case "user":
				p.user = true
			case "header":
				p.header = true
			case "session":
				p.session = true
			case "critical":
				p.critical = true
			case "none":
				return privacy{}
			}
		}
	}
	return p
}

// hides tells that the caller is not to be shown.
func (p privacy) hides() bool { return p.id || p.user || p.header }

// beyond tells that what is asked for cannot be had here and is required (RFC
// 3323 section 5: 500).
func (p privacy) beyond() bool { return p.critical && (p.header || p.session) }

// personal are the fields that a request for privacy takes off (RFC 3323
// section 5.1 and 5.3).
func personal(name string) bool {
	switch name {
	case "subject", "call-info", "organization", "user-agent", "reply-to", "in-reply-to", "warning", "server":
		return true
	}
	return false
}

// claims are the fields by which a phone says who somebody is, or where: they
// are believed of nobody but the upstream.
func claims(name string) bool {
	switch name {
	case "p-asserted-identity", "p-preferred-identity", "remote-party-id", "identity", "identity-info",
		"p-asserted-service", "p-called-party-id", "p-served-user", "p-access-network-info", "p-visited-network-id",
		"p-charging-vector", "p-charging-function-addresses", "p-profile-key", "history-info", "diversion":
		return true
	}
	return false
}

// anonymous is the From of a caller who hides (RFC 3323 section 4.1.1.3).
const anonymous = "sip:anonymous@anonymous.invalid"

// quoted writes a display name so that it ends where it should.
func quoted(name string) string {
	name = strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(handler.Clipped(name, 128))
	return `"` + name + `"`
}
