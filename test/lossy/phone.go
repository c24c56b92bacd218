package lossy

import (
	"context"
	"encoding/xml"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"
)

// Phone is one phone of the office, with a static password.
type Phone struct {
	Number   string
	password string
	domain   string
	net      *socket
	done     chan struct{}
	hook     func(what string, at time.Time)
	rings    time.Duration
	tasks    sync.WaitGroup

	mu      sync.Mutex
	seq     int
	ch      *challenge
	clients map[string]chan message // by branch and method
	acks    map[string]string       // by the branch of an INVITE
	served  map[string]string       // by branch and method: the last response
	waiting map[string]*incoming    // by Call-ID: INVITEs without an ACK
	talks   map[string]*talk        // by Call-ID
	lamps   map[string]*lamp        // by Call-ID of the subscription
	busy    bool
	faults  []string
}

// lamp is a subscription and what it shows.
type lamp struct {
	target, tag string
	version     int
	cseq        int
	state       string
}

// talk is one call that is up.
type talk struct {
	callID, local, remote, target string
	routes                        []string
	cseq                          int
	over                          chan struct{}
	once                          sync.Once
}

func (t *talk) end() { t.once.Do(func() { close(t.over) }) }

// incoming is an INVITE that came.
type incoming struct {
	acked, cancelled chan struct{}
	ack, cancel      sync.Once
}

// New makes a phone; Close it.
func New(n *Network, server, domain, number, password string) (*Phone, error) {
	s, err := dial(n, server)
	if err != nil {
		return nil, err
	}
	p := &Phone{
		Number: number, password: password, domain: domain, net: s, done: make(chan struct{}),
		clients: map[string]chan message{}, acks: map[string]string{}, served: map[string]string{},
		waiting: map[string]*incoming{}, talks: map[string]*talk{}, lamps: map[string]*lamp{},
	}
	p.tasks.Go(func() { s.receive(p.take) })
	return p, nil
}

// Rings sets how long the phone rings before it answers, in place of 0.2 to 1.5 s.
// Set it before the phone is used.
func (p *Phone) Rings(d time.Duration) { p.rings = d }

// Hook has f told of what the phone does and sees, as it happens: "ringing" and
// "answered" before it says so, "bye" when that comes, and "lamp " with what a
// lamp shows now. Set it before the phone is used; f must not block.
func (p *Phone) Hook(f func(what string, at time.Time)) { p.hook = f }

func (p *Phone) tell(what string) {
	if p.hook != nil {
		p.hook(what, time.Now())
	}
}

// Close ends the phone at once, as a power cut would.
func (p *Phone) Close() {
	close(p.done)
	_ = p.net.conn.Close()
	p.tasks.Wait()
}

func (p *Phone) at() string      { return p.net.conn.LocalAddr().String() }
func (p *Phone) contact() string { return "sip:" + p.Number + "@" + p.at() }
func (p *Phone) aor() string     { return "sip:" + p.Number + "@" + p.domain }

func (p *Phone) next() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seq++
	return p.seq
}

func (p *Phone) credentials(method, uri string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ch == nil || method == "BYE" {
		return ""
	}
	return p.ch.answer(p.Number, p.password, method, uri)
}

func (p *Phone) challenged(m message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ch = challengeOf(m)
}

func (p *Phone) fault(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, p.Number+": "+fmt.Sprintf(format, args...))
}

// Faults tells what was wrong with what the phone got.
func (p *Phone) Faults() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults
}

// Register registers the phone.
func (p *Phone) Register(ctx context.Context) error {
	return p.plain(ctx, ask{
		method: "REGISTER", uri: "sip:" + p.domain, from: "<" + p.aor() + ">;tag=" + token(), to: "<" + p.aor() + ">",
		callID: token(), headers: []string{"Expires: 3600"},
	})
}

func (p *Phone) plain(ctx context.Context, a ask) error {
	a.cseq = p.next()
	res, _, err := p.request(ctx, a, p.next, nil)
	if err == nil && res.code()/100 != 2 {
		err = fmt.Errorf("lossy: %s of %s: %s", a.method, p.Number, res.line)
	}
	return err
}

