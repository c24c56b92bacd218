package handler

import (
	"strings"

	"github.com/emiago/sipgo/sip"
)

// maxService bounds the name of a service, in bytes.
const maxService = 64

// service brings an INVITE for the emergency service by its name (RFC 5031
// section 4.2: urn:service:sos and what is below) to the form of a call within
// the caller's own domain, sip:sos.police@domain: everything behind this knows
// SIP URIs only. What is no such call stays as it is.
func service(req *sip.Request) {
	if req.Recipient.Scheme != "urn" || !req.IsInvite() {
		return
	}
	text := strings.ToLower(req.Recipient.String())
	name, ok := strings.CutPrefix(text, "urn:service:")
	if from := req.From(); ok && from != nil && len(name) <= maxService && (name == "sos" || strings.HasPrefix(name, "sos.")) {
		req.Recipient = sip.Uri{Scheme: "sip", User: name, Host: from.Address.Host}
	}
}

// IsService tells a digest URI or address that names the emergency service.
func IsService(uri string) bool {
	const sos = "urn:service:sos"
	return len(uri) <= len("urn:service:")+maxService && len(uri) >= len(sos) && strings.EqualFold(uri[:len(sos)], sos)
}
