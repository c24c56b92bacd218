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

// Why the melody for no was played, besides the reasons of the hot desk.
const (
	whyMalformed   = "malformed"   // not a form of this code
	whyIncomplete  = "incomplete"  // number or PIN missing: asking for them by voice is not built yet
	whyNoDevice    = "no_device"   // a static password's contact has no desk
	whyUnavailable = "unavailable" // the store does not answer
	whyError       = "error"       // a defect; the log has it
	whyNobody      = "nobody_here" // whoami at an idle desk
	actionTime     = 10 * time.Second
)

// act does what a code asks for. why is empty for yes. It goes on when the
// phone hangs up meanwhile: whoever dialled a login wants it.
func (s *Service) act(id handler.Identity, at time.Time, d Dialled) (why string) {
	ctx, cancel := context.WithTimeout(s.leaving, actionTime)
	defer cancel()
	defer func() {
		if p := recover(); p != nil { // on a goroutine of its own, where it would end the process
			s.Log.Error("feature code panicked", "feature", string(d.Code), "stack", string(debug.Stack()))
			why = whyError
		}
	}()
	why, err := s.do(ctx, id, at, d)
	if err == nil {
		return why
	}
	if no, ok := errors.AsType[*hotdesk.Refused](err); ok {
		return string(no.Why)
	}
	why = whyError
	if errors.Is(err, hotdesk.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
		why = whyUnavailable
	}
	s.Log.LogAttrs(ctx, slog.LevelWarn, "feature code failed",
		slog.String("feature", string(d.Code)), slog.String("result", why), slog.Any("from", id),
		slog.String("error", handler.Clipped(censored(err.Error(), d), 300)))
	return why
}

// do is one function per code. Contacts of a static password have no desk:
// whoami is a yes for them, as they are who they registered as; the others
// cannot be done.
func (s *Service) do(ctx context.Context, id handler.Identity, at time.Time, d Dialled) (why string, err error) {
	switch {
	case d.Malformed:
		return whyMalformed, nil
	case !id.HasDevice() && d.Code == WhoAmI:
		return "", nil
	case !id.HasDevice():
		return whyNoDevice, nil
	}
	seat := directory.Seat{Device: id.Device.ID, Line: max(id.Line, 1)}
	switch d.Code {
	case Login:
		return s.login(ctx, seat, at, d)
	case Logout:
		_, err = s.Desk.Logout(ctx, hotdesk.LogoutRequest{
			ID: s.TraceID(), At: at, Door: hotdesk.FeatureCode, Device: seat.Device, Line: seat.Line,
		})
	case WhoAmI:
		var sits bool
		if _, sits, err = s.Desk.WhoSits(ctx, seat); err == nil && !sits {
			return whyNobody, nil
		}
	case Reload:
		err = s.Reloads.Reload(ctx, seat.Device, seat.Line, hotdesk.FeatureCode)
	default:
		return whyMalformed, nil
	}
	return "", err
}

func (s *Service) login(ctx context.Context, seat directory.Seat, at time.Time, d Dialled) (why string, err error) {
	if d.Number == "" || d.PIN == "" {
		return whyIncomplete, nil
	}
	_, err = s.Desk.Login(ctx, hotdesk.LoginRequest{
		ID: s.TraceID(), At: at, Door: hotdesk.FeatureCode, Device: seat.Device, Line: seat.Line,
		Number: d.Number, PIN: d.PIN, Source: "device:" + seat.Device.MAC.String(),
	})
	return "", err
}

// censored removes what was dialled from a text for the log.
func censored(text string, d Dialled) string {
	for _, dialled := range []string{d.Number, d.PIN.Reveal()} {
		if dialled != "" {
			text = strings.ReplaceAll(text, dialled, "...")
		}
	}
	return text
}
