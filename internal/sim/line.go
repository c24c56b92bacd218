package sim

import (
	"context"
	"net/netip"
	"strings"
	"sync"

	"github.com/emiago/sipgo/sip"
)

// line is one account in effect: where it registers, its registration and its
// subscriptions. A new configuration with another account makes a new line.
type line struct {
	p      *Phone
	acct   account
	ctx    context.Context
	cancel context.CancelFunc

	// Guarded by the phone's lock.
	link link
	dst  netip.AddrPort
	subs map[int]*subscription // by the key's position

	reg    registration   // touched by keepRegistered, and after work is done
	shared *authState     // of brands where one nonce serves everything on a line
	due    chan struct{}  // capacity 1: look at the subscriptions again
	work   sync.WaitGroup // every goroutine of the line
}

// authState is the latest challenge of a server and how often its nonce was
// used (RFC 7616 section 3.4).
type authState struct {
	mu    sync.Mutex
	ch    challenge
	nc    uint32
	proxy bool
	have  bool
}

// auth gives the state a new dialog starts with.
func (l *line) auth() *authState {
	if l.p.habits.remembers {
		return l.shared
	}
	return &authState{}
}

// learn keeps a new challenge.
func (a *authState) learn(c challenge, proxy bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.have && a.ch.nonce == c.nonce {
		return // another request of the same moment brought it already
	}
	a.ch, a.nc, a.proxy, a.have = c, 0, proxy, true
}

// header gives the Authorization line for one request, empty when no challenge
// is known.
func (a *authState) header(acct account, method, uri string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.have {
		return ""
	}
	a.nc++
	v := answer{challenge: a.ch, user: acct.auth, password: acct.password, method: method, uri: uri, nc: a.nc, cnonce: token(4)}.header()
	if a.proxy {
		return "Proxy-Authorization: " + v
	}
	return "Authorization: " + v
}

// exchange is how one kind of request is sent and its final response awaited.
type exchange func(context.Context, *request) (*sip.Response, error)

// authenticated sends req with whatever challenge is known, and answers a
// challenge once, or a second time when the server called the first stale. The
// CSeq counts on with each attempt (RFC 3261 section 22.2).
func (l *line) authenticated(ctx context.Context, auth *authState, req *request, cseq *uint32, send exchange) (*sip.Response, error) {
	answered := false
	for attempt := 0; ; attempt++ {
		*cseq++
		req.cseq = *cseq
		req.auth = auth.header(l.acct, req.method, req.uri)
		sent := req.auth != ""
		res, err := send(ctx, req)
		if err != nil || (res.StatusCode != 401 && res.StatusCode != 407) || attempt == 3 {
			return res, err
		}
		name := "WWW-Authenticate"
		if res.StatusCode == 407 {
			name = "Proxy-Authenticate"
		}
		c, ok := pickChallenge(headerTexts(res, name))
		if !ok || (answered && sent && !c.stale) {
			return res, nil
		}
		// A challenge that came while an old nonce was tried has not been
		// answered yet; one that refuses our answer to itself has.
		answered = true
		auth.learn(c, res.StatusCode == 407)
	}
}

// send is the exchange of every request but INVITE. In a dialog the next hop
// is its first route or its target (RFC 3261 section 8.1.2); the phone itself
// sends everything to its registrar or outbound proxy when neither is an
// address.
func (l *line) send(ctx context.Context, req *request) (*sip.Response, error) {
	lk, dst, err := l.route(req)
	if err != nil {
		return nil, err
	}
	return l.p.roundTrip(ctx, req, newBranch(), lk, dst)
}

// route gives the link and the address for a request.
func (l *line) route(req *request) (link, netip.AddrPort, error) {
	l.p.mu.Lock()
	lk, dst := l.link, l.dst
	l.p.mu.Unlock()
	if lk == nil {
		return nil, dst, errTimeout
	}
	if !req.inDialog || lk.proto() != "udp" {
		return lk, dst, nil
	}
	next := req.uri
	if len(req.routes) > 0 {
		next = req.routes[0]
	}
	if a, ok := hop(next); ok {
		dst = a
	}
	return lk, dst, nil
}

// hop gives the address a URI or Route value names, when it names one.
func hop(s string) (netip.AddrPort, bool) {
	if i := strings.IndexByte(s, '<'); i >= 0 {
		s, _, _ = strings.Cut(s[i+1:], ">")
	}
	var u sip.Uri
	if err := sip.ParseUri(s, &u); err != nil {
		return netip.AddrPort{}, false
	}
	ip, err := netip.ParseAddr(strings.Trim(u.Host, "[]"))
	if err != nil || u.Port < 0 || u.Port > 65535 {
		return netip.AddrPort{}, false
	}
	port := u.Port
	if port == 0 {
		port = 5060
	}
	return netip.AddrPortFrom(ip.Unmap(), uint16(port)), true
}

// contactURI gives the address the phone registers. Snom marks the line in it.
func (l *line) contactURI(lk link) string {
	s := "sip:" + escapeUser(l.acct.user) + "@" + lk.local().String()
	if lk.proto() == "tcp" {
		s += ";transport=tcp"
	}
	if l.p.opt.Brand == Snom {
		s += ";line=" + l.p.lineMark
	}
	return s
}

// party gives a From or To value: the account's address with its name.
func (l *line) party() string {
	s := "<sip:" + l.acct.address() + ">"
	if l.acct.name != "" {
		s = quote(l.acct.name) + " " + s
	}
	return s
}
