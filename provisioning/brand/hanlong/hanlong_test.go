package hanlong

import (
	"testing"

	"perch/provisioning/brand"
)

func TestPlaces(t *testing.T) {
	for _, c := range []struct {
		got, want place
	}{
		{linePlace(1), place{41200, 20600, 41300, 41400, 41500}},
		{linePlace(4), place{41203, 20603, 41303, 41403, 41503}},
		{linePlace(5), place{20200, 20604, 20201, 20202, 20203}},
		{linePlace(12), place{20235, 20611, 20236, 20237, 20238}},
		{linePlace(37), place{23000, 0, 23001, 23002, 23003}},
		{modulePlace(1, 1), place{60000, 0, 60001, 60002, 60003}},
		{modulePlace(1, 21), place{60100, 0, 60101, 60102, 60103}},
		{modulePlace(6, 40), place{65195, 0, 65196, 65197, 65198}},
	} {
		if c.got != c.want {
			t.Errorf("got %+v, want %+v", c.got, c.want)
		}
	}
}

// No two settings share a number.
func TestNumbersAreDistinct(t *testing.T) {
	seen := map[int]string{}
	add := func(what string, numbers ...int) {
		for _, n := range numbers {
			if seen[n] != "" {
				t.Errorf("P%d is of %s and %s", n, seen[n], what)
			}
			seen[n] = what
		}
	}
	for n := 1; n <= 36; n++ {
		p := linePlace(n)
		add("a line key", p.Type, p.Mode, p.Value, p.Label, p.Account)
	}
	for m := 1; m <= Modules; m++ {
		for n := 1; n <= PerModule; n++ {
			p := modulePlace(m, n)
			add("a module", p.Type, p.Value, p.Label, p.Account)
		}
	}
}

func TestZone(t *testing.T) {
	zones := brand.NewZones()
	for name, want := range map[string]zone{
		"Europe/Berlin": {true, 49, 2}, "Asia/Kolkata": {true, 84, 0}, "UTC": {true, 33, 0},
		"Asia/Kathmandu": {}, "Europe/Atlantis": {},
	} {
		if got := zoneFor(zones, name); got != want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestFile(t *testing.T) {
	for name, want := range map[string]brand.FileKind{
		"cfg001fc11c22a9.xml": brand.Device, "CFG001FC11C22A9.XML": brand.Device, "/t/x/cfg001fc11c22a9.xml": brand.Device,
		"cfg001fc11c22a9": brand.Unknown, "cfg0010.xml": brand.Common, "cfg000000000000.xml": brand.Unknown, "cfg.xml": brand.Unknown,
		"001fc11c22a9.xml": brand.Unknown, "": brand.Unknown,
	} {
		if got := File(name).Kind; got != want {
			t.Errorf("File(%q) = %d, want %d", name, got, want)
		}
	}
}

func TestServer(t *testing.T) {
	for url, want := range map[string]server{
		"http://192.0.2.5:8080/acme/": {1, "http://192.0.2.5:8080/acme"}, "HTTPS://p.example/t/x/": {3, "HTTPS://p.example/t/x"}, "": {1, ""},
	} {
		if got := serverOf(url); got != want {
			t.Errorf("%s: %+v", url, got)
		}
	}
}
