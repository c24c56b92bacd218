package resolve

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"github.com/miekg/dns"
)

// maxServers is how many name servers are asked, as in resolv.conf(5).
const maxServers = 3

// ReadServers reads the name servers of a resolv.conf. Without any it is the
// one on this machine, as for every other program.
func ReadServers(r io.Reader) ([]netip.AddrPort, error) {
	c, err := dns.ClientConfigFromReader(io.LimitReader(r, 64<<10))
	if err != nil {
		return nil, fmt.Errorf("resolve: resolv.conf: %w", err)
	}
	var out []netip.AddrPort
	for _, s := range c.Servers {
		if a, err := netip.ParseAddr(s); err == nil && len(out) < maxServers {
			out = append(out, netip.AddrPortFrom(a, 53))
		}
	}
	if len(out) == 0 {
		out = append(out, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 53))
	}
	return out, nil
}

// maxHosts bounds the names of a hosts file.
const maxHosts = 10_000

// ReadHosts reads a hosts(5) file. localhost is always this machine (RFC 6761
// section 6.3). Lines that cannot be read are passed over.
func ReadHosts(r io.Reader) map[string][]netip.Addr {
	hosts := map[string][]netip.Addr{}
	lines := bufio.NewScanner(io.LimitReader(r, 1<<20))
	for lines.Scan() && len(hosts) < maxHosts {
		text, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(text)
		if len(words) < 2 {
			continue
		}
		addr, err := netip.ParseAddr(words[0])
		if err != nil || addr.Zone() != "" {
			continue
		}
		for _, w := range words[1:] {
			if name, err := canonicalName(w); err == nil && len(hosts[name]) < maxAddrs {
				hosts[name] = append(hosts[name], addr.Unmap())
			}
		}
	}
	if len(hosts["localhost"]) == 0 {
		hosts["localhost"] = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}
	}
	return hosts
}
