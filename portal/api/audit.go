package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"perch/hotdesk"
	"perch/hotdesk/audit"
	"perch/hotdesk/directory"
)

// Audit reads the record of what was done, and forgets people.
type Audit interface {
	// AuditBack goes from the newest record, or from about a time on, to the oldest
	// until f says no.
	AuditBack(ctx context.Context, t directory.TenantCode, before time.Time, f func(audit.Record) bool) error
	Erase(ctx context.Context, e directory.ExtensionID, by string, door hotdesk.Door, now time.Time) (audit.Erased, error)
}

// AuditRecord is one line of the audit.
type AuditRecord struct {
	ID        string     `json:"id" doc:"Of the record: later ones are greater"`
	At        time.Time  `json:"at"`
	Tenant    string     `json:"tenant"`
	Act       string     `json:"act" doc:"login, logout, refused, pin, lockout, lift, reload, directory, admin, emergency, alarm, erase"`
	Extension *string    `json:"extension" doc:"Whose; null where it is nobody's, or was not an extension's; a pseudonym once that person was erased"`
	Desk      *string    `json:"desk" doc:"Label at that time"`
	Site      *string    `json:"site"`
	MAC       *string    `json:"mac"`
	Line      *int       `json:"line"`
	Door      *string    `json:"door"`
	By        *string    `json:"by" doc:"Who, when not the person: admin, supervisor:<name>, owner, config"`
	Rule      *string    `json:"rule" doc:"The setting that decided, with value and level"`
	Result    *string    `json:"result" doc:"ok, or why not; of a logout why"`
	Source    *string    `json:"source" doc:"Of a lockout: the device or address"`
	Until     *time.Time `json:"until" doc:"Of a login or lockout: its end"`
	Trace     *string    `json:"trace"`
	Detail    *string    `json:"detail"`
}

// AuditSeat is who sat at a seat at a moment.
type AuditSeat struct {
	Tenant    string     `json:"tenant"`
	Desk      *string    `json:"desk"`
	Site      *string    `json:"site"`
	MAC       string     `json:"mac"`
	Line      int        `json:"line"`
	Extension *string    `json:"extension" doc:"null: nobody"`
	Door      *string    `json:"door"`
	By        *string    `json:"by"`
	Since     time.Time  `json:"since"`
	Until     *time.Time `json:"until" doc:"null: it has not changed since"`
	Trace     *string    `json:"trace"`
}

// EraseBody names whose data is forgotten.
type EraseBody struct {
	Tenant    string `json:"tenant,omitempty" maxLength:"32" doc:"May be left out where there is only one"`
	Extension string `json:"extension" minLength:"1" maxLength:"32"`
	Door      string `json:"door,omitempty" enum:"api,cli" doc:"Who asks; left out: api"`
}

// ErasedBody says what became of it.
type ErasedBody struct {
	Pseudonym *string `json:"pseudonym" doc:"Stands in the audit for that person from now on; null: no record was about them"`
	Traces    int     `json:"traces" doc:"Traces that carry the pseudonym now"`
	Events    int     `json:"events" doc:"Events that are gone from the stream"`
	Calls     int     `json:"calls" doc:"Ended calls that are forgotten"`
	Files     int     `json:"files" doc:"Files of phones whose text is gone from the history"`
}

func (s *server) auditRoutes(a huma.API) {
	if s.Audit == nil {
		return
	}
	huma.Register(a, op("audit", http.MethodGet, "/audit", "What was done: logins, logouts, refusals, what admins did; the newest that match, the oldest of them first"), s.auditList)
	huma.Register(a, op("audit-seated", http.MethodGet, "/audit/seated", "Who sat at a desk at a moment"), s.auditSeated)
	huma.Register(a, op("audit-erase", http.MethodPost, "/audit/erase", "Forget a person: a pseudonym takes the place of the number in what is past"), s.auditErase)
}

type auditInput struct {
	Tenant    string    `query:"tenant" maxLength:"32" doc:"Only this tenant"`
	Desk      string    `query:"desk" maxLength:"255" doc:"Only this desk, by its label at that time"`
	MAC       string    `query:"mac" maxLength:"17" doc:"Only this device"`
	Extension string    `query:"extension" maxLength:"64" doc:"Only about this extension, or pseudonym"`
	Act       []string  `query:"act,explode" maxItems:"20" doc:"Only these acts"`
	Since     time.Time `query:"since" doc:"Not before"`
	Until     time.Time `query:"until" doc:"Before"`
	Limit     int       `query:"limit" minimum:"1" maximum:"100000" default:"200" doc:"At most so many: the newest"`
}

type auditOutput struct{ Body []AuditRecord }

func (s *server) auditList(ctx context.Context, in *auditInput) (*auditOutput, error) {
	m, err := in.match()
	if err != nil {
		return nil, err
	}
	codes, err := s.scope(ctx, in.Tenant)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	var found []audit.Record
	for _, t := range codes {
		some, err := s.audited(ctx, t, m, in)
		if err != nil {
			return nil, s.fault(ctx, err)
		}
		found = append(found, some...)
	}
	slices.SortStableFunc(found, func(a, b audit.Record) int { return int(a.At - b.At) })
	out := &auditOutput{Body: []AuditRecord{}}
	for _, r := range found[max(0, len(found)-in.Limit):] {
		out.Body = append(out.Body, recordOf(r))
	}
	return out, nil
}

