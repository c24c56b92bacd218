package upstream

import (
	"context"
	"errors"
	"fmt"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/sip/emergency"
	"perch/sip/handler"
)

// maxForwards bounds how often one call is sent on.
const maxForwards = 5

// Away tells what becomes of a call for an extension where nobody is logged in
// and no phone of its own is registered: logged_out of the directory. False: 480.
// A chain of forwards ends where somebody is there, or leaves for the upstream,
// or after five.
func (r *Router) Away(ctx context.Context, a Asked, e directory.Extension) (Way, bool, error) {
	for range maxForwards {
		l := e.LoggedOut
		switch {
		case l == nil:
			return Way{}, false, nil
		case l.Status != 0:
			return Way{}, false, handler.Refuse(l.Status, "logged_out")
		case l.Voicemail:
			return r.voicemail(ctx, a, e.ID.Number)
		}
		id := directory.ExtensionID{Tenant: a.Tenant.Code, Number: l.Forward}
		next, err := r.People.Extension(ctx, id)
		if errors.Is(err, hotdesk.ErrNotFound) {
			a.Number = l.Forward
			return r.Way(ctx, a)
		}
		if err != nil {
			return Way{}, false, fmt.Errorf("upstream: forward: %w", err)
		}
		there, err := r.there(ctx, id)
		if err != nil {
			return Way{}, false, err
		}
		if there {
			return Way{Extension: id.Number}, true, nil
		}
		e = next
	}
	return Way{}, false, handler.Refuse(480, "forward_loop")
}

// voicemail asks the PBX for the extension's own number: nobody is registered
// there for it, so that its voicemail answers. A call that came from there has
// it already.
func (r *Router) voicemail(ctx context.Context, a Asked, number string) (Way, bool, error) {
	if a.Tenant.Upstream == nil || a.Caller.Kind == "" {
		return Way{}, false, nil
	}
	return r.out(ctx, a, number)
}

// there tells whether somebody would answer: logged in, or registered by a
// phone of its own.
func (r *Router) there(ctx context.Context, id directory.ExtensionID) (bool, error) {
	in, err := r.People.IsLoggedIn(ctx, id)
	if err != nil || in {
		return in, wrapped(err)
	}
	set, err := r.People.Contacts(ctx, id.Tenant, id.Number)
	if err != nil {
		return false, wrapped(err)
	}
	for _, c := range set.Contacts {
		if c.Session == "" && !c.Expired(r.Client.Now()) {
			return true, nil
		}
	}
	return false, nil
}

func wrapped(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("upstream: %w", err)
}

// Called gives the extension, or the MAC of a desk, that a number which the
// upstream asked for stands for. A number that an emergency call was made under
// rings the desk that made it, whoever sits there; afterwards the front desk of
// the site whose number it is.
func (r *Router) Called(ctx context.Context, t directory.Tenant, number string) (string, error) {
	if _, err := directory.ParseNumber(number); err == nil {
		_, err := r.People.Extension(ctx, directory.ExtensionID{Tenant: t.Code, Number: number})
		if err == nil {
			return number, nil
		}
		if !errors.Is(err, hotdesk.ErrNotFound) {
			return "", fmt.Errorf("upstream: called: %w", err)
		}
	}
	key := emergency.CallbackKey(number)
	if key == "" {
		return number, nil
	}
	mac, ok, err := r.Callbacks.Callback(ctx, t.Code, key)
	if err != nil {
		return "", fmt.Errorf("upstream: called: %w", err)
	}
	if ok {
		return mac.String(), nil
	}
	for _, s := range t.Sites {
		if s.FrontDesk != "" && emergency.CallbackKey(s.EmergencyCallerID) == key {
			return s.FrontDesk, nil
		}
	}
	return number, nil
}
