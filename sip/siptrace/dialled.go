package siptrace

import "strings"

// dialled cuts what stands behind a feature code. A feature code is a star and
// digits, and what follows it may be a PIN, so of every run of dial characters
// that holds a star or a hash only the first star and up to three digits stay.
// The run may be escaped (%2A is a star, %31 a one: RFC 3261 section 19.1.4).
// More is cut than a feature code would need: a number that a person mistyped
// holds the PIN all the same.
func dialled(line string) string {
	if !strings.ContainsAny(line, "*#%") {
		return line
	}
	var out strings.Builder
	for i := 0; i < len(line); {
		length, plain := run(line[i:])
		if length == 0 {
			out.WriteByte(line[i])
			i++
			continue
		}
		if keep, all := code(plain); all {
			out.WriteString(line[i : i+length])
		} else {
			out.WriteString(keep + cut)
		}
		i += length
	}
	return out.String()
}

// run gives the length of the dial characters that a text begins with, and
// what they are unescaped. Separators that people write in numbers (RFC 3966
// section 5.1.1) belong to it when a dial character follows.
func run(s string) (length int, plain string) {
	var digits []byte
	starred := false
	for length < len(s) {
		c, n := dialChar(s[length:])
		if n == 0 && length > 0 && strings.IndexByte("-.() ", s[length]) >= 0 && starred {
			if next, m := dialChar(s[length+1:]); m > 0 {
				c, n = next, m+1
			}
		}
		if n == 0 {
			break
		}
		digits = append(digits, c)
		starred = starred || c == '*' || c == '#'
		length += n
	}
	return length, string(digits)
}

// dialChar reads one digit, star or hash, escaped or not.
func dialChar(s string) (c byte, n int) {
	switch {
	case s == "":
		return 0, 0
	case isDial(s[0]):
		return s[0], 1
	case s[0] == '%' && len(s) > 2:
		if v := unhex(s[1])<<4 | unhex(s[2]); v > 0 && v < 0x80 && isDial(byte(v)) {
			return byte(v), 3
		}
	}
	return 0, 0
}

func isDial(c byte) bool { return c >= '0' && c <= '9' || c == '*' || c == '#' }

func unhex(c byte) int {
	if c >= 'A' && c <= 'F' {
		c += 'a' - 'A'
	}
	return strings.IndexByte("0123456789abcdef", c)
}

// maxCode is how many digits of a code are shown.
const maxCode = 3

// code gives what may be shown of a run; all when that is the whole of it.
func code(plain string) (keep string, all bool) {
	first := strings.IndexAny(plain, "*#")
	if first < 0 {
		return plain, true // an ordinary number
	}
	if strings.Trim(plain, "*#") == "" {
		return plain, true // as in Accept: */*
	}
	if first > 0 { // digits before the first star are no code: they may be a PIN
		return "", false
	}
	digits := plain[1:]
	end := 0
	for end < len(digits) && digits[end] >= '0' && digits[end] <= '9' {
		end++
	}
	rest := strings.TrimSuffix(digits[end:], "#")
	if end <= maxCode {
		return plain[:1+end], rest == ""
	}
	return plain[:1], false
}
