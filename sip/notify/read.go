package notify

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"perch/hotdesk/directory"
	"perch/sip/location"
	"perch/sip/presence/dialoginfo"
)

// How long a subscription lasts, in seconds: RFC 4235 section 3.4 has 3600 as
// the default. Less than an hour's wish may be refused with 423, never more
// (RFC 6665 section 4.2.1.1).
const (
	minExpires     = 60
	defaultExpires = 3600
	maxExpires     = 7200
)

// grant turns a SUBSCRIBE's Expires into what it gets; brief tells a wish that
// is too short. What is no number counts as absent, as in a REGISTER.
func grant(value string) (d time.Duration, brief bool) {
	switch v := location.ParseSeconds(value); {
	case v < 0:
		return defaultExpires * time.Second, false
	case v > 0 && v < minExpires:
		return 0, true
	default:
		return time.Duration(min(v, maxExpires)) * time.Second, false
	}
}

// maxEventID bounds the id parameter of Event, which every NOTIFY repeats.
const maxEventID = 128

// parseEvent reads an Event header: the package, and the id (RFC 6665 section
// 8.2.1); ok is false for an id that is none. Other parameters are left aside:
// RFC 4235 section 3.2 has some that narrow a subscription, which a notifier may
// ignore.
func parseEvent(value string) (pkg, id string, ok bool) {
	pkg, rest, _ := strings.Cut(value, ";")
	pkg = strings.Trim(pkg, " \t")
	for p := range strings.SplitSeq(rest, ";") {
		name, v, has := strings.Cut(p, "=")
		if !strings.EqualFold(strings.Trim(name, " \t"), "id") {
			continue
		}
		if id = strings.Trim(v, " \t"); !has || !isToken(id) || len(id) > maxEventID {
			return pkg, "", false
		}
		return pkg, id, true
	}
	return pkg, "", true
}

// isToken is RFC 3261 section 25.1's token.
func isToken(s string) bool {
	for _, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case strings.IndexByte("-.!%*_+`'~", c) >= 0:
		default:
			return false
		}
	}
	return s != ""
}

// accepts tells whether the Accept fields of a SUBSCRIBE allow our documents.
// None at all means the package's default, which they are (RFC 4235 section
// 3.5); an empty one allows nothing (RFC 3261 section 20.1).
func accepts(fields []string) bool {
	if len(fields) == 0 {
		return true
	}
	for _, f := range fields {
		for v := range strings.SplitSeq(f, ",") {
			mime, params, _ := strings.Cut(v, ";")
			switch strings.ToLower(strings.Trim(mime, " \t")) {
			case dialoginfo.ContentType, "application/*", "*/*":
				if !refused(params) {
					return true
				}
			}
		}
	}
	return false
}

// refused tells the parameter q=0.
func refused(params string) bool {
	for p := range strings.SplitSeq(params, ";") {
		name, v, _ := strings.Cut(p, "=")
		if strings.EqualFold(strings.Trim(name, " \t"), "q") {
			q, err := strconv.ParseFloat(strings.Trim(v, " \t"), 64)
			return err == nil && q == 0
		}
	}
	return false
}

// asked is what a SUBSCRIBE wants to see.
type asked struct {
	entity directory.AOR // as written, for the document
	target string        // presence.Subscription's Target
}

// ask reads the Request-URI. The user of a domain that is not the tenant's is
// named with it: that names nobody here, whoever it is elsewhere.
func (n *Notifier) ask(t directory.Tenant, user, host string) (asked, error) {
	aor, err := location.NewAOR(user, host)
	if err != nil || aor.User == "" {
		return asked{}, location.ErrMalformed
	}
	a := asked{entity: directory.AOR{User: user, Domain: host}, target: aor.User}
	if !t.HasDomain(aor.Domain) && !n.own(aor.Domain) {
		a.target = aor.String()
	}
	return a, nil
}

// own tells our own host: an advertised name, or any IP address. Phones that
// were given an address instead of a domain write that.
func (n *Notifier) own(host string) bool {
	if slices.Contains(n.Hosts, host) || host == "localhost" {
		return true
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil
}

// entity reads back an asked entity.
func entity(uri string) directory.AOR {
	rest := strings.TrimPrefix(uri, "sip:")
	i := strings.LastIndexByte(rest, '@')
	if i < 0 {
		return directory.AOR{Domain: rest}
	}
	return directory.AOR{User: rest[:i], Domain: rest[i+1:]}
}
