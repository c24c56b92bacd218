package feature

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"perch/metrics"
	"perch/sip/dialog"
	"perch/sip/handler"
)

const (
	// busyFor bounds how long a call keeps its device busy should this process
	// end with it: longer than the longest conversation, after which a BYE is
	// never answered.
	busyFor = 5 * time.Minute
	// settle is what a phone needs between the end of a call and a NOTIFY that
	// makes it restart its account.
	settle = 300 * time.Millisecond
	// storeTime bounds one question to the store.
	storeTime = 5 * time.Second
)

const (
	allowed = "INVITE, ACK, CANCEL, BYE, INFO"
	user    = "perch" // of our Contact: what was dialled is not repeated
)

// Invite answers an INVITE of an authenticated sender: a call to a feature
// code, or a change of one that is up. Other numbers go to Others. It returns
// when the call is over.
func (s *Service) Invite(ctx context.Context, r *handler.Request) error {
	if r.ToTag() != "" {
		return s.reinvite(r)
	}
	d, ok := Parse(r.SIP.Recipient.User, r.Identity.Tenant.FeatureCodes)
	if !ok {
		if s.Others == nil {
			return handler.Refuse(sip.StatusNotFound, "unknown_number")
		}
		return s.Others(ctx, r)
	}
	if r.Identity.Kind == handler.Ending { // good for an emergency call, nothing else
		return handler.Refuse(sip.StatusForbidden, "ending")
	}
	r.Note(slog.String("feature", string(d.Code)))
	leave, err := s.enter(r)
	if err != nil {
		return err
	}
	defer leave()
	result, err := s.answer(ctx, r, d)
	switch {
	case errors.Is(context.Cause(ctx), handler.ErrCanceled) && err != nil:
		result, err = metrics.FeatureCancelled, handler.Refuse(sip.StatusRequestTerminated, "cancelled")
	case err != nil:
		result = metrics.FeatureFailed
	}
	s.Metrics.Call(string(d.Code), result)
	return err
}

// answer takes the call, or says why not.
func (s *Service) answer(ctx context.Context, r *handler.Request, d Dialled) (result string, err error) {
	if err := unsupported(r); err != nil {
		return "", err
	}
	c, err := s.prepare(r)
	if err != nil {
		return "", err
	}
	defer c.close()
	res, err := c.ok(r)
	if err != nil {
		return "", err
	}
	defer s.end(r) // also when it is not known whether start did it
	if err := s.start(ctx, r); err != nil {
		return "", err
	}
	ack := c.expectAck(r)
	s.keep(c)
	defer s.forget(c)
	if err := accept(ctx, r, res); err != nil {
		return "", err
	}
	return note(r, c.run(ctx, r, res, ack, d)), nil
}

// prepare makes the dialog and opens the port.
func (s *Service) prepare(r *handler.Request) (*call, error) {
	dlg, err := dialog.NewUAS(message(r), r.Tag())
	if err != nil {
		return nil, &handler.Status{Code: sip.StatusBadRequest, Why: "malformed", Err: err}
	}
	v, err := newVoice(s, r.Flow, s.Sender.HostPort(r.Flow))
	if err != nil {
		return nil, err
	}
	return newCall(s, r, dlg, v), nil
}

// start makes the device busy. It is also the question whether the store is
// there: without it the call is refused before it is answered.
func (s *Service) start(ctx context.Context, r *handler.Request) error {
	if !r.Identity.HasDevice() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	now := s.Now()
	err := s.Dialogs.StartDialog(ctx, r.Identity.Device.ID, r.CallID(), now.Add(busyFor), now)
	if err != nil {
		return fmt.Errorf("feature: start of the call: %w", err)
	}
	return nil
}

// end lets the reload go on, a moment later.
func (s *Service) end(r *handler.Request) {
	if !r.Identity.HasDevice() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.leaving), storeTime)
	defer cancel()
	err := s.Dialogs.EndDialog(ctx, r.Identity.Device.ID, r.CallID(), s.Now(), settle)
	if err != nil {
		s.Log.WarnContext(ctx, "the end of a call was not recorded; its device stays busy for a while",
			"from", r.Identity, "err", err)
	}
}

// accept sends the 200, unless a CANCEL came before: the stack would keep it as
// the response to send again in place of its 487.
func accept(ctx context.Context, r *handler.Request, res *sip.Response) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return r.Send(res)
}

// unsupported refuses a request that needs an extension of SIP: none of them
// would change a call of two seconds (RFC 3261 section 8.2.2.3).
func unsupported(r *handler.Request) error {
	var tags []string
	for _, v := range r.Values("Require") {
		for tag := range strings.SplitSeq(v, ",") {
			if tag = strings.TrimSpace(tag); tag != "" {
				tags = append(tags, tag)
			}
		}
	}
	if len(tags) == 0 {
		return nil
	}
	return &handler.Status{
		Code: sip.StatusBadExtension, Why: "require",
		Headers: []sip.Header{handler.Header("Unsupported", strings.Join(tags, ", "))},
	}
}

// message takes from a request what makes a dialog.
func message(r *handler.Request) dialog.Message {
	return dialog.Message{
		RequestURI: r.SIP.Recipient.String(), CallID: r.CallID(),
		From: r.Header("From"), To: r.Header("To"), Contact: r.Header("Contact"),
		RecordRoute: r.Values("Record-Route"), CSeq: r.SIP.CSeq().SeqNo,
		TLS: r.Flow.Transport == "tls" || r.Flow.Transport == "wss",
	}
}
