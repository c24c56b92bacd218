package upstream

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/internal/event"
	"perch/sip/flow"
	"perch/sip/handler"
	"perch/sip/location"
)

// FrontDesk shows emergency calls on the phones of a site's front desk, as a
// short message (RFC 3428). It runs on every node: each tells the phones whose
// flows it holds.
type FrontDesk struct {
	Node    string
	Tenants interface {
		Tenant(ctx context.Context, code directory.TenantCode) (directory.Tenant, error)
	}
	People People
	Sender interface {
		Send(ctx context.Context, f location.Flow, req *sip.Request) (*sip.Response, error)
		Contact(f location.Flow, user string) string
	}
	Now func() time.Time
	Log *slog.Logger
}

// tellWithin bounds the telling of one phone; news that are older than oldNews
// are told nobody any more: this node was away.
const (
	tellWithin = 10 * time.Second
	oldNews    = 2 * time.Minute
)

// Tell shows an event where it is one of an emergency call. It may block for as
// long as a phone is silent.
func (f *FrontDesk) Tell(ctx context.Context, e event.Event) {
	if e.Type != event.EmergencyCalled && e.Type != event.EmergencyFailed || f.Now().Sub(e.Time()) > oldNews {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, tellWithin)
	defer cancel()
	if err := f.tell(ctx, e); err != nil && !errors.Is(err, hotdesk.ErrNotFound) {
		f.Log.Warn("the front desk was not told of an emergency call", "tenant", e.Tenant, "site", e.Site, "error", err)
	}
}

func (f *FrontDesk) tell(ctx context.Context, e event.Event) error {
	t, err := f.Tenants.Tenant(ctx, e.Tenant)
	if err != nil {
		return err
	}
	site, ok := t.Site(e.Site)
	if !ok || site.FrontDesk == "" {
		return nil
	}
	set, err := f.People.Contacts(ctx, t.Code, site.FrontDesk)
	if err != nil {
		return err
	}
	text := f.text(ctx, e)
	var errs []error
	for _, c := range set.Contacts {
		if c.Flow.Node == f.Node && c.Reachable(f.Now()) {
			errs = append(errs, f.message(ctx, t, site.FrontDesk, c, text))
		}
	}
	return errors.Join(errs...)
}

// text is what the phone shows.
func (f *FrontDesk) text(ctx context.Context, e event.Event) string {
	b := &strings.Builder{}
	b.WriteString("EMERGENCY CALL")
	if e.Type == event.EmergencyFailed {
		b.WriteString(" WITHOUT ROUTE")
	}
	fmt.Fprintf(b, " (%s)", e.Target)
	if e.Detail != "" {
		b.WriteString(" from desk " + e.Detail)
	}
	if e.Number != "" {
		b.WriteString(" by ")
		if x, err := f.People.Extension(ctx, directory.ExtensionID{Tenant: e.Tenant, Number: e.Number}); err == nil && x.Name != "" {
			b.WriteString(strings.Join(strings.Fields(x.Name), " ") + ", ")
		}
		b.WriteString(e.Number)
	}
	return handler.Clipped(b.String(), 600)
}

// message sends one MESSAGE. A phone that knows no messages is no fault: the
// event is there for everybody else.
func (f *FrontDesk) message(ctx context.Context, t directory.Tenant, number string, c location.Contact, text string) error {
	from := "<sip:perch@" + t.Domain() + ">"
	d := flow.Draft{
		Method: "MESSAGE", URI: c.URI, Routes: c.Path, From: from + ";tag=" + rand.Text()[:12], To: "<" + t.AOR(number).String() + ">",
		CallID: rand.Text(), CSeq: 1, Headers: []flow.Field{{Name: "Priority", Value: "emergency"}},
		ContentType: "text/plain;charset=UTF-8", Body: []byte(text),
	}
	req, err := d.Build()
	if err != nil {
		return fmt.Errorf("upstream: message: %w", err)
	}
	if _, err := f.Sender.Send(ctx, c.Flow, req); err != nil {
		return fmt.Errorf("upstream: message: %w", err)
	}
	return nil
}
