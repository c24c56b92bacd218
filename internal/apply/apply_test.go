package apply

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/internal/credential"
)

// shelf keeps a directory in memory, as the store would.
type shelf struct {
	state  directory.State
	writes int
	err    error
}

func (s *shelf) Tenants(context.Context) ([]directory.Tenant, error) { return s.state.Tenants, s.err }

func (s *shelf) EachExtension(_ context.Context, t directory.TenantCode, f func(directory.Extension) error) error {
	for _, e := range s.state.Extensions {
		if e.ID.Tenant == t {
			if err := f(e); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *shelf) EachDevice(_ context.Context, t directory.TenantCode, f func(directory.Device) error) error {
	for _, d := range s.state.Devices {
		if d.ID.Tenant == t {
			if err := f(d); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *shelf) EachDesk(_ context.Context, t directory.TenantCode, f func(directory.Desk) error) error {
	for _, d := range s.state.Desks {
		if d.ID.Tenant == t {
			if err := f(d); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *shelf) Device(_ context.Context, id directory.DeviceID) (directory.Device, error) {
	for _, d := range s.state.Devices {
		if d.ID == id {
			return d, nil
		}
	}
	return directory.Device{}, hotdesk.ErrNotFound
}

func (s *shelf) Write(_ context.Context, c directory.Changes, progress func(int)) error {
	if s.err != nil {
		return s.err
	}
	s.writes++
	s.state.Tenants = put(s.state.Tenants, c.Tenants, func(t directory.Tenant) any { return t.Code })
	s.state.Extensions = put(s.state.Extensions, c.Extensions, func(e directory.Extension) any { return e.ID })
	s.state.Devices = put(s.state.Devices, c.Devices, func(d directory.Device) any { return d.ID })
	s.state.Desks = put(s.state.Desks, c.Desks, func(d directory.Desk) any { return d.ID })
	progress(len(c.Tenants) + len(c.Extensions) + len(c.Devices) + len(c.Desks))
	return nil
}

func put[T any](have []T, changes []directory.Change[T], id func(T) any) []T {
	for _, c := range changes {
		if c.Old != nil {
			have = slices.DeleteFunc(have, func(v T) bool { return id(v) == id(*c.Old) })
		}
		if c.New != nil {
			have = append(have, *c.New)
		}
	}
	return have
}

const office = `tenants:
  - code: acme
    domains: [acme.test]
    extensions:
      - {number: "1001", name: Ada, pin: "4321"}
    devices:
      - {mac: "00:15:65:aa:bb:01", brand: yealink, desk: A}
`

func applier(t *testing.T, s *shelf) *Applier {
	t.Helper()
	key, err := credential.FromBytes(make([]byte, credential.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return New(s, key, credential.DeviceSecret, []string{"yealink"})
}

func bring(t *testing.T, a *Applier, r Request, text string) (Report, error) {
	t.Helper()
	r.Name, r.File = "office.yaml", strings.NewReader(text)
	return a.Apply(t.Context(), r, nil)
}

func TestApplyIsIdempotent(t *testing.T) {
	s := &shelf{}
	a := applier(t, s)
	first, err := bring(t, a, Request{}, office)
	if err != nil || first.Counts.Created != 3 {
		t.Fatalf("%+v %v", first, err)
	}
	again, err := bring(t, a, Request{}, office)
	if err != nil || len(again.Lines) != 0 || s.writes != 1 {
		t.Errorf("the same file again: %+v %v, %d writes", again, err, s.writes)
	}
}

func TestExportIsTakenBackWithoutChange(t *testing.T) {
	s := &shelf{}
	a := applier(t, s)
	if _, err := bring(t, a, Request{}, office); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := a.Export(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "4321") {
		t.Error("the export holds a PIN in clear")
	}
	report, err := bring(t, a, Request{}, out.String())
	if err != nil || len(report.Lines) != 0 {
		t.Errorf("%+v %v", report, err)
	}
}

func TestDryRunAndFaultsChangeNothing(t *testing.T) {
	s := &shelf{}
	a := applier(t, s)
	report, err := bring(t, a, Request{DryRun: true}, office)
	if err != nil || !report.DryRun || report.Counts.Created != 3 {
		t.Errorf("%+v %v", report, err)
	}
	var faulty *Faulty
	if _, err = bring(t, a, Request{}, strings.Replace(office, "pin:", "pni:", 1)); !errors.As(err, &faulty) || faulty.Faults[0].Line != 5 {
		t.Errorf("err %v, want a fault in line 5", err)
	}
	if s.writes != 0 {
		t.Errorf("%d writes", s.writes)
	}
}

func TestPruneDeletesWhatTheFileDoesNotName(t *testing.T) {
	s := &shelf{}
	a := applier(t, s)
	if _, err := bring(t, a, Request{}, office); err != nil {
		t.Fatal(err)
	}
	without := strings.Replace(office, `      - {number: "1001", name: Ada, pin: "4321"}`, `      - {number: "1002", pin: "8642"}`, 1)
	if _, err := bring(t, a, Request{Prune: true}, without); err != nil {
		t.Fatal(err)
	}
	if len(s.state.Extensions) != 1 || s.state.Extensions[0].ID.Number != "1002" {
		t.Errorf("extensions %+v", s.state.Extensions)
	}
}

func TestConflictsOfTheStoreAreFaultsOfTheFile(t *testing.T) {
	s := &shelf{}
	a := applier(t, s)
	if _, err := bring(t, a, Request{}, office); err != nil {
		t.Fatal(err)
	}
	taken := &Faulty{Faults: []directory.Fault{{Message: "MAC 001565aabb02 belongs to tenant other"}}}
	progress := 0
	s.err = nil
	conflicting := New(refusing{s, taken}, a.keeper, a.secret, nil)
	_, err := conflicting.Apply(t.Context(), Request{Name: "office.yaml", File: strings.NewReader(strings.Replace(office, "desk: A", "desk: B", 1))},
		func(string, int, int) { progress++ })
	var faulty *Faulty
	if !errors.As(err, &faulty) || faulty.Faults[0].File != "office.yaml" || progress == 0 {
		t.Errorf("err %v after %d calls of progress", err, progress)
	}
}

type refusing struct {
	*shelf
	with error
}

func (r refusing) Write(context.Context, directory.Changes, func(int)) error { return r.with }

func TestAdopt(t *testing.T) {
	mac := directory.MAC{0, 4, 0x13, 0xaa, 0xbb, 2}
	stranger := directory.Device{ID: directory.DeviceID{Tenant: "acme", MAC: mac}, Brand: "snom", Desk: "B"}
	cases := []struct {
		name string
		edit func(*directory.Device)
		err  error
	}{
		{name: "a stranger"},
		{name: "no such tenant", edit: func(d *directory.Device) { d.ID.Tenant = "other" }, err: hotdesk.ErrNotFound},
		{name: "no such site", edit: func(d *directory.Device) { d.Site = "moon" }, err: hotdesk.ErrNotFound},
		{name: "a device of ours", edit: func(d *directory.Device) { d.ID.MAC = directory.MAC{0, 0x15, 0x65, 0xaa, 0xbb, 1} }, err: ErrExists},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := &shelf{}
			a := applier(t, s)
			if _, err := bring(t, a, Request{}, office); err != nil {
				t.Fatal(err)
			}
			d := stranger
			if c.edit != nil {
				c.edit(&d)
			}
			secret, err := a.Adopt(t.Context(), d)
			if !errors.Is(err, c.err) || (c.err == nil) != (secret != "") {
				t.Fatalf("%v, secret %q", err, secret.Reveal())
			}
			if c.err != nil {
				return
			}
			kept, err := s.Device(t.Context(), d.ID)
			if err != nil || kept.Desk != "B" {
				t.Fatalf("%+v %v", kept, err)
			}
			if got, err := a.keeper.Open(d.ID.SecretContext("secret"), kept.Secret.Value); err != nil || got != secret {
				t.Errorf("kept %q %v, told %q", got.Reveal(), err, secret.Reveal())
			}
		})
	}
}