// Watch subscribes to another extension's calls (RFC 4235).
func (p *Phone) Watch(ctx context.Context, number string) error {
	uri, id := "sip:"+number+"@"+p.domain, token()
	l := &lamp{target: number, tag: token(), version: -1}
	p.mu.Lock()
	p.lamps[id] = l
	p.mu.Unlock()
	return p.plain(ctx, ask{
		method: "SUBSCRIBE", uri: uri, from: "<" + p.aor() + ">;tag=" + l.tag, to: "<" + uri + ">", callID: id,
		headers: []string{"Event: dialog", "Expires: 3600"},
	})
}

// Lamps gives what each lamp shows, by extension: "" for one that was never lit.
func (p *Phone) Lamps() map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := map[string]string{}
	for _, l := range p.lamps {
		out[l.target] = l.state
	}
	return out
}

// InCall tells whether the phone believes to be in a call that was answered.
func (p *Phone) InCall() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.talks) > 0
}

// Free tells whether the phone could be called.
func (p *Phone) Free() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.busy
}

func (p *Phone) seize() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy {
		return false
	}
	p.busy = true
	return true
}

func (p *Phone) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.busy = false
}

// take takes a datagram.
func (p *Phone) take(m message) {
	select {
	case <-p.done:
		return
	default:
	}
	if m.code() != 0 {
		p.response(m)
		return
	}
	p.mu.Lock()
	again, ok := p.served[m.branch()+" "+m.method()]
	if !ok && m.method() != "ACK" {
		p.served[m.branch()+" "+m.method()] = ""
	}
	p.mu.Unlock()
	if ok {
		if again != "" {
			p.net.send(again)
		}
		return
	}
	switch m.method() {
	case "NOTIFY":
		p.notified(m)
	case "INVITE":
		p.tasks.Go(func() { p.invited(m) })
	case "ACK":
		p.acknowledged(m)
	case "CANCEL":
		p.cancelled(m)
	case "BYE":
		p.hungUp(m)
	case "OPTIONS":
		code := 200
		if parameter(m.get("to"), "tag") != "" && p.talk(m.get("call-id")) == nil {
			code = 481
		}
		p.respond(m, code, "OK", "", "")
	default:
		p.respond(m, 405, "Method Not Allowed", "", "")
	}
}

func (p *Phone) response(m message) {
	p.mu.Lock()
	in := p.clients[m.branch()+" "+m.method()]
	ack := p.acks[m.branch()]
	p.mu.Unlock()
	switch {
	case in != nil:
		select {
		case in <- m:
		default:
		}
	case ack != "" && m.code() >= 200 && m.method() == "INVITE":
		p.net.send(ack)
	}
}

// document is a dialog-info (RFC 4235 section 4.4).
type document struct {
	Version int `xml:"version,attr"`
	Dialogs []struct {
		State string `xml:"state"`
	} `xml:"dialog"`
}

func (p *Phone) notified(m message) {
	p.mu.Lock()
	l := p.lamps[m.get("call-id")]
	p.mu.Unlock()
	if l == nil {
		p.respond(m, 481, "Subscription Does Not Exist", "", "")
		return
	}
	if m.body == "" { // a server that does not know the state yet
		p.respond(m, 200, "OK", "", "")
		return
	}
	var d document
	if err := xml.Unmarshal([]byte(m.body), &d); err != nil {
		p.fault("body: %v", err)
		p.respond(m, 400, "Bad Request", "", "")
		return
	}
	code, text := p.show(l, m, d)
	p.tell("lamp " + l.state)
	p.respond(m, code, text, "", "")
}

func (p *Phone) show(l *lamp, m message, d document) (int, string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case m.cseq() <= l.cseq:
		return 500, "Out of Order"
	case d.Version <= l.version:
		p.faults = append(p.faults, fmt.Sprintf("%s: version %d after %d of %s", p.Number, d.Version, l.version, l.target))
	case strings.HasPrefix(m.get("subscription-state"), "terminated"):
		p.faults = append(p.faults, fmt.Sprintf("%s: the watch over %s has ended: %s", p.Number, l.target, m.get("subscription-state")))
	}
	l.cseq, l.version, l.state = m.cseq(), d.Version, "idle"
	for _, one := range d.Dialogs {
		if one.State != "terminated" && l.state != "confirmed" {
			l.state = one.State
		}
	}
	return 200, "OK"
}

// sleep waits; false when the phone is closed.
func (p *Phone) sleep(d time.Duration, quit <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-quit:
		return false
	case <-p.done:
		return false
	}
}

// between gives a random time.
func between(from, to time.Duration) time.Duration { return from + rand.N(to-from+1) }
