package notify

import (
	"context"
	"errors"
	"fmt"

	"perch/hotdesk/directory"
	"perch/sip/dialog"
	"perch/sip/presence"
)

// subscriber answers a challenge inside a subscription, with the credentials by
// which the phone subscribed.
type subscriber struct {
	n      *Notifier
	sub    presence.Subscription
	dialog *dialog.Dialog // of one that has ended; nil: the store has it
}

// errNoPassword says that who subscribed has no password any more.
var errNoPassword = errors.New("notify: the static password is gone")

func (s *subscriber) credentials(ctx context.Context) (string, directory.Secret, error) {
	username, password, err := s.find(ctx)
	if err != nil {
		return "", "", fmt.Errorf("notify: credentials: %w", err)
	}
	return username, password, nil
}

func (s *subscriber) find(ctx context.Context) (string, directory.Secret, error) {
	t, err := s.n.Tenants.Tenant(ctx, s.sub.Tenant)
	if err != nil {
		return "", "", err
	}
	id, ok := device(s.sub)
	switch {
	case !ok:
		e, err := s.n.Directory.Extension(ctx, directory.ExtensionID{Tenant: t.Code, Number: s.sub.Number})
		if err != nil {
			return "", "", err
		}
		password, has, err := s.n.Secrets.StaticPassword(e)
		if err == nil && !has {
			err = errNoPassword
		}
		return s.sub.Number, password, err
	case s.sub.Session != "":
		return s.sub.MAC, s.n.Secrets.SIPPassword(t.Code, t.AOR(s.sub.Number), id.MAC, s.sub.Session), nil
	}
	d, err := s.n.Directory.Device(ctx, id)
	if err != nil {
		return "", "", err
	}
	password, err := s.n.Secrets.AccountPassword(d, t.AOR(s.sub.MAC))
	return s.sub.MAC, password, err
}

// next counts the CSeq on; the document and its version stay.
func (s *subscriber) next(ctx context.Context) (uint32, error) {
	if s.dialog != nil {
		return s.dialog.Next().CSeq, nil
	}
	var cseq uint32
	_, err := s.n.step(ctx, s.sub.Tenant, s.sub.ID, func(_ *presence.Subscription, d *dialog.Dialog) error {
		cseq = d.Next().CSeq
		return nil
	})
	return cseq, err
}
