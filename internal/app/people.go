package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/internal/store"
	"perch/provisioning/phoneapp"
)

// people are the extensions of tenants as the phones' directory pages show them.
// A list is read once in peopleFor, however many phones look.
type people struct {
	each func(ctx context.Context, t directory.TenantCode, f func(directory.Extension) error) error
	now  func() time.Time

	mu    sync.Mutex
	lists map[directory.TenantCode]*peopleList
}

type peopleList struct {
	mu   sync.Mutex
	read time.Time
	all  []phoneapp.Person
}

const (
	peopleFor  = 30 * time.Second // a new colleague appears within it
	peopleMost = 64               // tenants whose list is kept
)

func newPeople(each func(context.Context, directory.TenantCode, func(directory.Extension) error) error) *people {
	return &people{each: each, now: time.Now, lists: map[directory.TenantCode]*peopleList{}}
}

// People implements phoneapp.People.
func (p *people) People(ctx context.Context, t directory.TenantCode) ([]phoneapp.Person, error) {
	l := p.list(t)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all != nil && p.now().Sub(l.read) < peopleFor {
		return l.all, nil
	}
	all := []phoneapp.Person{}
	err := p.each(ctx, t, func(e directory.Extension) error {
		all = append(all, phoneapp.Person{Number: e.ID.Number, Name: e.Name})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("app: people: %w", err)
	}
	slices.SortFunc(all, func(a, b phoneapp.Person) int {
		return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), strings.Compare(a.Number, b.Number))
	})
	l.read, l.all = p.now(), all
	return all, nil
}

// list finds the list of a tenant, and forgets some other where there are many.
func (p *people) list(t directory.TenantCode) *peopleList {
	p.mu.Lock()
	defer p.mu.Unlock()
	l, ok := p.lists[t]
	if !ok {
		for old := range p.lists {
			if len(p.lists) < peopleMost {
				break
			}
			delete(p.lists, old)
		}
		l = &peopleList{}
		p.lists[t] = l
	}
	return l
}

// codes are the codes that phones show.
type codes struct {
	store  *store.Store
	portal string // portal.base_url
}

// New implements phoneapp.Codes.
func (c codes) New(ctx context.Context, seat directory.Seat, code, trace string) error {
	err := c.store.NewQRCode(ctx, seat, code, trace, time.Now())
	if errors.Is(err, store.ErrTooMany) {
		return fmt.Errorf("%w: %w", phoneapp.ErrTooMany, err)
	}
	return err
}

// Waits implements phoneapp.Codes.
func (c codes) Waits(ctx context.Context, t directory.TenantCode, code string) (bool, error) {
	_, err := c.store.LookQRCode(ctx, t, code, time.Now())
	if errors.Is(err, hotdesk.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Address implements phoneapp.Codes.
func (c codes) Address(t directory.TenantCode, code string) string {
	if c.portal == "" {
		return ""
	}
	return strings.TrimSuffix(c.portal, "/") + "/qr/" + string(t) + "/" + code
}
