package reload

import (
	"context"
	"errors"
	"fmt"
	"time"

	"perch/hotdesk/trace"
	"perch/internal/event"
	"perch/provisioning/brand"
)

// send makes one attempt. The intent is saved before the NOTIFY leaves, so
// that a crash in between is an attempt made, not one repeated.
func (w *Worker) send(ctx context.Context, d found, i Intent, a brand.Attempt) error {
	after := i
	after.Stage = i.stage(d.view.Recipe) + 1
	_, err := w.attempt(ctx, d, i, after, a)
	return err
}

// attempt sends one NOTIFY and gives the final status, 0 for silence; the intent
// goes from before to i.
func (w *Worker) attempt(ctx context.Context, d found, before, i Intent, a brand.Attempt) (status int, err error) {
	notice, err := w.notice(d, i, a)
	if err != nil {
		return 0, err
	}
	i.Sent++
	due := w.now().Add(max(lease, a.Wait))
	if err := w.store.SaveReload(ctx, i, due); err != nil {
		return 0, err
	}
	sent := w.news(event.NotifySent, d, i)
	sent.Detail = a.Event
	answer, err := w.sender.Send(ctx, notice)
	if errors.Is(err, ErrNoFlow) {
		return 0, w.lost(ctx, d, before)
	}
	if err != nil {
		return 0, fmt.Errorf("reload: notify: %w", err)
	}
	if err := w.store.SaveReload(ctx, i, due, sent); err != nil {
		return 0, err
	}
	if status, err = w.await(ctx, i, due, answer); err != nil {
		return 0, err
	}
	return status, w.answered(ctx, d, i, a, status)
}

// await waits for the final response. Meanwhile the intent is put off again and
// again by a little, so that it is soon due elsewhere when this process dies. A
// store that does not answer does not end the waiting.
func (w *Worker) await(ctx context.Context, i Intent, due time.Time, answer <-chan int) (status int, err error) {
	renew := time.NewTicker(lease / 2)
	defer renew.Stop()
	for {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case status := <-answer:
			return status, nil
		case <-renew.C:
			until := w.now().Add(lease)
			if until.Before(due) {
				continue
			}
			if err := w.store.SaveReload(ctx, i, until); errors.Is(err, ErrSuperseded) {
				return 0, err
			}
		}
	}
}

// answered says when to look again: soon after a refusal, else when the phone
// has had its time.
func (w *Worker) answered(ctx context.Context, d found, i Intent, a brand.Attempt, status int) error {
	e := w.news(event.NotifyAnswered, d, i)
	e.Detail, e.Status = a.Event, status
	wait := a.Wait
	if status >= 300 {
		wait = settle
	}
	return w.store.SaveReload(ctx, i, w.now().Add(wait), e)
}

// lost: the connection of the contact is gone. The phone will register anew;
// until then it is as unreachable as one that is not registered.
func (w *Worker) lost(ctx context.Context, d found, i Intent) error {
	act := i.awaitPhone(w.now())
	if act.Do == Fail {
		e := w.news(event.StepFailed, d, i)
		e.Target, e.Reason = string(act.Step), "the phone's connection is gone"
		return w.store.CloseReload(ctx, i, e)
	}
	return w.store.SaveReload(ctx, i, act.Due)
}

func (w *Worker) notice(d found, i Intent, a brand.Attempt) (Notice, error) {
	c := d.contact
	aor := d.tenant.AOR(c.AOR.User) // passwords are made for this domain, whichever the phone registered at
	password := w.secrets.SIPPassword(i.Tenant, aor, d.device.ID.MAC, c.Session)
	if c.Session == "" {
		var err error
		if password, err = w.secrets.AccountPassword(d.device, aor); err != nil {
			return Notice{}, fmt.Errorf("reload: %w", err)
		}
	}
	return Notice{
		Domain: d.tenant.Domain(), CallID: i.Trace + "@" + d.tenant.Domain(), Contact: c,
		Event: a.Event, ContentType: a.ContentType, Body: a.Body,
		Username: d.device.ID.MAC.String(), Password: password,
	}, nil
}

// skips are the steps that this brand cannot make.
func (w *Worker) skips(d found, i Intent, why string) []event.Event {
	var out []event.Event
	for _, step := range []trace.StepName{trace.Notified, trace.Acknowledged, trace.Fetched, trace.Registered, trace.Lit} {
		e := w.news(event.StepSkipped, d, i)
		e.Target, e.Reason = string(step), why
		out = append(out, e)
	}
	return out
}

func (w *Worker) news(t event.Type, d found, i Intent) event.Event {
	return event.Event{
		Type: t, At: w.now().UnixMilli(), Tenant: i.Tenant, MAC: i.MAC, Trace: i.Trace,
		Session: i.Session, Brand: string(d.brand.Name), Number: d.view.Trace.Number,
	}
}
