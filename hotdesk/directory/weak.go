package directory

import "strings"

// weakPIN says why a PIN is easy to guess or cannot be dialled; "" when
// neither. Files may have weak ones: only changes that people make are held to
// rules.
func weakPIN(pin, number string) string {
	switch {
	case strings.Trim(pin, "0123456789") != "":
		return "it is not all digits, so it cannot be dialled"
	case len(pin) < 4:
		return "it has fewer than 4 digits"
	}
	return WeakDigits(pin, number)
}

// WeakDigits says why a PIN of digits is easy to guess: it is the own number, one
// digit repeated, or a sequence; "" when it is none of these.
func WeakDigits(pin, number string) string {
	switch {
	case pin == number:
		return "it is the number itself"
	case isRun(pin, 0):
		return "it is one digit repeated"
	case isRun(pin, 1), isRun(pin, 9):
		return "it is a sequence of digits"
	}
	return ""
}

// isRun tells whether each digit is the one before plus step, modulo ten.
func isRun(s string, step int) bool {
	for i := 1; i < len(s); i++ {
		if int(s[i]-'0') != (int(s[i-1]-'0')+step)%10 {
			return false
		}
	}
	return true
}

// weakPassword says why a password is easy to guess; "" when it is not.
func weakPassword(password, number string) string {
	switch {
	case password == number:
		return "it is the number itself"
	case len(password) < 8:
		return "it has fewer than 8 characters"
	case strings.Count(password, password[:1]) == len(password):
		return "it is one character repeated"
	}
	return ""
}
