package hanlong

import (
	"regexp"

	"perch/provisioning/brand"
)

// Names in lower case. cfg<mac> without an ending is binary; cfg<code>.xml is
// one for all phones of a model.
var (
	deviceName = regexp.MustCompile(`^cfg([0-9a-f]{12})\.xml$`)
	commonName = regexp.MustCompile(`^cfg[0-9]{4}\.xml$`)
)

// File says what a name means. A phone asks for cfg<code>.xml, cfg<mac> and
// cfg<mac>.xml in this order and stops at the first that it gets: Perch has the
// last.
func File(name string) brand.File {
	f := brand.File{Name: brand.Base(name)}
	switch {
	case commonName.MatchString(f.Name):
		f.Kind = brand.Common
	case deviceName.MatchString(f.Name):
		var ok bool
		if f.MAC, ok = brand.MACOf(f.Name); ok {
			f.Kind = brand.Device
		}
	}
	return f
}

// Guess recognises a phone by its file's name when nothing else speaks: the
// maker's prefix must fit, since others use the same name.
func Guess(r brand.Request, ouis ...string) bool {
	m, ok := r.MAC()
	return ok && r.UserAgent == "" && r.SIPUserAgent == "" && deviceName.MatchString(r.Base()) && brand.HasOUI(m, ouis...)
}
