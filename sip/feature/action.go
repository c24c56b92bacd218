package feature

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/sip/handler"
)

// Why it was refused, besides the reasons of the hot desk: each is the name of
// a prompt.
const (
	whyMalformed   = "malformed"       // not a form of this code
	whyIncomplete  = "incomplete"      // number or PIN missing, and no prompts to ask for them
	whyNothing     = "nothing_entered" // asked for, and not given
	whyMismatch    = "pin_mismatch"    // the new PIN was typed in two ways
	whyNoDevice    = "no_device"       // a static password's contact has no desk
	whyUnavailable = "unavailable"     // the store does not answer
	whyError       = "error"           // a defect; the log has it
	whyNobody      = string(hotdesk.NobodyHere)
	actionTime     = 10 * time.Second
)

// act does what a code asks for.
func (s *Service) act(id handler.Identity, at time.Time, d Dialled) answer {
	return s.attempt(id, d.Code, []string{d.Number, d.PIN.Reveal()}, func(ctx context.Context) (answer, error) {
		return s.do(ctx, id, at, d)
	})
}

// attempt does something and tells what came of it. It goes on when the phone
// hangs up meanwhile: whoever dialled a login wants it. typed is what no log may
// hold.
func (s *Service) attempt(id handler.Identity, code Code, typed []string, do func(context.Context) (answer, error)) (a answer) {
	ctx, cancel := context.WithTimeout(s.leaving, actionTime)
	defer cancel()
	defer func() {
		if p := recover(); p != nil { // on a goroutine of its own, where it would end the process
			s.Log.Error("feature code panicked", "feature", string(code), "stack", string(debug.Stack()))
			a = answer{why: whyError}
		}
	}()
	a, err := do(ctx)
	if err == nil {
		return a
	}
	if no, ok := errors.AsType[*hotdesk.Refused](err); ok {
		a.why, a.no = string(no.Why), no
		return a
	}
	a.why = whyError
	if errors.Is(err, hotdesk.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
		a.why = whyUnavailable
	}
	s.Log.LogAttrs(ctx, slog.LevelWarn, "feature code failed",
		slog.String("feature", string(code)), slog.String("result", a.why), slog.Any("from", id),
		slog.String("error", handler.Clipped(censored(err.Error(), typed), 300)))
	return a
}

// do is one function per code. Contacts of a static password have no desk:
// whoami says so and that is its answer; the others cannot be done.
func (s *Service) do(ctx context.Context, id handler.Identity, at time.Time, d Dialled) (a answer, err error) {
	switch {
	case d.Malformed:
		return answer{why: whyMalformed}, nil
	case !id.HasDevice() && d.Code == WhoAmI:
		return answer{plain: true}, nil
	case !id.HasDevice():
		return answer{why: whyNoDevice}, nil
	}
	seat := directory.Seat{Device: id.Device.ID, Line: max(id.Line, 1)}
	switch d.Code {
	case Login, Supervised:
		return s.login(ctx, seat, at, d)
	case Logout:
		a.who = s.whoever(ctx, seat)
		_, err = s.Desk.Logout(ctx, hotdesk.LogoutRequest{
			ID: s.TraceID(), At: at, Door: hotdesk.FeatureCode, Device: seat.Device, Line: seat.Line,
		})
	case WhoAmI:
		var sits bool
		if a.who, sits, err = s.Desk.WhoSits(ctx, seat); err == nil && !sits {
			a.why = whyNobody
		}
	case NewPIN:
		a.why = whyIncomplete // it can only be asked for
	case Reload:
		err = s.Reloads.Reload(ctx, seat.Device, seat.Line, hotdesk.FeatureCode)
	default:
		a.why = whyMalformed
	}
	return a, err
}

func (s *Service) login(ctx context.Context, seat directory.Seat, at time.Time, d Dialled) (a answer, err error) {
	if d.Number == "" || d.PIN == "" {
		return answer{why: whyIncomplete}, nil
	}
	_, err = s.Desk.Login(ctx, hotdesk.LoginRequest{
		ID: s.TraceID(), At: at, Door: hotdesk.FeatureCode, Device: seat.Device, Line: seat.Line,
		Number: d.Number, PIN: d.PIN, Source: "device:" + seat.Device.MAC.String(), Confirmed: d.Confirmed, Supervisor: d.Code == Supervised,
	})
	if err != nil {
		return answer{}, err
	}
	a.who = s.whoever(ctx, seat)
	if a.who.Binding.Number == "" {
		a.who.Binding.Number = d.Number // the store has gone away since: the login stands
	}
	return a, nil
}

// whoever gives who sits at a desk, for what is said to them: without it less is
// said, or in another language.
func (s *Service) whoever(ctx context.Context, seat directory.Seat) (who hotdesk.Who) {
	if s.Prompts != nil {
		who, _, _ = s.Desk.WhoSits(ctx, seat)
	}
	return who
}

// censored removes what was typed from a text for the log.
func censored(text string, typed []string) string {
	for _, t := range typed {
		if t != "" {
			text = strings.ReplaceAll(text, t, "...")
		}
	}
	return text
}
