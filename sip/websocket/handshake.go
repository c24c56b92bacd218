package websocket

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// refusal says why a request is no handshake of ours; 0: it is one. What it
// does not look at, the upgrade itself does.
func refusal(r *http.Request, origins []string) (code int, why string) {
	switch {
	case r.URL.Path != Path:
		return http.StatusNotFound, "not found"
	case r.Method != http.MethodGet:
		return http.StatusMethodNotAllowed, "WebSocket begins with GET"
	case !allowedOrigin(r, origins):
		return http.StatusForbidden, "this origin is not allowed"
	case !offers(r.Header.Values("Sec-Websocket-Protocol"), Subprotocol):
		return http.StatusBadRequest, "the sub-protocol sip must be offered" // RFC 7118 section 4.1
	}
	return 0, ""
}

// allowedOrigin holds that no foreign page makes a visitor's browser speak SIP
// here (RFC 6455 section 10.2). Programs that are no browser send no Origin.
func allowedOrigin(r *http.Request, origins []string) bool {
	values := r.Header.Values("Origin")
	if len(values) == 0 {
		return true
	}
	u, err := url.Parse(values[0])
	if err != nil || len(values) > 1 {
		return false
	}
	if slices.Contains(origins, "*") {
		return true
	}
	if u.Scheme == "" || u.Host == "" { // "null": a file, a sandbox
		return false
	}
	if strings.EqualFold(u.Host, r.Host) {
		return true
	}
	return slices.ContainsFunc(origins, func(o string) bool {
		return strings.EqualFold(strings.TrimSuffix(o, "/"), u.Scheme+"://"+u.Host)
	})
}

// offers tells whether a comma-separated list has a token.
func offers(values []string, token string) bool {
	for _, v := range values {
		for part := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}
