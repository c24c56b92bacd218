package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// callLoad is what the callers are to do: so many pairs call one after the
// other, for so long.
type callLoad struct {
	Target, Transport string
	Pairs             int
	For               time.Duration
}

// callers runs a load of calls in this process and prints the result as JSON.
func callers(_ context.Context, args []string, out io.Writer) error {
	f := flags("callers")
	var l callLoad
	f.StringVar(&l.Target, "target", "127.0.0.1:5060", "host:port")
	f.StringVar(&l.Transport, "transport", "udp", "udp or tcp")
	f.IntVar(&l.Pairs, "pairs", 64, "pairs of phones")
	f.DurationVar(&l.For, "for", 4*time.Second, "how long")
	if err := f.Parse(args); err != nil {
		return err
	}
	r, err := l.run()
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(r)
}

func (l callLoad) run() (result, error) {
	pairs := make([]*pair, l.Pairs)
	for i := range pairs {
		var err error
		if pairs[i], err = l.newPair(i); err != nil {
			return result{}, err
		}
		defer pairs[i].close()
	}
	used, begun := cpuOfSelf(), time.Now()
	var all sync.WaitGroup
	for _, p := range pairs {
		all.Go(func() {
			for time.Since(begun) < l.For {
				p.call()
			}
		})
	}
	all.Wait()
	took := time.Since(begun)
	r := result{ProcessorShare: (cpuOfSelf() - used).Seconds() / took.Seconds()}
	var latencies []time.Duration
	for _, p := range pairs {
		r.OK, r.Other, r.Repeated = r.OK+len(p.took), r.Other+p.failed, r.Repeated+p.repeated
		latencies = append(latencies, p.took...)
	}
	r.Rate = float64(r.OK) / took.Seconds()
	slices.Sort(latencies)
	if len(latencies) > 0 {
		r.P50, r.P99 = latencies[len(latencies)/2], latencies[len(latencies)*99/100]
	}
	return r, nil
}

// pair is a caller and whom it calls: one goroutine plays both.
type pair struct {
	a, b     *end
	calls    int
	took     []time.Duration // INVITE to 200
	failed   int
	repeated int
}

// end is one phone.
type end struct {
	wire wire
	user *user
	in   [][]byte
}

func (l callLoad) newPair(i int) (*pair, error) {
	p := &pair{}
	for _, e := range []struct {
		at     **end
		number int
	}{{&p.a, 2 * i}, {&p.b, 2*i + 1}} {
		w, err := dialWire(l.Transport, l.Target)
		if err != nil {
			return nil, err
		}
		*e.at = &end{wire: w, user: newUser(numberOf(e.number), w.local(), l.Transport)}
		if err := p.register(*e.at); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *pair) close() {
	p.a.wire.close()
	p.b.wire.close()
}

func (p *pair) register(e *end) error {
	for range 3 {
		e.wire.queue(e.user.appendRegister(nil, 0))
		m, err := p.await(e, func(m []byte) bool { return status(m) >= 200 })
		if err != nil {
			return err
		}
		if status(m) == 200 {
			return nil
		}
		e.user.challenged(m)
	}
	return errors.New("a phone could not register")
}

var errNoAnswer = errors.New("nothing came in time")

// await reads until a message is as wanted; others are dropped. What was queued
// last is sent again while nothing comes, over UDP.
func (p *pair) await(e *end, ok func([]byte) bool, again ...func()) ([]byte, error) {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		for len(e.in) > 0 {
			m := e.in[0]
			if e.in = e.in[1:]; ok(m) {
				return m, nil
			}
		}
		err := e.wire.exchange(500*time.Millisecond, func(m []byte) { e.in = append(e.in, bytes.Clone(m)) })
		switch {
		case errors.Is(err, errSilence):
			if e.wire.reliable() {
				continue
			}
			for _, f := range again {
				p.repeated++
				f()
			}
		case err != nil:
			return nil, err
		}
	}
	return nil, errNoAnswer
}

// flush sends what an end has queued without waiting for anything.
func (e *end) flush() {
	_ = e.wire.exchange(time.Nanosecond, func(m []byte) { e.in = append(e.in, bytes.Clone(m)) })
}

// call is one call from the INVITE to the answer to its BYE.
func (p *pair) call() {
	p.calls++
	if took, err := p.whole(fmt.Sprintf("call-%s-%d", p.a.user.number, p.calls)); err != nil {
		p.failed++
	} else {
		p.took = append(p.took, took)
	}
}

