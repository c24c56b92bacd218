package brand

import (
	"strings"

	"perch/hotdesk/directory"
)

// MACOf finds the MAC that a file name carries: 12 hex digits in a row, or six
// pairs with the same separator, with no further hex digit on either side (a
// token or a serial is longer). All zeros, all ones and anything that begins
// with eight zeros (y000000000108.cfg) name files that phones share, and are no
// address.
func MACOf(name string) (directory.MAC, bool) {
	name = strings.ToLower(name)
	// ATA19x adapters ask for ATA<MAC>.cnf.xml, whose prefix ends in a hex digit.
	name = strings.TrimPrefix(name, "ata")
	for i := 0; i < len(name); {
		if !isHex(name[i]) {
			i++
			continue
		}
		end := i
		for end < len(name) && (isHex(name[end]) || pairSeparator(name, i, end)) {
			end++
		}
		if m, err := directory.ParseMAC(name[i:end]); err == nil && !HasOUI(m, "00000000") {
			return m, true
		}
		i = end
	}
	return directory.MAC{}, false
}

// pairSeparator tells whether the character at pos stands between two pairs of
// a separated MAC that began at start: "00-15-65".
func pairSeparator(s string, start, pos int) bool {
	c := s[pos]
	if c != '-' && c != ':' || (pos-start)%3 != 2 || pos-start > 14 {
		return false
	}
	return pos+2 < len(s) && isHex(s[pos+1]) && isHex(s[pos+2]) &&
		(pos-start == 2 || s[start+2] == c)
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' }

// MACWord reads the last word of a User-Agent as a MAC, in any of its forms.
func MACWord(s string) (directory.MAC, bool) {
	m, err := directory.ParseMAC(s)
	return m, err == nil
}

// HasOUI tells whether a MAC begins with one of the prefixes (6 lower-case hex
// digits each). It is a hint between brands that share a form of file name,
// never proof: makers build for each other.
func HasOUI(m directory.MAC, prefixes ...string) bool {
	s := m.String()
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}
