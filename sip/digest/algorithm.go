package digest

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Algorithm is the hash of a challenge, written as on the wire (RFC 7616
// section 3.3). A value that was read from a stranger may be any token, in
// upper case; only MD5 and SHA256 can be computed here.
type Algorithm string

// The algorithms that this package computes. The "-sess" forms are recognised
// as names of their own and never chosen: no phone needs them.
const (
	MD5    Algorithm = "MD5"     // RFC 2617; what every phone knows
	SHA256 Algorithm = "SHA-256" // RFC 8760 section 2
)

// ParseAlgorithm reads the name of a supported algorithm in any case, as a
// directory file (`md5`, `sha-256`) or a header has it.
func ParseAlgorithm(s string) (Algorithm, error) {
	if a := algorithmToken(s); a.Supported() {
		return a, nil
	}
	return "", fmt.Errorf("digest algorithm %.32q is not one of md5, sha-256", s)
}

// Supported tells whether this package can compute a.
func (a Algorithm) Supported() bool { return a == MD5 || a == SHA256 }

// algorithmToken folds the case of a name from the wire; none means MD5
// (RFC 7616 section 3.3). The common spellings cost no allocation.
func algorithmToken(s string) Algorithm {
	switch {
	case s == "" || strings.EqualFold(s, string(MD5)):
		return MD5
	case strings.EqualFold(s, string(SHA256)):
		return SHA256
	}
	return Algorithm(strings.ToUpper(s))
}

// appendHex appends H(data) in lower-case hex. a is supported: callers check.
func (a Algorithm) appendHex(dst, data []byte) []byte {
	if a == SHA256 {
		sum := sha256.Sum256(data)
		return hex.AppendEncode(dst, sum[:])
	}
	sum := md5.Sum(data)
	return hex.AppendEncode(dst, sum[:])
}
