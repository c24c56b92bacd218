package directory

import "net/netip"

// networks reads from where a tenant's phones may fetch their files.
func (p *parser) networks(f field) []netip.Prefix {
	var out []netip.Prefix
	p.list(f, maxList, func(g field) {
		text := p.prefix(g)
		if addr, err := netip.ParseAddr(text); err == nil {
			addr = addr.Unmap()
			out = append(out, netip.PrefixFrom(addr, addr.BitLen()))
		} else if net, err := netip.ParsePrefix(text); err == nil {
			out = append(out, net.Masked())
		}
	})
	return out
}

// maxDecoys bounds the MACs that a tenant lays out: each node keeps all of them.
const maxDecoys = 1000

// decoys reads MACs that no phone has. A device cannot be one.
func (p *parser) decoys(f field) []MAC {
	var out []MAC
	p.list(f, maxDecoys, func(g field) {
		if m := p.mac(g); !m.IsZero() {
			out = append(out, m)
		}
	})
	return out
}
