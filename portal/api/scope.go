package api

import (
	"context"
	"errors"
	"slices"

	"golang.org/x/sync/errgroup"

	"perch/hotdesk"
	"perch/hotdesk/directory"
)

// scope gives the tenants a list is about: the one named, or all.
func (s *server) scope(ctx context.Context, code string) ([]directory.TenantCode, error) {
	codes, err := s.Store.TenantCodes(ctx)
	if err != nil {
		return nil, err
	}
	slices.Sort(codes)
	if code == "" {
		return codes, nil
	}
	if !slices.Contains(codes, directory.TenantCode(code)) {
		return nil, noTenant()
	}
	return []directory.TenantCode{directory.TenantCode(code)}, nil
}

func noTenant() error {
	return notFound("no_such_tenant", "No such tenant", "There is no tenant of that code: check it, or load it with perch apply.")
}

func noDevice() error {
	return notFound(string(hotdesk.UnknownDevice), "No such device", "There is no device with that MAC address: check it, or load it with perch apply.")
}

// tenantFor is the tenant of a change: the one named, else that of the device,
// else the only one.
func (s *server) tenantFor(ctx context.Context, code string, mac directory.MAC) (directory.TenantCode, error) {
	if code == "" && !mac.IsZero() {
		id, err := s.deviceID(ctx, mac)
		return id.Tenant, err
	}
	codes, err := s.scope(ctx, code)
	if err != nil {
		return "", err
	}
	if len(codes) != 1 {
		return "", badRequest("Name the tenant: there is not exactly one.")
	}
	return codes[0], nil
}

// deviceID finds whose device a MAC is.
func (s *server) deviceID(ctx context.Context, mac directory.MAC) (directory.DeviceID, error) {
	t, err := s.Store.TenantOfMAC(ctx, mac)
	if errors.Is(err, hotdesk.ErrNotFound) {
		return directory.DeviceID{}, noDevice()
	}
	return directory.DeviceID{Tenant: t, MAC: mac}, err
}

// parseMAC reads a MAC address that may be left out.
func parseMAC(text string) (directory.MAC, error) {
	if text == "" {
		return directory.MAC{}, nil
	}
	mac, err := directory.ParseMAC(text)
	if err != nil {
		return mac, badRequest("mac: " + err.Error() + ".")
	}
	return mac, nil
}

// readers bounds the reads that one list makes side by side.
const readers = 16

// each calls f for 0 to n-1, some side by side, until all are done or one
// failed.
func each(ctx context.Context, n int, f func(ctx context.Context, i int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(readers)
	for i := range n {
		g.Go(func() error { return f(ctx, i) })
	}
	return g.Wait()
}

// text is a value for an answer, null when there is none.
func text[T ~string](v T) *string {
	if v == "" {
		return nil
	}
	t := string(v)
	return &t
}
