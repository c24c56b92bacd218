package directory

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func parseNetworks(t *testing.T, keys string) (*File, []Fault) {
	t.Helper()
	return ParseFile("x.yaml", strings.NewReader("tenants:\n  - code: acme\n    domains: [acme.test]\n"+keys), ParseOptions{Keeper: newKeeper()})
}

func TestNetworksAndDecoys(t *testing.T) {
	f, faults := parseNetworks(t, "    networks: [192.0.2.7/24, 198.51.100.1, \"2001:db8::1/32\", \"::ffff:192.0.2.1\"]\n    decoys: [00:15:65:de:c0:de, 001565DEC0DF]\n")
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	tenant := f.Tenants[0]
	if diff := cmp.Diff([]string{"192.0.2.0/24", "198.51.100.1/32", "2001:db8::/32", "192.0.2.1/32"}, texts(tenant.Networks)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"001565dec0de", "001565dec0df"}, texts(tenant.Decoys)); diff != "" {
		t.Error(diff)
	}
	again, faults := ParseFile("again.yaml", strings.NewReader("tenants:\n"+tenantText(&tenant)), ParseOptions{Keeper: newKeeper()})
	if len(faults) > 0 || len(again.Tenants) != 1 {
		t.Fatalf("an export is not read back: %v\n%s", faults, tenantText(&tenant))
	}
	if diff := cmp.Diff(texts(tenant.Networks), texts(again.Tenants[0].Networks)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(tenant.Decoys, again.Tenants[0].Decoys); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{
		"    networks: [everywhere]\n", "    networks: [192.0.2.0/33]\n", "    networks: 5\n", "    decoys: [phone]\n", "    decoys: [\"000000000000\"]\n",
		"    decoys: [001565dec0de, 001565dec0de]\n", "    decoys: [\"001565aabb01\"]\n    devices: [{mac: \"001565aabb01\"}]\n",
	} {
		if _, faults := parseNetworks(t, bad); len(faults) == 0 {
			t.Errorf("no fault in %q", bad)
		}
	}
}
