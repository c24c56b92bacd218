package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"perch/hotdesk"
	"perch/hotdesk/audit"
	"perch/hotdesk/directory"
	"perch/internal/apply"
	"perch/internal/store"
)

// tenants gives the store the one question that only the whole installation
// can answer.
type tenants struct{ *store.Store }

// OnlyTenant implements auth.Tenants.
func (t tenants) OnlyTenant(ctx context.Context) (directory.Tenant, error) {
	codes, err := t.TenantCodes(ctx)
	if err != nil {
		return directory.Tenant{}, err
	}
	if len(codes) != 1 {
		return directory.Tenant{}, fmt.Errorf("app: %d tenants: %w", len(codes), hotdesk.ErrNotFound)
	}
	return t.Tenant(ctx, codes[0])
}

// kept is the directory for an Applier: its changes in the store's words.
type kept struct{ *store.Store }

var _ apply.Store = kept{}

// Write implements apply.Store.
func (k kept) Write(ctx context.Context, c directory.Changes, progress func(done int)) error {
	var out store.Changes
	for _, t := range c.Tenants {
		if t.New != nil {
			out.Tenants = append(out.Tenants, *t.New)
		} else {
			out.DropTenants = append(out.DropTenants, t.Old.Code)
		}
	}
	for _, e := range c.Extensions {
		if e.New != nil {
			out.Extensions = append(out.Extensions, *e.New)
		} else {
			out.DropExtensions = append(out.DropExtensions, e.Old.ID)
		}
	}
	for _, d := range c.Devices {
		if d.New != nil {
			out.Devices = append(out.Devices, *d.New)
		} else {
			out.DropDevices = append(out.DropDevices, d.Old.ID)
		}
	}
	for _, d := range c.Desks {
		if d.New != nil {
			out.Desks = append(out.Desks, *d.New)
		} else {
			out.DropDesks = append(out.DropDesks, d.Old.ID)
		}
	}
	err := k.WriteDirectory(ctx, out, progress)
	if faults := conflicts(err); len(faults) > 0 {
		return &apply.Faulty{Faults: faults}
	}
	return err
}

// conflicts are the phones and domains that another tenant has taken since the
// file was compared: faults of the file, not of the store.
func conflicts(err error) (faults []directory.Fault) {
	switch e := err.(type) {
	case *store.Conflict:
		return []directory.Fault{{Message: e.Error()}}
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			faults = append(faults, conflicts(one)...)
		}
	case interface{ Unwrap() error }:
		return conflicts(e.Unwrap())
	}
	return faults
}

// applied remembers which files were applied in which version.
type applied interface {
	Applied(ctx context.Context) (map[string]string, error)
	SetApplied(ctx context.Context, file, digest string) error
}

// applyFiles brings in the files of the configuration, each only when it has
// changed since it was last applied, so that a restart undoes nothing.
func applyFiles(ctx context.Context, files []string, a *apply.Applier, s applied, log *slog.Logger) error {
	if len(files) == 0 {
		return nil
	}
	known, err := s.Applied(ctx)
	if err != nil {
		return err
	}
	for _, name := range files {
		path, err := filepath.Abs(name)
		if err != nil {
			return fmt.Errorf("apply %s: %w", name, err)
		}
		digest, err := digestOf(path)
		if err != nil {
			return fmt.Errorf("apply: %w", err)
		}
		if known[path] == digest {
			log.InfoContext(ctx, "directory file unchanged since last applied", "file", name)
			continue
		}
		if err := applyFile(ctx, name, a, log); err != nil {
			return err
		}
		if err := s.SetApplied(ctx, path, digest); err != nil {
			return err
		}
	}
	return nil
}

func applyFile(ctx context.Context, name string, a *apply.Applier, log *slog.Logger) error {
	text, err := readFile(name)
	if err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	ctx = audit.With(ctx, audit.Actor{By: "config", Detail: "apply " + filepath.Base(name)})
	report, err := a.Apply(ctx, apply.Request{Name: name, File: bytes.NewReader(text)}, nil)
	if err != nil {
		return err
	}
	for _, w := range report.Warnings {
		log.WarnContext(ctx, "directory file", "warning", w.String())
	}
	log.InfoContext(ctx, "directory file applied", "file", name, "changes", len(report.Lines)+report.More)
	return nil
}

func digestOf(path string) (string, error) {
	text, err := readFile(path)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// readFile reads a directory file with the calendars it names.
func readFile(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return apply.Inlined(path, text)
}