func (p *pair) whole(id string) (took time.Duration, err error) {
	begun := time.Now()
	send := func() {
		p.a.wire.queue(p.request("INVITE", "sip:"+p.b.user.number+"@"+domain, id, 1, "", nil, true))
		p.a.flush()
	}
	send()
	ofCall := func(word string) func([]byte) bool {
		return func(m []byte) bool { return bytes.HasPrefix(m, []byte(word)) && bytes.Contains(m, []byte(id+"\r\n")) }
	}
	ring, err := p.await(p.b, ofCall("INVITE "), send)
	if err != nil {
		return 0, err
	}
	answer := func() {
		p.b.wire.queue(reply(ring, "180 Ringing", p.b))
		p.b.wire.queue(reply(ring, "200 OK", p.b))
		p.b.flush()
	}
	answer()
	ok, err := p.await(p.a, func(m []byte) bool { return ofCall("SIP/2.0 ")(m) && status(m) >= 200 }, answer)
	if err != nil || status(ok) != 200 {
		return 0, errors.Join(err, errNoAnswer)
	}
	took = time.Since(begun)
	target, routes, to := uriIn(field(ok, "Contact")), routesOf(ok), field(ok, "To")
	acknowledge := func() {
		p.a.wire.queue(p.request("ACK", target, id, 1, to, routes, false))
		p.a.flush()
	}
	acknowledge()
	if _, err := p.await(p.b, ofCall("ACK "), acknowledge); err != nil {
		return 0, err
	}
	bye := func() {
		p.a.wire.queue(p.request("BYE", target, id, 2, to, routes, false))
		p.a.flush()
	}
	bye()
	end, err := p.await(p.b, ofCall("BYE "), bye)
	if err != nil {
		return 0, err
	}
	hang := func() {
		p.b.wire.queue(reply(end, "200 OK", p.b))
		p.b.flush()
	}
	hang()
	_, err = p.await(p.a, func(m []byte) bool { return ofCall("SIP/2.0 ")(m) && bytes.Contains(m, []byte("2 BYE")) }, hang)
	return took, err
}

// request writes a request of the caller.
func (p *pair) request(method, uri, id string, cseq int, to string, routes []string, proven bool) []byte {
	u := p.a.user
	var b bytes.Buffer
	if to == "" {
		to = "<" + uri + ">"
	}
	fmt.Fprintf(&b, "%s %s SIP/2.0\r\nVia: %s%s;branch=z9hG4bK%s%s;rport\r\nMax-Forwards: 70\r\nFrom: <sip:%s@%s>;tag=%s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\nContact: %s\r\n",
		method, uri, u.via, u.local, id, method, u.number, domain, id, to, id, cseq, method, u.contact)
	for _, r := range routes {
		b.WriteString("Route: " + r + "\r\n")
	}
	if proven {
		keep := u.target
		u.target = hexMD5([]byte(method + ":" + uri))
		line := u.appendAuthorization(nil)
		u.target = keep
		b.Write(bytes.Replace(line, []byte(`uri="sip:`+domain+`"`), []byte(`uri="`+uri+`"`), 1))
	}
	body := ""
	if method == "INVITE" {
		body = sessionText
		b.WriteString("Content-Type: application/sdp\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	return b.Bytes()
}

const sessionText = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 20000 RTP/AVP 0 8\r\n"

// reply writes a response of the called.
func reply(m []byte, line string, e *end) []byte {
	var b bytes.Buffer
	b.WriteString("SIP/2.0 " + line + "\r\n")
	for l := range bytes.SplitSeq(m[:bytes.Index(m, []byte("\r\n\r\n"))], []byte("\r\n")) {
		name, _, _ := bytes.Cut(l, []byte(":"))
		switch string(name) {
		case "Via", "From", "Call-ID", "CSeq", "Record-Route":
			b.Write(l)
			b.WriteString("\r\n")
		case "To":
			b.Write(l)
			if !bytes.Contains(l, []byte(";tag=")) {
				b.WriteString(";tag=b")
			}
			b.WriteString("\r\n")
		}
	}
	body := ""
	if strings.HasPrefix(line, "200") && bytes.HasPrefix(m, []byte("INVITE")) {
		body = sessionText
		b.WriteString("Content-Type: application/sdp\r\n")
	}
	fmt.Fprintf(&b, "Contact: %s\r\nContent-Length: %d\r\n\r\n%s", e.user.contact, len(body), body)
	return b.Bytes()
}

func status(m []byte) int {
	if len(m) < 12 || string(m[:8]) != "SIP/2.0 " {
		return 0
	}
	n, _ := strconv.Atoi(string(m[8:11]))
	return n
}

// field gives the first value of a header field.
func field(m []byte, name string) string {
	_, rest, ok := bytes.Cut(m, []byte("\r\n"+name+": "))
	if !ok {
		return ""
	}
	value, _, _ := bytes.Cut(rest, []byte("\r\n"))
	return string(value)
}

func uriIn(value string) string {
	_, value, _ = strings.Cut(value, "<")
	uri, _, _ := strings.Cut(value, ">")
	return uri
}

// routesOf are the routes of the caller: the Record-Route values, the other way
// round (RFC 3261 section 12.1.2).
func routesOf(m []byte) (out []string) {
	for l := range bytes.SplitSeq(m, []byte("\r\n")) {
		if value, ok := bytes.CutPrefix(l, []byte("Record-Route: ")); ok {
			for v := range strings.SplitSeq(string(value), ",") {
				out = append(out, strings.TrimSpace(v))
			}
		}
	}
	slices.Reverse(out)
	return out
}
