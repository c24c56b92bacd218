package sim

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// registration is what stays the same over the refreshes of one contact
// (RFC 3261 section 10.2): Call-ID, tag, and a CSeq that only rises.
type registration struct {
	callID, tag string
	cseq        uint32
	auth        *authState
}

// keepRegistered registers the line and refreshes at half of what was granted,
// until the line ends. A refusal with 403 is final, as it is for many phones.
func (l *line) keepRegistered() {
	expires, failures := l.acct.expires, 0
	for l.ctx.Err() == nil {
		res, err := l.register(l.ctx, expires)
		if l.ctx.Err() != nil {
			return
		}
		var wait time.Duration
		switch {
		case err == nil && res.IsSuccess():
			failures = 0
			wait = l.granted(res, expires) / 2
			l.registered()
		case err == nil && res.StatusCode == 423 && expires < minExpires(res):
			expires = minExpires(res)
		case err == nil && res.StatusCode == 403:
			l.refused(403)
			return
		default:
			failures++
			wait = backoff(l.p.opt.Retry, failures)
			status := 0
			if err == nil {
				status = res.StatusCode
				if ra, ok := retryAfter(res); ok {
					wait = ra
				}
			}
			l.refused(status)
		}
		if !l.pause(wait) {
			return
		}
	}
}

// pause waits, for less when the connection is lost; false ends the line.
func (l *line) pause(d time.Duration) bool {
	l.p.mu.Lock()
	var down <-chan struct{}
	if l.link != nil {
		down = l.link.down()
	}
	l.p.mu.Unlock()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-down:
		return sleep(l.ctx, min(d, l.p.opt.Retry/8))
	case <-l.ctx.Done():
		return false
	}
}

// register sends one REGISTER over a link that is up.
func (l *line) register(ctx context.Context, expires int) (*sip.Response, error) {
	host, port := l.acct.host, l.acct.port
	if l.acct.proxy != "" {
		host, port = l.acct.proxy, l.acct.proxyPort
	}
	dst, err := resolve(ctx, host, port)
	if err != nil {
		return nil, err
	}
	lk, err := l.p.connect(ctx, l.acct.transport, dst)
	if err != nil {
		return nil, err
	}
	l.p.mu.Lock()
	l.link, l.dst = lk, dst
	l.p.mu.Unlock()
	req := &request{
		method:  "REGISTER",
		uri:     "sip:" + l.acct.domain(),
		from:    l.party() + ";tag=" + l.reg.tag,
		to:      l.party(),
		callID:  l.reg.callID,
		contact: "<" + l.contactURI(lk) + ">",
		headers: []string{"Expires: " + strconv.Itoa(expires), "Allow: " + allowed},
	}
	if l.acct.macHeader {
		req.headers = append(req.headers, "Mac: "+l.p.opt.MAC.Colons())
	}
	return l.authenticated(ctx, l.reg.auth, req, &l.reg.cseq, l.send)
}

// granted reads the life of our contact: its own expires parameter, else the
// header, else what was asked (RFC 3261 section 10.2.4).
func (l *line) granted(res *sip.Response, asked int) time.Duration {
	l.p.mu.Lock()
	local := l.link.local()
	l.p.mu.Unlock()
	seconds := atoiRange(headerText(res, "Expires"), 1, 1<<31-1, asked)
	found := false
	for _, h := range res.GetHeaders("Contact") {
		c, ok := h.(*sip.ContactHeader)
		if !ok || c.Address.Port != int(local.Port()) || strings.Trim(c.Address.Host, "[]") != local.Addr().String() {
			continue
		}
		found = true
		v, ok := param(c.Params, "expires")
		if !ok {
			l.p.emit(Misbehaved, "200 to REGISTER without expires on our contact", 200)
		}
		seconds = atoiRange(v, 1, 1<<31-1, seconds)
	}
	if !found {
		l.p.emit(Misbehaved, "200 to REGISTER without our contact", 200)
	}
	return time.Duration(seconds) * time.Second
}

func (l *line) registered() {
	l.p.update(func(s *State) {
		if l.ctx.Err() != nil {
			return // another account has taken over meanwhile
		}
		s.Registered, s.AOR = true, l.acct.aor()
		s.Registers++
	})
	l.p.emit(Registered, l.acct.aor(), 200)
	l.lookAgain()
}

func (l *line) refused(status int) {
	l.p.update(func(s *State) {
		if l.ctx.Err() == nil {
			s.Registered, s.AOR = false, ""
		}
	})
	l.p.emit(Refused, l.acct.aor(), status)
}

// unregister removes the contact (RFC 3261 section 10.2.2). The line's
// goroutines must have ended.
func (l *line) unregister(ctx context.Context) {
	res, err := l.register(ctx, 0)
	if err == nil && res.IsSuccess() {
		l.p.emit(Unregistered, l.acct.aor(), 200)
	}
}

// minExpires reads the answer to a too short registration, within a day.
func minExpires(res *sip.Response) int {
	return atoiRange(headerText(res, "Min-Expires"), 1, 86400, 0)
}

// retryAfter reads Retry-After, which may carry a comment and parameters.
func retryAfter(res *sip.Response) (time.Duration, bool) {
	v := headerText(res, "Retry-After")
	if i := strings.IndexAny(v, " (;\t"); i >= 0 {
		v = v[:i]
	}
	n := atoiRange(v, 0, 86400, -1)
	return time.Duration(n) * time.Second, n >= 0
}

// backoff doubles from first to sixteen times that.
func backoff(first time.Duration, failures int) time.Duration {
	return first << min(max(failures-1, 0), 4)
}
