package store

import (
	"fmt"
	"log/slog"
	"testing"

	"perch/hotdesk/directory"
)

// quietly opens a redis-server of its own for a benchmark.
func quietly(b *testing.B) *Store {
	return open(b, Options{DataDir: b.TempDir(), Log: slog.New(slog.DiscardHandler)})
}

// BenchmarkWriteDirectory writes 10,000 extensions and as many devices, on disk.
func BenchmarkWriteDirectory(b *testing.B) {
	s := quietly(b)
	c := Changes{Tenants: []directory.Tenant{{Code: acme, Domains: []string{"acme.test"}, Realm: "acme.test"}}}
	for n := range 10_000 {
		c.Extensions = append(c.Extensions, directory.Extension{
			ID: directory.ExtensionID{Tenant: acme, Number: fmt.Sprint(100_000 + n)}, Name: "Ada Lovelace", Email: "ada@acme.test",
			PIN: directory.Kept{Value: "hmac:0123456789abcdef0123456789abcdef", From: "0123456789abcdef"},
		})
		c.Devices = append(c.Devices, directory.Device{ID: directory.DeviceID{Tenant: acme, MAC: directory.MAC{2, 0, 0, 0, byte(n >> 8), byte(n)}}, Brand: "snom"})
	}
	b.ReportAllocs()
	for b.Loop() {
		write(b, s, c)
	}
	b.ReportMetric(float64(c.Len()*b.N)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkDeviceByMAC is what each REGISTER and each configuration asks.
func BenchmarkDeviceByMAC(b *testing.B) {
	s := quietly(b)
	write(b, s, small(b, acme, "acme.test", "001565aabb01"))
	m := mac(b, "001565aabb01")
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := s.DeviceByMAC(b.Context(), m); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTenantByDomain is answered from the copy that lives a second.
func BenchmarkTenantByDomain(b *testing.B) {
	s := quietly(b)
	write(b, s, small(b, acme, "acme.test"))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.TenantByDomain(b.Context(), "acme.test"); err != nil {
			b.Fatal(err)
		}
	}
}
