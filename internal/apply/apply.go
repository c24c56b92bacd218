// Package apply brings a directory file into the store and writes the store
// out as one. It reads and checks everything before it changes anything, and
// the same file again changes nothing. It knows no HTTP and no Redis.
package apply

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"perch/hotdesk/directory"
)

// Store is the directory as it is kept. Write tells progress how many of the
// changes are done.
type Store interface {
	Tenants(ctx context.Context) ([]directory.Tenant, error)
	EachExtension(ctx context.Context, t directory.TenantCode, f func(directory.Extension) error) error
	EachDevice(ctx context.Context, t directory.TenantCode, f func(directory.Device) error) error
	EachDesk(ctx context.Context, t directory.TenantCode, f func(directory.Desk) error) error
	Device(ctx context.Context, id directory.DeviceID) (directory.Device, error)
	Write(ctx context.Context, c directory.Changes, progress func(done int)) error
}

// Request is one file to bring in.
type Request struct {
	Name     string // of the file, for messages
	File     io.Reader
	DryRun   bool // only say what would change
	Prune    bool // delete what the file does not name
	NewRealm bool // a tenant's realm may change
}

// Report is what an apply did, or would do.
type Report struct {
	DryRun   bool              `json:"dry_run,omitempty"`
	Counts   directory.Counts  `json:"counts"`
	Lines    []string          `json:"lines,omitempty"` // the diff, at most MaxLines of it
	More     int               `json:"more,omitempty"`  // lines beyond that
	Warnings []directory.Fault `json:"warnings,omitempty"`
}

// MaxLines bounds the diff in a Report.
const MaxLines = 1000

// Faulty is the error of a file that was not applied because of what it says.
type Faulty struct{ Faults []directory.Fault }

// Error tells the first fault and how many there are.
func (f *Faulty) Error() string {
	if len(f.Faults) == 1 {
		return f.Faults[0].String()
	}
	return fmt.Sprintf("%s (and %d more)", f.Faults[0], len(f.Faults)-1)
}

// Progress is told how far an apply is. Phase is "read", "compare" or "write".
type Progress func(phase string, done, total int)

// Applier applies one file at a time.
type Applier struct {
	store  Store
	keeper directory.Keeper
	secret func() directory.Secret
	brands []string
	check  directory.CheckTemplate
	one    sync.Mutex
}

// CheckingTemplates lets the Applier refuse templates that do not work; call it
// before the first Apply.
func (a *Applier) CheckingTemplates(check directory.CheckTemplate) *Applier {
	a.check = check
	return a
}

// New builds an Applier. Secret makes HTTP passwords for devices that have
// none; brands are those with templates.
func New(s Store, k directory.Keeper, secret func() directory.Secret, brands []string) *Applier {
	return &Applier{store: s, keeper: k, secret: secret, brands: brands}
}

// Apply brings a file in. The error is a *Faulty when the file is at fault;
// then nothing has changed.
func (a *Applier) Apply(ctx context.Context, r Request, progress Progress) (Report, error) {
	if progress == nil {
		progress = func(string, int, int) {}
	}
	a.one.Lock()
	defer a.one.Unlock()
	progress("read", 0, 0)
	file, faults := directory.ParseFile(r.Name, r.File, directory.ParseOptions{Keeper: a.keeper, Brands: a.brands, Template: a.check})
	if len(faults) > 0 {
		return Report{}, &Faulty{faults}
	}
	progress("compare", 0, 0)
	stored, err := a.read(ctx)
	if err != nil {
		return Report{}, err
	}
	merged, faults := file.Merge(stored, directory.MergeOptions{
		Keeper: a.keeper, NewSecret: a.secret, NewRealm: r.NewRealm, Prune: r.Prune,
	})
	if len(faults) > 0 {
		return Report{}, &Faulty{faults}
	}
	changes := directory.Diff(stored, merged, r.Prune)
	report := Report{DryRun: r.DryRun, Counts: changes.Counts(), Warnings: file.Warnings}
	report.Lines, report.More = clip(changes.Lines())
	if r.DryRun || changes.Empty() {
		return report, nil
	}
	total := len(changes.Tenants) + len(changes.Extensions) + len(changes.Devices) + len(changes.Desks)
	progress("write", 0, total)
	if err := a.store.Write(ctx, changes, func(done int) { progress("write", done, total) }); err != nil {
		return Report{}, named(r.Name, err)
	}
	return report, nil
}

// named gives an error the name of the file.
func named(name string, err error) error {
	var faulty *Faulty
	if !errors.As(err, &faulty) {
		return fmt.Errorf("apply: %s: %w", name, err)
	}
	for i := range faulty.Faults {
		faulty.Faults[i].File = name
	}
	return faulty
}

func clip(lines []string) ([]string, int) {
	if len(lines) <= MaxLines {
		return lines, 0
	}
	return lines[:MaxLines], len(lines) - MaxLines
}

// Export writes the whole directory as a file that Apply accepts: hashes and
// sealed values, no secret in clear.
func (a *Applier) Export(ctx context.Context, w io.Writer) error {
	state, err := a.read(ctx)
	if err != nil {
		return err
	}
	if err := directory.WriteFile(w, state); err != nil {
		return fmt.Errorf("apply: export: %w", err)
	}
	return nil
}

func (a *Applier) read(ctx context.Context) (directory.State, error) {
	var s directory.State
	tenants, err := a.store.Tenants(ctx)
	if err != nil {
		return s, fmt.Errorf("apply: %w", err)
	}
	s.Tenants = tenants
	for _, t := range tenants {
		err := a.store.EachExtension(ctx, t.Code, func(e directory.Extension) error {
			s.Extensions = append(s.Extensions, e)
			return nil
		})
		if err != nil {
			return s, fmt.Errorf("apply: %w", err)
		}
		err = a.store.EachDevice(ctx, t.Code, func(d directory.Device) error {
			s.Devices = append(s.Devices, d)
			return nil
		})
		if err == nil {
			err = a.store.EachDesk(ctx, t.Code, func(d directory.Desk) error {
				s.Desks = append(s.Desks, d)
				return nil
			})
		}
		if err != nil {
			return s, fmt.Errorf("apply: %w", err)
		}
	}
	return s, nil
}
