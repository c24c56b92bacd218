package device

import (
	"crypto/x509"
	"strings"

	"perch/hotdesk/directory"
)

// Bounds of what is read of a certificate's names.
const (
	maxNames    = 32
	maxNameText = 256
)

// CertifiedMAC is the MAC that a phone's certificate holds: in a common name, an
// organizational unit or an alternative DNS name of it. The makers write it
// bare, with separators, after "SEP" or a dash (Cisco's "CP-8851-SEP001122AABBCC"),
// as the last of "product, serial, MAC", or as the first label of a host name.
// A certificate with two different ones proves neither. Whether the certificate
// is to be believed is not asked here.
func CertifiedMAC(c *x509.Certificate) (directory.MAC, bool) {
	var found directory.MAC
	for _, texts := range [][]string{{c.Subject.CommonName}, c.Subject.OrganizationalUnit, {c.Subject.SerialNumber}, c.DNSNames} {
		for _, text := range texts[:min(len(texts), maxNames)] {
			m, ok := macOfName(text)
			switch {
			case !ok:
			case found.IsZero():
				found = m
			case found != m:
				return directory.MAC{}, false
			}
		}
	}
	return found, !found.IsZero()
}

// macOfName reads one name of a certificate. A serial number of twelve hex
// digits is taken for a MAC only where it stands alone or last.
func macOfName(text string) (directory.MAC, bool) {
	if len(text) > maxNameText {
		return directory.MAC{}, false
	}
	text = strings.TrimSpace(text)
	if m, ok := macOfWord(text); ok {
		return m, true
	}
	words := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(", ;/=\t", r) })
	if len(words) > 1 {
		return macOfWord(words[len(words)-1])
	}
	if label, _, dotted := strings.Cut(text, "."); dotted {
		return macOfWord(label)
	}
	return directory.MAC{}, false
}

// macOfWord reads a MAC by itself, or at the end of a device name.
func macOfWord(word string) (directory.MAC, bool) {
	if m, err := directory.ParseMAC(word); err == nil {
		return m, !m.IsZero()
	}
	const digits = 12
	if len(word) <= digits {
		return directory.MAC{}, false
	}
	before, last := word[:len(word)-digits], word[len(word)-digits:]
	if !strings.HasSuffix(strings.ToUpper(before), "SEP") && !strings.HasSuffix(before, "-") && !strings.HasSuffix(before, "_") {
		return directory.MAC{}, false
	}
	m, err := directory.ParseMAC(last)
	return m, err == nil && !m.IsZero()
}
