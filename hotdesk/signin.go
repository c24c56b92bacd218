package hotdesk

import (
	"context"
	"errors"
	"fmt"

	"perch/hotdesk/directory"
)

// Passwords checks a portal password. Checking against nothing costs the same as
// checking against something, and is false.
type Passwords interface {
	CheckPassword(ctx context.Context, kept directory.Kept, ext directory.ExtensionID, password directory.Secret) (bool, error)
}

// SignInRequest is somebody who says who they are, by the portal password.
type SignInRequest struct {
	ID        string // trace id of what they are about to do
	Door      Door
	Device    directory.DeviceID // whose seat it is about; may be zero
	Extension directory.ExtensionID
	Password  directory.Secret
	Source    string // for the lockout, as in LoginRequest
}

// SignIn checks a portal password. It is counted as PINs are, in the one lockout
// of all doors; an extension that does not exist looks and costs like a wrong
// password. The error is a *Refused, or wraps ErrUnavailable.
func (e *Engine) SignIn(ctx context.Context, passwords Passwords, r SignInRequest) error {
	err := e.signIn(ctx, passwords, r)
	var no *Refused
	if errors.As(err, &no) {
		at := r.Device
		at.Tenant = r.Extension.Tenant
		e.tell(ctx, LoginRequest{ID: r.ID, Door: r.Door, Device: at, Number: r.Extension.Number}, "", no)
	}
	return err
}

func (e *Engine) signIn(ctx context.Context, passwords Passwords, r SignInRequest) error {
	if _, err := directory.ParseNumber(r.Extension.Number); err != nil {
		return &Refused{Why: BadCredentials}
	}
	if err := e.begin(ctx, r.Extension, r.Source); err != nil {
		return err
	}
	ext, err := e.dir.Extension(ctx, r.Extension)
	unknown := errors.Is(err, ErrNotFound)
	if err != nil && !unknown {
		return fmt.Errorf("hotdesk: sign in: %w", err)
	}
	ok, err := passwords.CheckPassword(ctx, ext.Password, r.Extension, r.Password)
	if err != nil {
		return fmt.Errorf("hotdesk: sign in: %w", err)
	}
	if !ok || unknown || r.Password == "" {
		return &Refused{Why: BadCredentials}
	}
	if err := e.attempts.Succeeded(ctx, r.Extension, r.Source, e.now()); err != nil {
		return fmt.Errorf("hotdesk: sign in: %w", err)
	}
	return nil
}
