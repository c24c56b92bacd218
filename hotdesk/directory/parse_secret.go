package directory

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxSecretText is the longest sealed form of a secret of MaxText bytes, with
// the origin that export writes behind it.
const maxSecretText = 512

// fromMark stands in an exported file between a secret at rest and its origin,
// so that applying the export changes nothing, and applying the first file
// after that changes nothing either.
const fromMark = ";from="

var originForm = regexp.MustCompile(`^([0-9a-f]{32})?$`)

// hashed reads a PIN, which is kept as its keyed hash; number is the
// extension's, for the warning that both are equal.
func (p *parser) hashed(f field, context, number string) Kept {
	s, kept, plain := p.secret(f, context, HashedForm)
	if !plain {
		return kept
	}
	if why := weakPIN(s, number); why != "" {
		p.warn(f, "weak PIN: %s", why)
	}
	return p.keptHash(context, s)
}

// password reads a portal password, kept as an initial one.
func (p *parser) password(f field, context, number string) Kept {
	s, kept, plain := p.secret(f, context, HashedForm, SlowForm)
	if !plain {
		return kept
	}
	if why := weakPassword(s, number); why != "" {
		p.warn(f, "weak password: %s", why)
	}
	return p.keptHash(context, s)
}

func (p *parser) keptHash(context, s string) Kept {
	return Kept{Value: p.keep.Hash(context, Secret(s)), From: p.keep.Origin(context, Secret(s))}
}

// sealed reads a secret that must be readable again.
func (p *parser) sealed(f field, context, number string) Kept {
	s, kept, plain := p.secret(f, context, SealedForm)
	if !plain {
		return kept
	}
	if why := weakPassword(s, number); why != "" && number != notOurs {
		p.warn(f, "weak password: %s", why)
	}
	v, err := p.keep.Seal(context, Secret(s))
	if err != nil {
		p.fault(f, "cannot be sealed: use a shorter secret")
		return Kept{}
	}
	return Kept{Value: v, From: p.keep.Origin(context, Secret(s))}
}

// notOurs in place of a number marks a secret that another system chose.
const notOurs = "\x00"

// secret reads a secret in clear (plain is true) or at rest in one of the
// given forms. No message shows any of it.
func (p *parser) secret(f field, context string, forms ...string) (s string, kept Kept, plain bool) {
	n, ok := p.follow(f.node)
	if !ok || isNull(n) {
		return "", Kept{}, false
	}
	s, ok = p.bounded(f, maxSecretText)
	if !ok {
		return "", Kept{}, false
	}
	value, origin, exported := strings.Cut(s, fromMark)
	if is, whole := AtRest(value); is {
		return "", p.atRest(f, context, s, value, origin, exported, whole, forms), false
	}
	switch {
	case strings.ContainsFunc(s, isControl):
		p.fault(f, "contains a line break or control character: choose another")
	case len(s) > MaxText:
		p.fault(f, "is longer than %d bytes", MaxText)
	case !utf8.ValidString(s):
		p.fault(f, "is not valid UTF-8")
	default:
		return s, Kept{}, true
	}
	return "", Kept{}, false
}

func (p *parser) atRest(f field, context, s, value, origin string, exported, whole bool, forms []string) Kept {
	right := slices.ContainsFunc(forms, func(form string) bool { return strings.HasPrefix(value, form) })
	switch {
	case !whole || !originForm.MatchString(origin):
		p.fault(f, "begins like an exported secret (%s) but is not whole: export it again or write it in clear", strings.Join(forms, " "))
		return Kept{}
	case !right:
		p.fault(f, "is an exported secret of another kind: here it begins with %s", strings.Join(forms, " or "))
		return Kept{}
	}
	if forms[0] == SealedForm {
		if _, err := p.keep.Open(context, value); err != nil {
			p.fault(f, "was sealed with another server key or for another place: write it in clear, or use the key of the server it came from")
			return Kept{}
		}
	}
	if !exported {
		origin = p.keep.Origin(context, Secret(s))
	}
	return Kept{Value: value, From: origin}
}
