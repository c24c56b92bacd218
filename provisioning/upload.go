package provisioning

import (
	"errors"
	"io"
	"net/http"

	"perch/provisioning/brand"
)

// maxUpload bounds what a phone may send, in bytes.
const maxUpload = 1 << 20

// upload takes the logs and local settings that phones write, and throws them
// away: a phone that is refused tries for ever, and what it would keep is the
// last user's. No credentials are asked for, since nothing comes of it.
func (h *Handler) upload(x *exchange) {
	if !h.takes(x) {
		x.notFound()
		return
	}
	_, err := io.Copy(io.Discard, http.MaxBytesReader(x.w, x.r.Body, maxUpload))
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &big):
		x.plain(http.StatusRequestEntityTooLarge, "too large\n")
	case err != nil:
		x.plain(http.StatusBadRequest, "incomplete\n")
	default:
		x.plain(http.StatusOK, "")
	}
}

// takes tells whether some brand writes a file of that name.
func (h *Handler) takes(x *exchange) bool {
	for _, b := range h.brands {
		if b.File(x.target.name).Kind == brand.Upload {
			return true
		}
	}
	return false
}
