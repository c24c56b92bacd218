package reload

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"perch/hotdesk"
	"perch/hotdesk/directory"
)

// ErrNoScreen says that a text cannot be shown: the brand shows none that was
// not asked for, the policy has screen.push off, or the phone is not
// registered.
var ErrNoScreen = errors.New("reload: the phone shows no message")

// Show sends a short text to the screen of a device and waits until the phone
// has answered, or ctx ends. Nil means that the phone took it; that somebody
// read it is more than a phone tells. An unknown device wraps
// hotdesk.ErrNotFound, a phone that shows nothing ErrNoScreen. The text is cut
// to 200 characters and must hold no secret: it travels as SIP does.
func (w *Worker) Show(ctx context.Context, id directory.DeviceID, text string) error {
	d, err := w.find(ctx, id)
	if err != nil {
		return err
	}
	if d.brand.Message == nil || !d.policy.Screen.Messages() || !d.view.Reachable {
		return ErrNoScreen
	}
	i := Intent{Trace: "message-" + rand.Text()[:16], Tenant: id.Tenant, MAC: id.MAC.String()}
	notice, err := w.notice(d, i, d.brand.Message(text))
	if err != nil {
		return err
	}
	answer, err := w.sender.Send(ctx, notice)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoScreen, err)
	}
	select {
	case <-ctx.Done():
		return fmt.Errorf("reload: message: %w", ctx.Err())
	case status := <-answer:
		switch {
		case status >= 200 && status < 300:
			return nil
		case status == 0:
			return fmt.Errorf("%w: no answer", ErrNoScreen)
		}
		return fmt.Errorf("%w: the phone answered %d", ErrNoScreen, status)
	}
}

// ShowAll sends the text to the devices of a tenant that the caller names and
// gives how many took it; those that show nothing are no error.
func (w *Worker) ShowAll(ctx context.Context, text string, to ...directory.DeviceID) (shown int, err error) {
	for _, id := range to {
		switch e := w.Show(ctx, id, text); {
		case e == nil:
			shown++
		case !errors.Is(e, ErrNoScreen) && !errors.Is(e, hotdesk.ErrNotFound):
			err = errors.Join(err, e)
		}
	}
	return shown, err
}
