package lossy

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// Timers of RFC 3261 section 17.
const (
	t1      = 500 * time.Millisecond
	t2      = 4 * time.Second
	timeout = 64 * t1
)

var errTimeout = errors.New("lossy: no answer")

// ask is a request of a phone.
type ask struct {
	method, uri, from, to, callID string
	cseq                          int
	routes, headers               []string
	body                          string
	kind                          string // of the body; empty: SDP
	branch                        string
}

func token() string { return fmt.Sprintf("%016x", rand.Uint64()) }

func (p *Phone) text(a ask) string {
	lines := []string{
		a.method + " " + a.uri + " SIP/2.0", "Via: SIP/2.0/UDP " + p.at() + ";branch=" + a.branch + ";rport", "Max-Forwards: 70",
		"From: " + a.from, "To: " + a.to, "Call-ID: " + a.callID, fmt.Sprintf("CSeq: %d %s", a.cseq, a.method), "Contact: <" + p.contact() + ">",
	}
	for _, r := range a.routes {
		lines = append(lines, "Route: "+r)
	}
	lines = append(lines, a.headers...)
	if a.kind == "" {
		a.kind = "application/sdp"
	}
	if a.body != "" {
		lines = append(lines, "Content-Type: "+a.kind)
	}
	return strings.Join(append(lines, fmt.Sprintf("Content-Length: %d", len(a.body)), "", a.body), "\r\n")
}

// request sends a request until its final response comes; a challenge is
// answered. next gives the number of another try. heard, for an INVITE, hears of
// each provisional response and of the branch it belongs to.
func (p *Phone) request(ctx context.Context, a ask, next func() int, heard func(ask)) (message, ask, error) {
	plain := a.headers
	for range 4 {
		a.branch = "z9hG4bK" + token()
		a.headers = plain
		if line := p.credentials(a.method, a.uri); line != "" {
			a.headers = append(a.headers[:len(a.headers):len(a.headers)], line)
		}
		res, err := p.once(ctx, a, heard)
		if err != nil || res.code() != 401 {
			return res, a, err
		}
		p.challenged(res)
		a.cseq = next()
	}
	return message{}, a, errors.New("lossy: challenged again and again")
}

// once is one client transaction.
func (p *Phone) once(ctx context.Context, a ask, heard func(ask)) (message, error) {
	key := a.branch + " " + a.method
	in := make(chan message, 16)
	p.mu.Lock()
	p.clients[key] = in
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.clients, key)
		p.mu.Unlock()
	}()
	text := p.text(a)
	p.net.send(text)
	wait := t1
	again := time.NewTimer(wait)
	defer again.Stop()
	limit := time.NewTimer(timeout)
	defer limit.Stop()
	proceeding := false
	for {
		select {
		case m := <-in:
			if m.code() >= 200 {
				if a.method == "INVITE" {
					p.acknowledge(a, m)
				}
				return m, nil
			}
			if a.method == "INVITE" && !proceeding {
				proceeding = true
				again.Stop()
				limit.Reset(2 * time.Minute)
			}
			if heard != nil {
				heard(a)
			}
		case <-again.C:
			p.net.send(text)
			if wait *= 2; a.method != "INVITE" {
				wait = min(wait, t2)
			}
			again.Reset(wait)
		case <-limit.C:
			return message{}, errTimeout
		case <-ctx.Done():
			return message{}, ctx.Err()
		}
	}
}

// acknowledge sends the ACK of a final response to an INVITE, now and whenever
// the response comes again.
func (p *Phone) acknowledge(a ask, res message) {
	ack := ask{method: "ACK", uri: a.uri, from: a.from, to: res.get("to"), callID: a.callID, cseq: a.cseq, branch: a.branch}
	if res.code() < 300 {
		ack.branch = "z9hG4bK" + token()
		ack.uri, ack.routes = uriOf(res.get("contact")), reversed(res.recorded())
	}
	text := p.text(ack)
	p.mu.Lock()
	p.acks[a.branch] = text
	p.mu.Unlock()
	time.AfterFunc(timeout, func() {
		p.mu.Lock()
		delete(p.acks, a.branch)
		p.mu.Unlock()
	})
	p.net.send(text)
}

func reversed(list []string) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[len(list)-1-i] = v
	}
	return out
}

// respond answers a request, and again when it comes again.
func (p *Phone) respond(m message, code int, reason, tag string, body string) string {
	lines := []string{fmt.Sprintf("SIP/2.0 %d %s", code, reason)}
	for _, name := range []string{"via", "record-route", "from", "call-id", "cseq"} {
		for _, v := range m.all(name) {
			lines = append(lines, name+": "+v)
		}
	}
	to := m.get("to")
	if tag != "" && parameter(to, "tag") == "" {
		to += ";tag=" + tag
	}
	lines = append(lines, "To: "+to, "Contact: <"+p.contact()+">")
	if body != "" {
		lines = append(lines, "Content-Type: application/sdp")
	}
	text := strings.Join(append(lines, fmt.Sprintf("Content-Length: %d", len(body)), "", body), "\r\n")
	p.mu.Lock()
	p.served[m.branch()+" "+m.method()] = text
	p.mu.Unlock()
	p.net.send(text)
	return text
}

// insist sends a final response to an INVITE until its ACK comes.
func (p *Phone) insist(text string, acked <-chan struct{}) bool {
	limit := time.NewTimer(timeout)
	defer limit.Stop()
	wait := t1
	for {
		again := time.NewTimer(wait)
		select {
		case <-acked:
			again.Stop()
			return true
		case <-limit.C:
			again.Stop()
			return false
		case <-p.done:
			again.Stop()
			return false
		case <-again.C:
			p.net.send(text)
			wait = min(2*wait, t2)
		}
	}
}
