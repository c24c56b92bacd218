package main

import (
	"fmt"
	"os"
	"strings"

	"perch/hotdesk/directory"
	"perch/internal/sim"
)

// mixedDesk is desk i of an office where every brand stands in turn.
func mixedDesk(i int) desk {
	all := sim.Brands()
	b := i % len(all)
	return desk{directory.MAC{0x02, 0x00, byte(b), byte(i >> 16), byte(i >> 8), byte(i)}, all[b]}
}

// writeMixed writes a directory file of so many people and desks of every brand;
// each person has so many keys.
func writeMixed(path string, n, keys int) error {
	var b strings.Builder
	fmt.Fprintf(&b, "tenants:\n  - code: %s\n    domains: [%s]\n    extensions:\n", tenant, domain)
	for i := range n {
		fmt.Fprintf(&b, "      - {number: %q, name: Person %d, pin: %q, keys: [", numberOf(i), i, pin)
		for k := range min(keys, n-1) {
			fmt.Fprintf(&b, "{type: blf, value: %q, label: K%d}, ", numberOf((i+k+1)%n), k)
		}
		b.WriteString("]}\n")
	}
	b.WriteString("    devices:\n")
	for i := range n {
		d := mixedDesk(i)
		fmt.Fprintf(&b, "      - {mac: %q, brand: %s, desk: Desk %d, secret: %s}\n", d.mac, d.brand, i, d.secret().Reveal())
	}
	return os.WriteFile(path, []byte(b.String()), 0o600)
}
