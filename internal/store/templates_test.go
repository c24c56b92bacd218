package store

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"perch/hotdesk/directory"
)

// Templates and variables go through the store, and through the scripts that
// read a tenant, as they are.
func TestTemplatesAreKept(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		c := small(t, "acme", "acme.test", "001565aabb01")
		c.Tenants[0].Variables = map[string]string{"logo": "http://acme.test/\u2028\"x\\"}
		c.Tenants[0].DefaultTemplates = map[string]string{"yealink": "senior"}
		c.Tenants[0].Sites = []directory.Site{{Code: "hq", Variables: map[string]string{"logo": ""}}}
		c.Tenants[0].Templates = []directory.Template{
			{Name: "senior", Brand: "yealink", Model: "T4*", File: "device.cfg", Block: "extra", Text: "a = {{.Vars.logo}}\n\tb = \"é漢😀\"\n"},
			{Site: "hq", Extension: "1001", Device: "001565aabb01", Block: "keys"},
			{Brand: "snom", File: "settings.xml", Text: strings.Repeat("x", 32<<10), Variables: map[string]string{"n": "1"}},
		}
		c.Extensions[0].Variables = map[string]string{"ring": "5"}
		c.Extensions[0].Keys = []directory.Key{{Type: "blf", Value: "1002", Priority: 9}}
		c.Devices[0].Variables = map[string]string{"ring": "6"}
		off := false
		c.Devices[0].Policy.LoginKey = &off
		write(t, s, c)
		write(t, s, c) // the second reads the first

		tenant, err := s.Tenant(t.Context(), "acme")
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.Tenants[0], tenant); d != "" {
			t.Errorf("tenant (-written +read):\n%s", d)
		}
		extension, err := s.Extension(t.Context(), c.Extensions[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.Extensions[0], extension); d != "" {
			t.Errorf("extension (-written +read):\n%s", d)
		}
		device, err := s.Device(t.Context(), c.Devices[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.Devices[0], device); d != "" {
			t.Errorf("device (-written +read):\n%s", d)
		}
	})
}
