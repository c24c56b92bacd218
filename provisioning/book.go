package provisioning

import (
	"context"
	"errors"
	"fmt"

	"perch/hotdesk/directory"
	"perch/provisioning/brand"
	"perch/provisioning/device"
)

// Books knows the phone book of a tenant, in the order in which it is shown.
type Books interface {
	Entries(ctx context.Context, t directory.TenantCode) ([]brand.Entry, error)
}

// bookTitle stands over every phone book.
const bookTitle = "Directory"

// book writes the phone book of a phone's tenant, for a phone that proved itself.
func (h *Handler) book(x *exchange, a device.Answer, b brand.Brand, part int) {
	if h.books == nil {
		x.notFound()
		return
	}
	all, err := h.books.Entries(x.r.Context(), a.Device.ID.Tenant)
	switch {
	case errors.Is(err, ErrGone):
		x.notFound()
		return
	case err != nil:
		x.unavailable(fmt.Errorf("provisioning: phone book: %w", err))
		return
	}
	p := brand.BookPage{Title: bookTitle, Entries: all}
	if per := b.Book.Per; per > 0 {
		from := (part - 1) * per
		if part > 1 && from >= len(all) {
			x.notFound()
			return
		}
		p.Entries = all[min(from, len(all)):min(from+per, len(all))]
		if from+per < len(all) {
			p.Next = h.baseFor(x.r) + x.target.prefix(a.Tenant, "") + b.Book.PartName(a.Device.ID.MAC.String(), part+1)
		}
	} else if part > 1 {
		x.notFound()
		return
	}
	out := brand.Rendered{Body: b.Book.Write(p), ContentType: b.Book.ContentType}
	x.send(out, Digest(out.Body))
}
