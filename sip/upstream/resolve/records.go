package resolve

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"perch/sip/location"
)

// canonicalName reads a host name as records and URIs have it: lower case, no
// dot at the end, nothing but what a host name is made of.
func canonicalName(s string) (string, error) {
	name, err := location.CanonicalHost(s)
	if err != nil || strings.HasPrefix(name, "[") {
		return "", fmt.Errorf("%w: host name", ErrURI)
	}
	return name, nil
}

// sortedNAPTR gives the records that name an SRV service in the order of RFC
// 3403 section 4.1.
func sortedNAPTR(rrs []dns.RR) []*dns.NAPTR {
	var out []*dns.NAPTR
	for _, rr := range rrs {
		if n, ok := rr.(*dns.NAPTR); ok && strings.EqualFold(n.Flags, "s") && len(out) < maxNAPTR {
			out = append(out, n)
		}
	}
	slices.SortStableFunc(out, func(a, b *dns.NAPTR) int {
		return cmp.Or(cmp.Compare(a.Order, b.Order), cmp.Compare(a.Preference, b.Preference))
	})
	return out
}

// naptrTransport reads a service field (RFC 3263 section 4.1).
func naptrTransport(service string) (string, bool) {
	switch strings.ToUpper(service) {
	case "SIP+D2U":
		return "udp", true
	case "SIP+D2T":
		return "tcp", true
	case "SIPS+D2T":
		return "tls", true
	}
	return "", false
}

// ordered sorts SRV records by priority and draws the order within one by
// weight (RFC 2782, "Usage rules").
func (r *Resolver) ordered(rrs []dns.RR) []*dns.SRV {
	var all []*dns.SRV
	for _, rr := range rrs {
		if s, ok := rr.(*dns.SRV); ok && len(all) < maxSRV {
			all = append(all, s)
		}
	}
	slices.SortStableFunc(all, func(a, b *dns.SRV) int { return cmp.Compare(a.Priority, b.Priority) })
	for from := 0; from < len(all); {
		to := from
		for to < len(all) && all[to].Priority == all[from].Priority {
			to++
		}
		r.draw(all[from:to])
		from = to
	}
	return all
}

// draw orders records of one priority: each place goes to one of the rest, in
// proportion to their weights. Those of weight zero stand first among the rest,
// which gives them a small chance.
func (r *Resolver) draw(rest []*dns.SRV) {
	slices.SortStableFunc(rest, func(a, b *dns.SRV) int { return cmp.Compare(min(a.Weight, 1), min(b.Weight, 1)) })
	for ; len(rest) > 1; rest = rest[1:] {
		sum := 0
		for _, s := range rest {
			sum += int(s.Weight)
		}
		at, chosen := r.o.Random(sum+1), 0
		for i, running := 0, 0; i < len(rest); i++ {
			if running += int(rest[i].Weight); running >= at {
				chosen = i
				break
			}
		}
		s := rest[chosen]
		copy(rest[1:chosen+1], rest[:chosen])
		rest[0] = s
	}
}

// addressOf reads an A or AAAA record. What no PBX can have is none: a name
// server could otherwise lead requests to everybody on this network.
func addressOf(rr dns.RR) (netip.Addr, bool) {
	var a netip.Addr
	var ok bool
	switch rr := rr.(type) {
	case *dns.A:
		a, ok = netip.AddrFromSlice(rr.A.To4())
	case *dns.AAAA:
		a, ok = netip.AddrFromSlice(rr.AAAA.To16())
	}
	a = a.Unmap()
	if !ok || a.IsUnspecified() || a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return netip.Addr{}, false
	}
	return a, true
}
