package directory

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// TenantCode names a customer: 1 to 32 of lower-case letters, digits and
// dashes, beginning with a letter or digit. It is the hash tag of every key
// the tenant has in the store, and a folder name in a provisioning URL.
type TenantCode string

// ParseTenantCode reads a tenant code; upper case is an error, not folded,
// because the code is also a path element that phones compare byte by byte.
func ParseTenantCode(s string) (TenantCode, error) {
	if s == "" || len(s) > 32 {
		return "", errors.New("a tenant code has 1 to 32 characters")
	}
	for i, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
		case c == '-' && i > 0:
		default:
			return "", fmt.Errorf("tenant code: character %q is not one of a-z, 0-9, - (and - not first)", c)
		}
	}
	return TenantCode(s), nil
}

// MAC is a phone's hardware address: unique in the installation, user part of
// the device's AOR and its digest username.
type MAC [6]byte

// ParseMAC reads 12 hex digits of either case, bare or in pairs (or Cisco
// style fours) separated by colons, dots or dashes. All zeros and all ones are
// refused: phones ask for shared files under those.
func ParseMAC(s string) (MAC, error) {
	var m MAC
	if len(s) < 12 || len(s) > 17 {
		return m, errors.New("a MAC address has 12 hex digits")
	}
	digits := make([]byte, 0, 12)
	for _, c := range []byte(s) {
		switch {
		case c == ':' || c == '-' || c == '.':
			if n := len(digits); n == 0 || n%2 != 0 {
				return m, errors.New("a MAC address has its separators between pairs of digits")
			}
		case len(digits) == 12:
			return m, errors.New("a MAC address has 12 hex digits")
		default:
			digits = append(digits, c)
		}
	}
	if n, err := hex.Decode(m[:], digits); err != nil || n != 6 {
		return MAC{}, errors.New("a MAC address has 12 hex digits")
	}
	if m == (MAC{}) || m == (MAC{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}) {
		return MAC{}, errors.New("a MAC address of all zeros or all ones belongs to no phone")
	}
	return m, nil
}

// String gives the 12 lower-case hex digits that Perch uses everywhere.
func (m MAC) String() string { return hex.EncodeToString(m[:]) }

// Colons gives the form people read on the sticker: 00:15:65:aa:bb:01.
func (m MAC) Colons() string {
	s := m.String()
	return strings.Join([]string{s[0:2], s[2:4], s[4:6], s[6:8], s[8:10], s[10:12]}, ":")
}

// IsZero tells the address of no phone.
func (m MAC) IsZero() bool { return m == MAC{} }

// MarshalText writes the 12 digits.
func (m MAC) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText is ParseMAC.
func (m *MAC) UnmarshalText(b []byte) error {
	v, err := ParseMAC(string(b))
	if err != nil {
		return err
	}
	*m = v
	return nil
}

// ParseNumber checks an extension's number: 1 to 32 of [A-Za-z0-9._-], and not
// 12 hex digits, which would be taken for a MAC.
func ParseNumber(s string) (string, error) {
	if s == "" || len(s) > 32 {
		return "", errors.New("a number has 1 to 32 characters")
	}
	hexDigits := 0
	for _, c := range []byte(s) {
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'f', c >= 'A' && c <= 'F':
			hexDigits++
		case c >= 'g' && c <= 'z', c >= 'G' && c <= 'Z', c == '.', c == '_', c == '-':
		default:
			return "", fmt.Errorf("number: character %q is not one of A-Z, a-z, 0-9, . _ -", c)
		}
	}
	if hexDigits == 12 && len(s) == 12 {
		return "", errors.New("a number of 12 hex digits would be taken for a MAC address")
	}
	return s, nil
}

// ExtensionID names an extension in the installation. Number has passed
// ParseNumber.
type ExtensionID struct {
	Tenant TenantCode `json:"tenant"`
	Number string     `json:"number"`
}

// DeviceID names a device together with the tenant that owns it.
type DeviceID struct {
	Tenant TenantCode `json:"tenant"`
	MAC    MAC        `json:"mac"`
}

// Seat is one line of one device; a binding fills at most one seat. Lines
// count from 1.
type Seat struct {
	Device DeviceID `json:"device"`
	Line   int      `json:"line"`
}

// SessionID is the random id of one binding: 128 bits in lower-case hex. The
// SIP credential, contacts and the rendered configuration all carry it.
type SessionID string

// AOR is an address of record (RFC 3261 section 6): a user at one of the
// tenant's domains.
type AOR struct {
	User   string `json:"user"`
	Domain string `json:"domain"`
}

// String gives the SIP URI without parameters.
func (a AOR) String() string { return "sip:" + a.User + "@" + a.Domain }

// Secret is a text that must not appear in logs, errors or JSON; Reveal gives
// it to the one who has a use for it.
type Secret string

// String hides the text.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "<secret>"
}

// GoString hides the text from %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalText hides the text from encoders; stores and exports write sealed or
// hashed forms, never a Secret.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes the text as written.
func (s *Secret) UnmarshalText(b []byte) error { *s = Secret(b); return nil }

// Reveal gives the text itself.
func (s Secret) Reveal() string { return string(s) }
