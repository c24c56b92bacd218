package proxy

import (
	"strings"

	"perch/sip/handler"
)

// hides tells a caller whose From is nobody's, or shall become so (RFC 3323
// section 4.1): the upstream is told who it is in P-Asserted-Identity alone.
func hides(r *handler.Request) bool {
	p := privacyOf(r.Values("Privacy"))
	from := r.SIP.From()
	return p.user || p.header || from != nil && strings.EqualFold(from.Address.Host, "anonymous.invalid")
}
