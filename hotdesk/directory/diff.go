package directory

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Change is one record before and after: Old is nil where it is created, New
// where it is deleted.
type Change[T any] struct {
	Old, New *T
}

// Changes are what leads from one State to another. Deletions come before
// creations in each list, and lists must be applied so that a phone or domain
// is free before it is taken: deletions of desks, devices, extensions and
// tenants, then tenants, extensions, devices, desks.
type Changes struct {
	Tenants    []Change[Tenant]
	Extensions []Change[Extension]
	Devices    []Change[Device]
	Desks      []Change[Desk]
}

// Empty tells that there is nothing to do.
func (c Changes) Empty() bool {
	return len(c.Tenants)+len(c.Extensions)+len(c.Devices)+len(c.Desks) == 0
}

// Diff compares what is stored with what Merge made of a file. With prune, what
// is stored and not in the file is deleted: tenants with all they have, and
// within the tenants that stay, extensions and devices.
func Diff(stored, merged State, prune bool) Changes {
	return Changes{
		Tenants:    diff(stored.Tenants, merged.Tenants, prune, func(t *Tenant) TenantCode { return t.Code }, tenantText),
		Extensions: diff(stored.Extensions, merged.Extensions, prune, func(e *Extension) ExtensionID { return e.ID }, func(e *Extension) string { return extensionFlow(e).String() }),
		Devices:    diff(stored.Devices, merged.Devices, prune, func(d *Device) DeviceID { return d.ID }, func(d *Device) string { return deviceFlow(d).String() }),
		Desks:      diff(stored.Desks, merged.Desks, prune, func(d *Desk) DeskID { return d.ID }, func(d *Desk) string { return deskFlow(d).String() }),
	}
}

// diff compares records by text, their exported form: it holds all that a file
// can say, and nothing a file cannot say is ever changed by one. Most records
// did not change at all, which is found faster.
func diff[T any, K comparable](old, merged []T, prune bool, id func(*T) K, text func(*T) string) []Change[T] {
	before := make(map[K]*T, len(old))
	for i := range old {
		before[id(&old[i])] = &old[i]
	}
	var deleted, changed []Change[T]
	for i := range merged {
		now := &merged[i]
		was := before[id(now)]
		delete(before, id(now))
		if was == nil || !reflect.DeepEqual(was, now) && text(was) != text(now) {
			changed = append(changed, Change[T]{was, now})
		}
	}
	if prune {
		for i := range old {
			if _, left := before[id(&old[i])]; left {
				deleted = append(deleted, Change[T]{Old: &old[i]})
			}
		}
	}
	return append(deleted, changed...)
}

// Counts are how many records of all kinds change.
type Counts struct {
	Created int `json:"created"`
	Updated int `json:"updated"`
	Deleted int `json:"deleted"`
}

// Counts counts the changes.
func (c Changes) Counts() Counts {
	var n Counts
	count(&n, c.Tenants)
	count(&n, c.Extensions)
	count(&n, c.Devices)
	count(&n, c.Desks)
	return n
}

func count[T any](n *Counts, changes []Change[T]) {
	for _, c := range changes {
		switch {
		case c.Old == nil:
			n.Created++
		case c.New == nil:
			n.Deleted++
		default:
			n.Updated++
		}
	}
}

// Lines says each change in a line: "+" created, "-" deleted, "~" changed from
// -> to. Of a secret it says only that it changed.
func (c Changes) Lines() []string {
	lines := make([]string, 0, len(c.Tenants)+len(c.Extensions)+len(c.Devices)+len(c.Desks))
	lines = appendLines(lines, c.Tenants, tenantLine)
	lines = appendLines(lines, c.Extensions, extensionLine)
	lines = appendLines(lines, c.Desks, deskLine)
	return appendLines(lines, c.Devices, deviceLine)
}

func appendLines[T any](lines []string, changes []Change[T], line func(*T) (string, facts)) []string {
	for _, c := range changes {
		switch {
		case c.Old == nil:
			title, _ := line(c.New)
			lines = append(lines, "+ "+title)
		case c.New == nil:
			title, _ := line(c.Old)
			lines = append(lines, "- "+title)
		default:
			_, was := line(c.Old)
			title, now := line(c.New)
			lines = append(lines, "~ "+title+" "+strings.Join(was.to(now), ", "))
		}
	}
	return lines
}

// fact is one named value of a record, as a line shows it.
type fact struct {
	name   string
	value  string
	secret bool
}

type facts []fact

func (f *facts) add(name, value string) { *f = append(*f, fact{name: name, value: value}) }

func (f *facts) list(name string, values []string) { f.add(name, strings.Join(values, " ")) }

// keep adds a secret. Where only its origin differs, nothing changes for
// people: the file now says what was kept anyway.
func (f *facts) keep(name string, k Kept) {
	*f = append(*f, fact{name: name, value: k.Value, secret: true})
	*f = append(*f, fact{name: name + " origin", value: k.From, secret: true})
}

// to says what differs. Names that only one side has count as empty on the
// other.
func (f facts) to(now facts) []string {
	before := make(map[string]fact, len(f))
	for _, x := range f {
		before[x.name] = x
	}
	all := slices.Clone(now)
	names := make(map[string]bool, len(now))
	for _, x := range now {
		names[x.name] = true
	}
	for _, x := range f {
		if !names[x.name] {
			all = append(all, fact{name: x.name, secret: x.secret})
		}
	}
	var out []string
	changed := map[string]bool{}
	for _, x := range all {
		was := before[x.name]
		if was.value == x.value {
			continue
		}
		of, origin := strings.CutSuffix(x.name, " origin")
		switch changed[x.name] = true; {
		case x.secret && origin && changed[of]:
		case x.secret && origin:
			out = append(out, of+" now follows the file")
		case x.secret && was.value == "":
			out = append(out, x.name+" set")
		case x.secret && x.value == "":
			out = append(out, x.name+" removed")
		case x.secret:
			out = append(out, x.name+" changed")
		default:
			out = append(out, fmt.Sprintf("%s %q -> %q", x.name, was.value, x.value))
		}
	}
	if len(out) == 0 {
		out = append(out, "order changed")
	}
	return out
}

// sorted gives a copy in the order that export writes.
func (s State) sorted() State {
	out := State{slices.Clone(s.Tenants), slices.Clone(s.Extensions), slices.Clone(s.Devices), slices.Clone(s.Desks)}
	slices.SortFunc(out.Tenants, func(a, b Tenant) int { return cmp.Compare(a.Code, b.Code) })
	slices.SortFunc(out.Extensions, func(a, b Extension) int {
		return cmp.Or(cmp.Compare(a.ID.Tenant, b.ID.Tenant), cmp.Compare(a.ID.Number, b.ID.Number))
	})
	slices.SortFunc(out.Devices, func(a, b Device) int {
		return cmp.Or(cmp.Compare(a.ID.Tenant, b.ID.Tenant), slices.Compare(a.ID.MAC[:], b.ID.MAC[:]))
	})
	slices.SortFunc(out.Desks, func(a, b Desk) int {
		return cmp.Or(cmp.Compare(a.ID.Tenant, b.ID.Tenant), cmp.Compare(a.ID.Code, b.ID.Code))
	})
	return out
}
