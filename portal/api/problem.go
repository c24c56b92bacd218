package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"perch/hotdesk"
)

// Problem is every refusal of this API (RFC 9457). Reason is a word for
// programs; Title names the kind, Detail says what to do.
type Problem struct {
	huma.ErrorModel
	Reason string `json:"reason,omitempty" doc:"The kind of problem in one word, for programs"`
}

// retryAfter is how long a client shall leave a store that does not answer.
const retryAfter = 2 * time.Second

// said is what an admin is told of one reason.
type said struct {
	status        int
	title, detail string
}

// problems is the only place where a refusal becomes an HTTP status and words.
// Whoever asks here is an admin: nothing needs hiding.
func problems() map[hotdesk.Reason]said {
	return map[hotdesk.Reason]said{
		hotdesk.BadCredentials: {http.StatusNotFound, "No such extension", "The tenant has no extension of that number: check it, or load it with perch apply."},
		hotdesk.Locked:         {http.StatusTooManyRequests, "Locked", "Too many wrong PINs from there: wait until Retry-After has passed."},
		hotdesk.Elsewhere:      {http.StatusConflict, "Logged in elsewhere", "The extension is logged in at as many desks as max_logins allows: log it out there first."},
		hotdesk.DeskTaken:      {http.StatusConflict, "Desk taken", "Somebody sits there and the policy does not let them be replaced: log them out first."},
		hotdesk.AskFirst:       {http.StatusConflict, "Desk taken", "Somebody sits there: ask them, log them out, and try again."},
		hotdesk.SiteForbidden:  {http.StatusForbidden, "Site not allowed", "The extension's policy does not list the site of this desk."},
		hotdesk.UnknownDevice:  {http.StatusNotFound, "No such device", "The tenant has no device with that MAC address: check it, or load it with perch apply."},
		hotdesk.EmergencyOnly:  {http.StatusForbidden, "Emergency desk", "The class of this desk is emergency-only: nobody logs in there."},
		hotdesk.NotOwner:       {http.StatusForbidden, "Somebody's own desk", "The class of this desk is owned: its owner logs in there, or an admin logs somebody in."},
		hotdesk.Reserved:       {http.StatusForbidden, "Desk reserved", "The desk is reserved for others at this time."},
		hotdesk.NotValid:       {http.StatusForbidden, "Guest not valid now", "The time is before the extension's valid_from or after its valid_until."},
		hotdesk.WeakPIN:        {http.StatusUnprocessableEntity, "PIN too weak", "The new PIN is against the PIN rules of the policy (pin_min, pin_weak): choose another."},
		hotdesk.PINFixed:       {http.StatusForbidden, "PIN cannot be changed", "The policy has pin_change: false, or takes the PIN from elsewhere (pin_source)."},
		hotdesk.NotUnderstood:  {http.StatusConflict, "Policy not understood", "A setting of the policy is not understood, or names a calendar that is not there: perch why shows it, the server's log says which."},
		hotdesk.NobodyHere:     {http.StatusConflict, "Nobody is logged in there", "Nothing was changed: perch mapping shows who sits where."},
	}
}

func problem(status int, reason, title, detail string) *Problem {
	return &Problem{ErrorModel: huma.ErrorModel{Type: "urn:perch:problem:" + reason, Status: status, Title: title, Detail: detail}, Reason: reason}
}

func badRequest(detail string) error {
	return problem(http.StatusBadRequest, "bad_request", "Bad request", detail)
}

func notFound(reason, title, detail string) error {
	return problem(http.StatusNotFound, reason, title, detail)
}

// fault turns an error into what the client is told. What is not a refusal is
// logged in full and shown as nothing.
func (s *server) fault(ctx context.Context, err error) error {
	if no, ok := errors.AsType[*hotdesk.Refused](err); ok {
		return refused(no)
	}
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	if errors.Is(err, hotdesk.ErrUnavailable) {
		p := problem(http.StatusServiceUnavailable, "unavailable", "Store unavailable",
			"Redis does not answer; what was asked for is either done or not, never half. Ask again.")
		return huma.ErrorWithHeaders(p, http.Header{"Retry-After": {seconds(retryAfter)}})
	}
	if errors.Is(err, hotdesk.ErrNotFound) {
		return notFound("not_found", "Not found", "There is no such thing, or no longer.")
	}
	if ctx.Err() == nil {
		s.Log.ErrorContext(ctx, "api request failed", "err", err)
	}
	return problem(http.StatusInternalServerError, "internal", "Internal error", "The server's log says more.")
}

func refused(no *hotdesk.Refused) error {
	say, known := problems()[no.Why]
	if !known {
		say = said{http.StatusForbidden, "Refused", "The policy does not allow it."}
	}
	p := problem(say.status, string(no.Why), say.title, say.detail)
	if no.RetryAfter > 0 {
		return huma.ErrorWithHeaders(p, http.Header{"Retry-After": {seconds(no.RetryAfter)}})
	}
	return p
}

func seconds(d time.Duration) string {
	return strconv.Itoa(max(1, int((d+time.Second-1)/time.Second)))
}

// writeProblem answers outside of huma.
func writeProblem(w http.ResponseWriter, p *Problem) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client went away: nobody to tell
}