func (in *auditInput) match() (audit.Match, error) {
	m := audit.Match{Desk: in.Desk, Number: in.Extension}
	mac, err := parseMAC(in.MAC)
	if err != nil {
		return m, err
	}
	if !mac.IsZero() {
		m.MAC = mac.String()
	}
	for _, act := range in.Act {
		if !slices.Contains(audit.Acts(), audit.Act(act)) {
			return m, badRequest("act: there is none of that name.")
		}
		m.Acts = append(m.Acts, audit.Act(act))
	}
	if !in.Since.IsZero() {
		m.Since = in.Since.UnixMilli()
	}
	if !in.Until.IsZero() {
		m.Until = in.Until.UnixMilli()
	}
	return m, nil
}

// clockSlack is how far a record's place may be from its time because clocks
// differ.
const clockSlack = int64(24 * time.Hour / time.Millisecond)

// audited gives the records of a tenant, the oldest first.
func (s *server) audited(ctx context.Context, t directory.TenantCode, m audit.Match, in *auditInput) ([]audit.Record, error) {
	var found []audit.Record
	err := s.Audit.AuditBack(ctx, t, in.Until, func(r audit.Record) bool {
		if m.Takes(r) {
			found = append(found, r)
		}
		return len(found) < in.Limit && (m.Since == 0 || r.At >= m.Since-clockSlack)
	})
	slices.Reverse(found)
	return found, err
}

func recordOf(r audit.Record) AuditRecord {
	out := AuditRecord{
		ID: r.ID, At: moment(r.At), Tenant: string(r.Tenant), Act: string(r.Act), Extension: text(r.Number), Desk: text(r.Desk), Site: text(r.Site),
		MAC: text(r.MAC), Door: text(r.Door), By: text(r.By), Rule: text(r.Rule), Result: text(r.Result), Source: text(r.Source),
		Trace: text(r.Trace), Detail: text(r.Detail), Until: perhaps(r.Until),
	}
	if r.MAC != "" {
		line := max(r.Line, 1)
		out.Line = &line
	}
	return out
}

// perhaps is a time for an answer, null when there is none.
func perhaps(ms int64) *time.Time {
	if ms == 0 {
		return nil
	}
	at := moment(ms)
	return &at
}

type seatedInput struct {
	Tenant string    `query:"tenant" maxLength:"32" doc:"Only this tenant"`
	Desk   string    `query:"desk" maxLength:"255" doc:"The desk, by its label at that time"`
	MAC    string    `query:"mac" maxLength:"17" doc:"The device"`
	At     time.Time `query:"at" doc:"The moment; left out: now"`
}

type seatedOutput struct{ Body []AuditSeat }

func (s *server) auditSeated(ctx context.Context, in *seatedInput) (*seatedOutput, error) {
	mac, err := parseMAC(in.MAC)
	if err != nil {
		return nil, err
	}
	if in.Desk == "" && mac.IsZero() {
		return nil, badRequest("Name a desk or a mac.")
	}
	codes, err := s.scope(ctx, in.Tenant)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	if in.At.IsZero() {
		in.At = s.Now()
	}
	out := &seatedOutput{Body: []AuditSeat{}}
	for _, t := range codes {
		seats, err := s.seatedAt(ctx, t, in, mac)
		if err != nil {
			return nil, s.fault(ctx, err)
		}
		out.Body = append(out.Body, seats...)
	}
	return out, nil
}

func (s *server) seatedAt(ctx context.Context, t directory.TenantCode, in *seatedInput, mac directory.MAC) ([]AuditSeat, error) {
	m := audit.Match{Desk: in.Desk}
	var macs []string
	if !mac.IsZero() {
		m.MAC, macs = mac.String(), []string{mac.String()}
	} else if err := s.Store.EachDevice(ctx, t, func(d directory.Device) error {
		if strings.EqualFold(d.Desk, in.Desk) {
			macs = append(macs, d.ID.MAC.String())
		}
		return nil
	}); err != nil {
		return nil, err
	}
	a := audit.NewAt(in.At.UnixMilli(), m, macs)
	// From the newest on: when it changed again is part of the answer.
	err := s.Audit.AuditBack(ctx, t, time.Time{}, func(r audit.Record) bool {
		a.See(r)
		return !a.Done()
	})
	var out []AuditSeat
	for _, seat := range a.Seats() {
		out = append(out, AuditSeat{
			Tenant: string(t), Desk: text(seat.Desk), Site: text(seat.Site), MAC: seat.MAC, Line: seat.Line, Extension: text(seat.Number),
			Door: text(seat.Door), By: text(seat.By), Since: moment(seat.Since), Until: perhaps(seat.Until), Trace: text(seat.Trace),
		})
	}
	return out, err
}

type eraseInput struct{ Body EraseBody }

type eraseOutput struct{ Body ErasedBody }

func (s *server) auditErase(ctx context.Context, in *eraseInput) (*eraseOutput, error) {
	tenant, err := s.tenantFor(ctx, in.Body.Tenant, directory.MAC{})
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	id := directory.ExtensionID{Tenant: tenant, Number: in.Body.Extension}
	if _, err := directory.ParseNumber(id.Number); err != nil {
		return nil, badRequest("extension: " + err.Error() + ".")
	}
	seats, err := s.Store.Logins(ctx, id)
	if err == nil && len(seats) > 0 {
		err = errSeated()
	}
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	done, err := s.Audit.Erase(ctx, id, admin, door(in.Body.Door), s.Now())
	if errors.Is(err, hotdesk.ErrNotFound) {
		err = nil // nothing was left of it
	}
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	return &eraseOutput{ErasedBody{Pseudonym: text(done.Pseudonym), Traces: done.Traces, Events: done.Events, Calls: done.Calls, Files: done.Files}}, nil
}

func errSeated() error {
	return problem(http.StatusConflict, "seated", "Logged in", "The extension is logged in: what is true now cannot be forgotten. Log it out first.")
}
