package e2e

import (
	"fmt"
	"strings"
	"testing"

	"perch/hotdesk/directory"
	"perch/internal/sim"
)

// TestEveryBrandLogsIn: one phone of each brand in one office. Somebody logs in
// at each by the code, has their number and their lamps, and leaves.
func TestEveryBrandLogsIn(t *testing.T) {
	t.Parallel()
	brands := sim.Brands()
	o := openWith(t, mixedOffice(brands))
	for i, b := range brands {
		t.Run(string(b), func(t *testing.T) {
			t.Parallel()
			number := fmt.Sprint(2000 + i)
			within := *o
			within.t = t
			d := within.phone(b, mixedMAC(i).String())
			d.is(d.MAC())
			d.hears(true, d.dial("*11*"+number+"*4321"))
			d.is(number)
			if s := d.State(); len(s.Lamps) != 2 || !s.AllLit() {
				t.Errorf("the sidecar is %+v", s.Lamps)
			}
			tr := within.ready(d.MAC(), number)
			if tr.ID == "" {
				t.Error("no trace")
			}
			d.hears(true, d.dial("*12"))
			d.is(d.MAC())
			within.ready(d.MAC(), "")
		})
	}
}

// mixedMAC is the address of the phone of brand i.
func mixedMAC(i int) directory.MAC { return directory.MAC{0x02, 0, 0, 0, 0x77, byte(i)} }

// mixedOffice has a desk and a person for each brand; each watches the next two.
func mixedOffice(brands []sim.Brand) string {
	var b strings.Builder
	b.WriteString("tenants:\n  - code: acme\n    domains: [mixed.test]\n    extensions:\n")
	for i := range brands {
		fmt.Fprintf(&b, "      - {number: %q, name: \"Person & <%d>\", pin: \"4321\", keys: [{type: blf, value: %q}, {type: blf, value: %q}]}\n",
			fmt.Sprint(2000+i), i, fmt.Sprint(2000+(i+1)%len(brands)), fmt.Sprint(2000+(i+2)%len(brands)))
	}
	b.WriteString("    devices:\n")
	for i, brand := range brands {
		mac := mixedMAC(i).String()
		fmt.Fprintf(&b, "      - {mac: %q, brand: %s, desk: Desk %d, secret: %s}\n", mac, brand, i, secretOf(mac).Reveal())
	}
	return b.String()
}
