package feature_test

import (
	"context"
	"log/slog"
	"net/netip"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/sip/auth"
	"perch/sip/digest"
)

const accountPassword = "a-made-up-password"

// registry is what authentication asks for: one tenant with one device.
type registry struct{}

func (registry) Tenant(context.Context, directory.TenantCode) (directory.Tenant, error) {
	return tenant, nil
}

func (registry) TenantByDomain(_ context.Context, domain string) (directory.Tenant, error) {
	if !tenant.HasDomain(domain) {
		return directory.Tenant{}, hotdesk.ErrNotFound
	}
	return tenant, nil
}

func (registry) OnlyTenant(context.Context) (directory.Tenant, error) { return tenant, nil }

func (registry) DeviceByMAC(_ context.Context, mac directory.MAC) (directory.Device, hotdesk.Seats, error) {
	if mac != desk.MAC {
		return directory.Device{}, hotdesk.Seats{}, hotdesk.ErrNotFound
	}
	return directory.Device{ID: desk}, hotdesk.Seats{}, nil
}

func (registry) Extension(context.Context, directory.ExtensionID) (directory.Extension, error) {
	return directory.Extension{}, hotdesk.ErrNotFound
}

func (registry) SIPPassword(directory.TenantCode, directory.AOR, directory.MAC, directory.SessionID) directory.Secret {
	return "another"
}

func (registry) AccountPassword(directory.Device, directory.AOR) (directory.Secret, error) {
	return accountPassword, nil
}

func (registry) StaticPassword(directory.Extension) (directory.Secret, bool, error) {
	return "", false, nil
}

func (registry) ArmReload(context.Context, directory.DeviceID, time.Time) error { return nil }

// TestSIPp lets an agent with another stack than ours dial, with the real
// authentication in front of the calls.
func TestSIPp(t *testing.T) {
	t.Parallel()
	scenario, err := filepath.Abs("testdata/dial.xml")
	if err != nil {
		t.Fatal(err)
	}
	for _, transport := range []string{"u1", "t1"} {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, func(o *office) {
				o.auth = auth.New(auth.Options{
					Tenants: registry{}, Directory: registry{}, Secrets: registry{}, Reloads: registry{},
					Nonces: digest.NewNonces([]byte("key"), "n1", "b1", time.Minute, time.Now), Window: digest.NewWindow(100),
					Log: slog.New(slog.DiscardHandler), Now: time.Now, Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
				})
			})
			at := o.at
			if transport == "t1" {
				at = o.tcp
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			cmd := exec.CommandContext(ctx, "sipp", at.String(), "-sf", scenario, "-t", transport, "-m", "1", "-l", "1",
				"-i", "127.0.0.1", "-s", "*11*1001*4321%23", "-au", desk.MAC.String(), "-ap", accountPassword,
				"-nostdin", "-trace_err", "-timeout", "15")
			cmd.Dir = t.TempDir()
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("sipp: %v\n%s\n%s", err, out, o.log)
			}
			if diff := cmp.Diff([]string{"start", "login", "logged in", "end"}, o.await("end")); diff != "" {
				t.Error(diff)
			}
		})
	}
}
