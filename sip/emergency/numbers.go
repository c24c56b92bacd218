// Package emergency holds what an emergency call needs to be of help: which
// numbers are one, where the desk is, as a PIDF-LO document beside the SDP, and
// which number calls the desk back. It is pure: it places no call and knows no
// store. It promises that a document it writes is well formed whatever stands in
// the directory, and that an address which says nothing is not sent as one.
package emergency

import (
	"slices"
	"strings"
)

// IsNumber tells whether a number as dialled, escapes resolved, is an emergency
// number of a tenant, or the emergency service by its name (RFC 5031 section
// 4.2): urn:service:sos and its sub-services, also as the user part of a URI.
func IsNumber(number string, of []string) bool {
	return slices.Contains(of, number) || isService(number)
}

// maxService bounds the name of a service.
const maxService = 64

func isService(s string) bool {
	if len(s) > maxService {
		return false
	}
	s = strings.ToLower(s)
	s = strings.TrimPrefix(strings.TrimPrefix(s, "urn:"), "service:")
	if s == "sos" {
		return true
	}
	sub, ok := strings.CutPrefix(s, "sos.")
	if !ok || sub == "" {
		return false
	}
	for _, c := range []byte(sub) { // RFC 5031 section 3: labels of letters, digits and dashes
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' {
			return false
		}
	}
	return true
}

// Dialled is the number that goes to the upstream: the one that was dialled, and
// for a service by its name the first of the tenant; false where there is none.
func Dialled(number string, of []string) (string, bool) {
	if !isService(number) {
		return number, true
	}
	if len(of) == 0 {
		return "", false
	}
	return of[0], true
}

// CallbackKey brings a caller id to the form in which two are compared: digits,
// without the signs of an international number. PBXs write +49..., 0049... and
// 49... for the same.
func CallbackKey(number string) string {
	var digits strings.Builder
	for _, c := range []byte(number) {
		switch {
		case c >= '0' && c <= '9':
			digits.WriteByte(c)
		case strings.IndexByte("+-./() ", c) >= 0:
		default:
			return "" // no telephone number
		}
	}
	s := digits.String()
	if rest, ok := strings.CutPrefix(s, "00"); ok && !strings.HasPrefix(number, "+") {
		s = rest
	}
	if len(s) < 3 || len(s) > 31 {
		return ""
	}
	return s
}
