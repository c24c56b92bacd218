package app

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/provisioning"
	"perch/provisioning/brand"
)

// bookFor is how old a phone book may be: a site's phones fetch theirs at once.
const bookFor = 30 * time.Second

// bookMost bounds a phone book; phones take less.
const bookMost = 10_000

// phoneBooks are the extensions of each tenant, as phones are given them.
type phoneBooks struct {
	read func(ctx context.Context, t directory.TenantCode, f func(directory.Extension) error) error
	now  func() time.Time

	mu   sync.Mutex // held while one is read: the next finds it
	kept map[directory.TenantCode]keptBook
}

type keptBook struct {
	entries []brand.Entry
	until   time.Time
}

var _ provisioning.Books = (*phoneBooks)(nil)

// errBookFull ends the reading of a book that has enough.
var errBookFull = errors.New("the phone book is full")

// Entries implements provisioning.Books. What it gives is shared: nobody may
// change it.
func (b *phoneBooks) Entries(ctx context.Context, t directory.TenantCode) ([]brand.Entry, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	if k, ok := b.kept[t]; ok && now.Before(k.until) {
		return k.entries, nil
	}
	var all []brand.Entry
	err := b.read(ctx, t, func(e directory.Extension) error {
		if len(all) == bookMost {
			return errBookFull
		}
		all = append(all, brand.Entry{Name: cmp.Or(e.Name, e.ID.Number), Number: e.ID.Number})
		return nil
	})
	if err != nil && !errors.Is(err, errBookFull) {
		if errors.Is(err, hotdesk.ErrNotFound) {
			return nil, provisioning.ErrGone
		}
		return nil, err
	}
	slices.SortFunc(all, func(x, y brand.Entry) int {
		return cmp.Or(strings.Compare(strings.ToLower(x.Name), strings.ToLower(y.Name)), strings.Compare(x.Number, y.Number))
	})
	for code, k := range b.kept { // tenants that nobody asks for
		if !now.Before(k.until) {
			delete(b.kept, code)
		}
	}
	b.kept[t] = keptBook{all, now.Add(bookFor)}
	return all, nil
}
