package main

import (
	"fmt"
	"os"
	"strings"

	"perch/hotdesk/directory"
	"perch/internal/sim"
)

// The office that is measured: person i at desk i, in one tenant.
const (
	tenant       = "bench"
	domain       = "bench.test"
	sipPassword  = "bench-sip-password"
	firstNumber  = 100_000
	pin          = "4829"
	keysOfPerson = 2
)

// desk is one phone of the office.
type desk struct {
	mac   directory.MAC
	brand sim.Brand
}

func deskOf(i int) desk {
	d := desk{directory.MAC{0x00, 0x15, 0x65, byte(i >> 16), byte(i >> 8), byte(i)}, sim.Yealink}
	if i%2 == 1 {
		d.mac[1], d.mac[2], d.brand = 0x04, 0x13, sim.Snom
	}
	return d
}

func (d desk) secret() directory.Secret { return directory.Secret("dev-" + d.mac.String()) }

func numberOf(i int) string { return fmt.Sprint(firstNumber + i) }

// writeOffice writes a directory file of so many people and desks. Each person
// watches the next two.
func writeOffice(path string, people, desks int) error {
	var b strings.Builder
	fmt.Fprintf(&b, "tenants:\n  - code: %s\n    domains: [%s]\n    extensions:\n", tenant, domain)
	for i := range people {
		fmt.Fprintf(&b, "      - {number: %q, name: Person %d, pin: %q, sip_password: %s, keys: [", numberOf(i), i, pin, sipPassword)
		for k := range min(keysOfPerson, people-1) {
			fmt.Fprintf(&b, "{type: blf, value: %q, label: K%d}, ", numberOf((i+k+1)%people), k)
		}
		b.WriteString("]}\n")
	}
	b.WriteString("    devices:\n")
	for i := range desks {
		d := deskOf(i)
		model := "T46U"
		if d.brand == sim.Snom {
			model = "D785"
		}
		fmt.Fprintf(&b, "      - {mac: %q, brand: %s, model: %s, desk: Desk %d, secret: %s}\n", d.mac, d.brand, model, i, d.secret().Reveal())
	}
	return os.WriteFile(path, []byte(b.String()), 0o600)
}
