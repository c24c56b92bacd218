package sim

import (
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// onDialogNotify takes a NOTIFY of one of the phone's subscriptions.
func (p *Phone) onDialogNotify(req *sip.Request, in inbound) ([]byte, func()) {
	callID, tag := dialogID(req)
	event, _, _ := strings.Cut(headerText(req, "Event", "o"), ";")
	state := headerText(req, "Subscription-State")
	p.mu.Lock()
	s := p.dialogs[dialogKey{callID, tag}]
	if s == nil || (s.remoteTag != "" && s.remoteTag != fromTag(req)) {
		p.mu.Unlock()
		return p.respond(in, 481, "Subscription Does Not Exist", ""), nil
	}
	answer, wrong := 0, ""
	var events []Event
	switch {
	case strings.TrimSpace(event) != "dialog":
		answer, wrong = 489, "NOTIFY with another Event in a dialog subscription"
	case state == "":
		answer, wrong = 400, "NOTIFY without Subscription-State"
	case req.CSeq().SeqNo <= s.peerCSeq:
		answer, wrong = 500, "NOTIFY with a CSeq that does not rise"
	default:
		events, wrong = s.notified(req, state)
	}
	p.wake()
	p.mu.Unlock()
	after := func() {
		if wrong != "" {
			p.emit(Misbehaved, wrong, answer)
		}
		for _, e := range events {
			p.emit(e.Kind, e.Detail, e.Status)
		}
		s.line.lookAgain()
	}
	switch answer {
	case 0:
		return p.respond(in, 200, "OK", ""), after
	case 489:
		return p.respond(in, 489, "Bad Event", "", "Allow-Events: dialog"), after
	case 400:
		return p.respond(in, 400, "Bad Request", ""), after
	}
	return p.respond(in, 500, "Server Internal Error", ""), after
}

// notified takes a NOTIFY that fits the dialog; the lock is held.
func (s *subscription) notified(req *sip.Request, state string) (events []Event, wrong string) {
	s.peerCSeq = req.CSeq().SeqNo
	if s.remoteTag == "" {
		// The NOTIFY overtook the 2xx (RFC 6665 section 4.4.1): it makes the dialog.
		s.remoteTag, s.routes, s.established = fromTag(req), headerTexts(req, "Record-Route"), true
	}
	if c := req.Contact(); c != nil {
		s.target = c.Address.String()
	}
	s.lamp.Notifies++
	if len(req.Body()) > 0 {
		events, wrong = s.show(req)
	} else if !s.lamp.Lit && !s.unsubscribed {
		wrong = "first NOTIFY without a dialog-info document"
	}
	sub, params, _ := strings.Cut(state, ";")
	if strings.EqualFold(strings.TrimSpace(sub), "terminated") {
		events = append(events, s.terminated(params)...)
	}
	return events, wrong
}

// show changes the lamp by the document in the body.
func (s *subscription) show(req *sip.Request) (events []Event, wrong string) {
	kind, _, _ := strings.Cut(headerText(req, "Content-Type"), ";")
	if !strings.EqualFold(strings.TrimSpace(kind), "application/dialog-info+xml") {
		return nil, "dialog NOTIFY with a body that is no dialog-info"
	}
	d, err := parseDialogInfo(req.Body())
	switch {
	case err != nil:
		return nil, clean(err.Error())
	case int64(*d.Version) <= s.version:
		return nil, "dialog-info with a version that does not rise"
	case s.version < 0 && d.State != "full":
		return nil, "first dialog-info is not full"
	case s.version < 0 && *d.Version != 0:
		wrong = "first dialog-info has a version other than 0"
	}
	s.version = int64(*d.Version)
	s.info = d.take(s.info)
	if now := lampState(s.info); now != s.lamp.State {
		s.lamp.State = now
		events = append(events, Event{Kind: LampChanged, Detail: s.key.target})
	}
	if !s.lamp.Lit {
		s.lamp.Lit = true
		events = append(events, Event{Kind: Lit, Detail: s.key.target})
	}
	return events, wrong
}

// terminated ends the dialog, and begins another when the reason allows it
// (RFC 6665 section 4.1.3).
func (s *subscription) terminated(params string) []Event {
	if !s.endedIsSaid {
		s.endedIsSaid = true
		close(s.ended)
	}
	if s.unsubscribed {
		return nil
	}
	s.lamp.Subscribed, s.lamp.Lit = false, false
	p := s.line.p
	wait := backoff(p.opt.Retry, 1)
	for f := range strings.SplitSeq(params, ";") {
		k, v, _ := strings.Cut(strings.TrimSpace(f), "=")
		switch {
		case strings.EqualFold(k, "reason") && (v == "deactivated" || v == "timeout"):
			wait = 0
		case strings.EqualFold(k, "reason") && (v == "rejected" || v == "noresource" || v == "invariant"):
			s.over = true
		case strings.EqualFold(k, "retry-after"):
			wait = time.Duration(atoiRange(v, 0, 86400, 0)) * time.Second
		}
	}
	if s.again = time.Now().Add(wait); !s.busy {
		s.begin()
	}
	return []Event{{Kind: Dark, Detail: s.key.target}}
}
