package provisioning

import (
	"errors"
	"io"
	"net/http"

	"perch/hotdesk/directory"
	"perch/provisioning/brand"
)

// maxUpload bounds what a phone may send, in bytes.
const maxUpload = 1 << 20

// Uploads keeps what phones send, within its quotas.
type Uploads interface {
	Keep(d directory.DeviceID, name string, body io.Reader) error
}

// Results of an upload, for the counter.
const (
	UploadKept      = "kept"
	UploadDiscarded = "discarded"
	UploadRefused   = "refused" // no such name, no credentials, too large, incomplete
	UploadFailed    = "failed"  // taken, but not kept: a fault of ours
)

// upload takes the logs and local settings that phones write: a phone that is
// refused tries for ever. They are kept where that is configured, for who proves
// to be the phone, and else thrown away, for which nobody needs credentials. A
// phone never gets them back: they are the last user's.
func (h *Handler) upload(x *exchange) {
	result := UploadRefused
	defer func() { h.recorder.Upload(result) }()
	if !h.takes(x) {
		x.notFound()
		return
	}
	body := http.MaxBytesReader(x.w, x.r.Body, maxUpload)
	mac, named := (brand.Request{Path: x.target.file()}).MAC()
	if h.uploads == nil || !named {
		_, err := io.Copy(io.Discard, body)
		if x.took(err) {
			result = UploadDiscarded
		}
		return
	}
	a, ok := h.admit(x, mac, false)
	if !ok {
		return
	}
	given := &remembering{from: body}
	err := h.uploads.Keep(a.Device.ID, x.target.name, given)
	switch {
	case given.err != nil:
		x.took(given.err)
	case err != nil: // the phone has done its part
		result, x.err = UploadFailed, err
		x.plain(http.StatusOK, "")
	default:
		result = UploadKept
		x.plain(http.StatusOK, "")
	}
}

// took answers for a body that was read; true when it came whole.
func (x *exchange) took(err error) bool {
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &big):
		x.plain(http.StatusRequestEntityTooLarge, "too large\n")
	case err != nil:
		x.plain(http.StatusBadRequest, "incomplete\n")
	default:
		x.plain(http.StatusOK, "")
	}
	return err == nil
}

// remembering keeps the error of what it reads from, to tell the phone's faults
// from ours.
type remembering struct {
	from io.Reader
	err  error
}

// Read implements io.Reader.
func (r *remembering) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = err
	}
	return n, err
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
