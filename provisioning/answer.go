package provisioning

import (
	"io"
	"net/http"
	"strconv"
	"time"

	"perch/provisioning/device"
	"perch/sip/digest"
)

// headers are those of every answer: files carry passwords, and a refusal today
// may be a file tomorrow.
func (x *exchange) headers() http.Header {
	h := x.w.Header()
	h.Set("Cache-Control", "private, no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	return h
}

// plain answers with a short text.
func (x *exchange) plain(code int, text string) {
	h := x.headers()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	x.code = code
	x.w.WriteHeader(code)
	if x.r.Method != http.MethodHead {
		io.WriteString(x.w, text) //nolint:errcheck // nothing can be done for a phone that has gone
	}
}

// notFound is the one answer for names that are not there and for credentials
// that open nothing.
func (x *exchange) notFound() { x.plain(http.StatusNotFound, "not found\n") }

// challenge is the one answer for every device file without credentials. Digest
// stands first: a phone that takes the first it knows then keeps its secret to
// itself. MD5 is the algorithm that all phones know.
func (h *Handler) challenge(x *exchange, stale bool) {
	c := digest.Challenge{Realm: device.Realm, Nonce: h.door.Nonce(), Algorithm: digest.MD5, QOP: "auth", Stale: stale}
	x.w.Header().Add("WWW-Authenticate", c.String())
	x.w.Header().Add("WWW-Authenticate", `Basic realm="`+device.Realm+`", charset="UTF-8"`)
	x.plain(http.StatusUnauthorized, "credentials needed\n")
}

// unavailable asks the phone to come again; it keeps what it has.
func (x *exchange) unavailable(err error) {
	x.err = err
	x.w.Header().Set("Retry-After", strconv.Itoa(int(retryAfter/time.Second)))
	x.plain(http.StatusServiceUnavailable, "come again\n")
}

// broken is a fault of ours: a template.
func (x *exchange) broken(err error) {
	x.err = err
	x.plain(http.StatusInternalServerError, "internal error\n")
}
