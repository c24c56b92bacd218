package sim

import (
	"context"
	"strconv"
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
	again        time.Time // when the server allows another after ended
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

// begin drops the dialog for another one, due when the last allows it. The
// phone's lock is held and the subscription not busy.
func (s *subscription) begin() {
	s.lamp.Subscribed = false
	s.line.p.forget(s)
	s.fresh()
	s.due = s.again
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
	case s.endedIsSaid:
		// A NOTIFY has ended the dialog before this answer was read.
		s.begin()
	case status/100 == 2:
		s.accepted(res)
		kind = Subscribed
	case status == 481 && s.established:
		// The server has forgotten the dialog: begin another at once.
		s.again = time.Now()
		s.begin()
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
