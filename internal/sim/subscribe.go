package sim

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// subscription is one key's dialog with the presence server (RFC 6665). All
// but cseq and auth, which belong to the goroutine that made it busy, is
// guarded by the phone's lock.
type subscription struct {
	key  blfKey
	line *line
	lamp Lamp

	callID, tag  string
	cseq         uint32
	auth         *authState
	remoteTag    string
	target       string   // the peer's Contact
	routes       []string // the dialog's route set
	established  bool
	peerCSeq     uint32
	info         map[string]string // dialogs of the watched party
	version      int64             // of the last document, -1 for none
	busy         bool
	failures     int
	due          time.Time
	over         bool          // refused for good
	ended        chan struct{} // closed by a NOTIFY that says terminated
	endedIsSaid  bool
	unsubscribed bool
}

// subscriptionLife is what phones ask for; the server may shorten it.
const subscriptionLife = 3600

func (l *line) newSubscription(k blfKey) *subscription {
	s := &subscription{key: k, line: l, lamp: Lamp{Target: k.target, Label: k.label}}
	s.fresh()
	return s
}

// fresh makes the subscription a new dialog.
func (s *subscription) fresh() {
	s.callID, s.tag, s.cseq = token(12), token(6), 0
	s.auth = s.line.auth()
	s.remoteTag, s.target, s.routes, s.established = "", s.key.uri, nil, false
	s.peerCSeq, s.info, s.version = 0, nil, -1
	s.ended, s.endedIsSaid = make(chan struct{}), false
}

// lookAgain wakes keepSubscribed.
func (l *line) lookAgain() {
	select {
	case l.due <- struct{}{}:
	default:
	}
}

// keepSubscribed subscribes every key as soon as the line is registered, all
// at once as phones do, and refreshes each before it ends.
func (l *line) keepSubscribed() {
	for {
		wait := l.startDue(time.Now())
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-l.due:
		case <-l.ctx.Done():
			t.Stop()
			return
		}
		t.Stop()
	}
}

// startDue starts what is due and tells when to look again.
func (l *line) startDue(now time.Time) time.Duration {
	l.p.mu.Lock()
	wait := time.Hour
	var start []*subscription
	for _, s := range l.subs {
		switch {
		case s.busy || s.over || !l.p.st.Registered:
		case !s.due.After(now):
			s.busy = true
			start = append(start, s)
		default:
			wait = min(wait, s.due.Sub(now))
		}
	}
	for _, s := range start {
		l.p.dialogs[dialogKey{s.callID, s.tag}] = s
	}
	l.p.mu.Unlock()
	for _, s := range start {
		l.work.Go(func() { l.subscribe(s) })
	}
	return max(wait, 10*time.Millisecond)
}

// subscribe sends one SUBSCRIBE, new or refreshing, and plans the next.
func (l *line) subscribe(s *subscription) {
	res, err := l.authenticated(l.ctx, s.auth, l.subscribeRequest(s, subscriptionLife), &s.cseq, l.send)
	status := 0
	if err == nil {
		status = res.StatusCode
	}
	p := l.p
	p.mu.Lock()
	s.busy = false
	kind, first := Dark, !s.lamp.Subscribed
	switch {
	case status/100 == 2:
		s.accepted(res)
		kind = Subscribed
	case status == 481 && s.established:
		// The server has forgotten the dialog: begin another at once.
		p.forget(s)
		s.fresh()
		s.due = time.Now()
	case status == 403 || status == 404 || status == 489:
		s.over, s.lamp.Subscribed = true, false
	default:
		s.failures++
		s.lamp.Subscribed = false
		s.due = time.Now().Add(backoff(p.opt.Retry, s.failures))
		if err == nil {
			if ra, ok := retryAfter(res); ok {
				s.due = time.Now().Add(ra)
			}
		}
	}
	p.wake()
	p.mu.Unlock()
	if l.ctx.Err() == nil && (kind == Dark || first) {
		p.emit(kind, s.key.target, status)
	}
	l.lookAgain()
}

// accepted takes the dialog state out of a 2xx (RFC 3261 section 12.1.2). The
// phone's lock is held.
func (s *subscription) accepted(res *sip.Response) {
	if !s.established {
		if to := res.To(); to != nil {
			s.remoteTag, _ = param(to.Params, "tag")
		}
		rr := headerTexts(res, "Record-Route")
		s.routes = nil
		for i := len(rr) - 1; i >= 0; i-- {
			s.routes = append(s.routes, rr[i])
		}
	}
	if c := res.Contact(); c != nil {
		s.target = c.Address.String()
	}
	s.established, s.failures = true, 0
	s.lamp.Subscribed = true
	granted := atoiRange(headerText(res, "Expires"), 1, subscriptionLife, subscriptionLife)
	s.due = time.Now().Add(time.Duration(granted) * time.Second * 2 / 3)
}

// subscribeRequest builds a SUBSCRIBE, in the dialog once there is one.
func (l *line) subscribeRequest(s *subscription, expires int) *request {
	p := l.p
	p.mu.Lock()
	defer p.mu.Unlock()
	req := &request{
		method:   "SUBSCRIBE",
		uri:      s.key.uri,
		from:     l.party() + ";tag=" + s.tag,
		to:       "<" + s.key.uri + ">",
		callID:   s.callID,
		contact:  "<" + l.contactURI(l.link) + ">",
		headers:  []string{"Event: dialog", "Accept: application/dialog-info+xml", "Expires: " + strconv.Itoa(expires), "Allow: " + allowed},
		inDialog: s.established,
	}
	if s.established {
		req.uri, req.routes = s.target, s.routes
		req.to += ";tag=" + s.remoteTag
	}
	return req
}

// unsubscribe ends the dialog and waits a moment for the NOTIFY that says so
// (RFC 6665 section 4.1.2.3). The goroutine that was busy must have ended.
func (l *line) unsubscribe(ctx context.Context, s *subscription) {
	defer l.p.dropDialog(s)
	l.p.mu.Lock()
	on, ended := s.established && !s.endedIsSaid, s.ended
	s.unsubscribed = true
	l.p.mu.Unlock()
	if !on {
		return
	}
	res, err := l.authenticated(ctx, s.auth, l.subscribeRequest(s, 0), &s.cseq, l.send)
	if err != nil || !res.IsSuccess() {
		return
	}
	t := time.NewTimer(8 * l.p.opt.T1)
	defer t.Stop()
	select {
	case <-ended:
	case <-t.C:
	case <-ctx.Done():
	}
}

// dialogKey names a dialog by what the phone chose (RFC 3261 section 12).
type dialogKey struct{ callID, tag string }

// forget takes a dialog off the list; the lock is held.
func (p *Phone) forget(s *subscription) { delete(p.dialogs, dialogKey{s.callID, s.tag}) }

func (p *Phone) dropDialog(s *subscription) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forget(s)
}

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
	if !s.busy {
		p.forget(s)
		s.fresh()
		s.due = time.Now().Add(wait)
	}
	return []Event{{Kind: Dark, Detail: s.key.target}}
}
