package provisioning

import (
	"net/http"
	"path"
	"strings"
	"time"

	"perch/provisioning/brand"
	"perch/provisioning/files"
)

// Firmware gives out the files of a folder; Open is false for any other name.
type Firmware interface {
	Open(name string) (*files.Opened, bool)
}

// firmwareTime bounds how long one answer may take: some phones fetch 100 MB
// over a slow line. One that is cut off goes on with a range.
const firmwareTime = 15 * time.Minute

// firmware answers for a file that belongs to no phone: with ranges and
// conditions (RFC 9110 sections 13 and 14), to anybody, since there is no secret
// in it. False: there is no such file.
func (h *Handler) firmware(x *exchange) bool {
	if h.images == nil {
		return false
	}
	f, ok := h.images.Open(x.target.name)
	if !ok {
		return false
	}
	defer f.Close() //nolint:errcheck // read only
	// A server that cannot lift its limit, as in tests, sends what it can.
	_ = http.NewResponseController(x.w).SetWriteDeadline(time.Now().Add(firmwareTime))
	head := x.w.Header()
	head.Set("ETag", `"`+f.Digest[:32]+`"`)
	head.Set("Content-Type", "application/octet-stream")
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Cache-Control", "no-cache")
	counted := &status{ResponseWriter: x.w, code: http.StatusOK}
	http.ServeContent(counted, x.r, "", f.At, f)
	x.code = counted.code
	return true
}

// status remembers the code of an answer.
type status struct {
	http.ResponseWriter
	code int
}

// WriteHeader implements http.ResponseWriter.
func (s *status) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

// FirmwareOf tells which names, in lower case, are firmware of some brand.
func FirmwareOf(brands brand.List) func(name string) bool {
	var patterns []string
	for _, b := range brands {
		patterns = append(patterns, b.Firmware...)
	}
	return func(name string) bool {
		if strings.HasPrefix(name, ".") {
			return false
		}
		for _, p := range patterns {
			if ok, err := path.Match(p, name); ok && err == nil {
				return true
			}
		}
		return false
	}
}
