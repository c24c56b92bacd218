package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"perch/hotdesk/directory"
	"perch/hotdesk/reload"
	"perch/internal/event"
)

// Screens sends texts to the phones' screens. A phone that shows none is
// reload.ErrNoScreen.
type Screens interface {
	Show(ctx context.Context, d directory.DeviceID, text string) error
}

// MessageBody is a text for one phone's screen.
type MessageBody struct {
	MAC  string `json:"mac" minLength:"12" maxLength:"17" doc:"Device whose screen shall show it"`
	Text string `json:"text" minLength:"1" maxLength:"200" doc:"One short line"`
}

type messageInput struct{ Body MessageBody }

// messageWithin bounds the wait for the phone's answer (RFC 3261 section
// 17.1.2.2 would wait 32 s).
const messageWithin = 8 * time.Second

func (s *server) screenRoutes(a huma.API) {
	huma.Register(a, op("traceByCode", http.MethodGet, "/support/{code}", "What a support code on a phone's screen is about"), s.byCode)
	if s.Screens != nil {
		o := op("message", http.MethodPost, "/message", "Show a short text on a phone's screen, where the brand and the policy (screen.push) allow it")
		o.DefaultStatus = http.StatusNoContent
		huma.Register(a, o, s.message)
	}
}

func (s *server) message(ctx context.Context, in *messageInput) (*struct{}, error) {
	mac, err := parseMAC(in.Body.MAC)
	if err != nil {
		return nil, err
	}
	id, err := s.deviceID(ctx, mac)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	ctx, cancel := context.WithTimeout(ctx, messageWithin)
	defer cancel()
	if err := s.acted(ctx, event.Event{Tenant: id.Tenant, MAC: mac.String(), Detail: "message"}); err != nil {
		return nil, s.fault(ctx, err)
	}
	err = s.Screens.Show(ctx, id, in.Body.Text)
	if errors.Is(err, reload.ErrNoScreen) || errors.Is(err, context.DeadlineExceeded) {
		return nil, problem(http.StatusConflict, "no_screen", "Not shown",
			"The phone took no text: its brand shows none, policy screen.push is off there, or it is not registered or did not accept it.")
	}
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	return nil, nil
}
