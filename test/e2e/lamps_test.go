package e2e

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// lampInfo is what a watcher reads out of a NOTIFY (RFC 4235 section 4.4).
type lampInfo struct {
	Version int    `xml:"version,attr"`
	Entity  string `xml:"entity,attr"`
	Dialogs []struct {
		ID        string `xml:"id,attr"`
		Direction string `xml:"direction,attr"`
		State     string `xml:"state"`
		Local     string `xml:"local>identity"`
		Remote    string `xml:"remote>identity"`
	} `xml:"dialog"`
}

// lamp is a phone's subscription to an extension.
type lamp struct {
	p           *peer
	callID      string
	last        lampInfo
	cseq        int
	versions    []int
	transaction string
}

// watches subscribes to an extension, and reads the first NOTIFY.
func (p *peer) watches(number string) *lamp {
	p.t.Helper()
	l := &lamp{p: p, callID: fmt.Sprintf("lamp-%x", rand.Uint64()), last: lampInfo{Version: -1}}
	p.seq++
	uri := "sip:" + number + "@acme.test"
	p.send(ask{method: "SUBSCRIBE", uri: uri, callID: l.callID, cseq: p.seq, headers: []string{
		"Event: dialog", "Expires: 600", p.authorization("SUBSCRIBE", uri),
	}})
	if res := p.final(fmt.Sprintf("%d SUBSCRIBE", p.seq)); res.status() != 200 {
		p.t.Fatalf("%s: %s", p.user, res)
	}
	l.next()
	return l
}

// next waits for a NOTIFY and answers it. Versions and CSeq only grow.
func (l *lamp) next() lampInfo {
	l.p.t.Helper()
	m := l.p.expect("NOTIFY", func(m packet) bool { return m.method() == "NOTIFY" && m.get("Call-ID") == l.callID })
	if m.get("Via") == l.transaction {
		l.p.respond(m, 200, "OK", "") // sent again
		return l.next()
	}
	l.transaction = m.get("Via")
	l.p.respond(m, 200, "OK", "")
	return l.read(m)
}

func (l *lamp) read(m packet) lampInfo {
	l.p.t.Helper()
	var d lampInfo
	if err := xml.Unmarshal([]byte(m.body), &d); err != nil {
		l.p.t.Fatalf("%v in\n%s", err, m)
	}
	cseq, _ := strconv.Atoi(strings.Fields(m.get("CSeq"))[0])
	if d.Version <= l.last.Version || cseq <= l.cseq {
		l.p.t.Errorf("version %d after %d, CSeq %d after %d", d.Version, l.last.Version, cseq, l.cseq)
	}
	l.last, l.cseq = d, cseq
	l.versions = append(l.versions, d.Version)
	return d
}

// shows waits until the lamp shows a state, and gives it.
func (l *lamp) shows(state string) lampInfo {
	l.p.t.Helper()
	for {
		if n := len(l.last.Dialogs); n == 1 && l.last.Dialogs[0].State == state {
			return l.last
		}
		l.next()
	}
}

// TestLampsFollowACall: a watcher of each side sees it ring, talk and end, with
// direction and who it is; one who asked not to be shown is not.
func TestLampsFollowACall(t *testing.T) {
	t.Parallel()
	o := callsOffice(t)
	a, b, w := o.phoneOf("udp", "2001"), o.phoneOf("tcp", "2002"), o.phoneOf("udp", "2003")
	caller, called := w.watches("2001"), w.watches("2002")
	for _, private := range []bool{false, true} {
		var headers []string
		remote := "sip:2001@acme.test"
		if private {
			headers, remote = []string{"Privacy: id"}, "sip:anonymous@anonymous.invalid"
		}
		call := a.calls("2002", headers...)
		caller.shows("trying")
		called.shows("trying")
		ring := b.asked("INVITE")
		b.respond(ring, 180, "Ringing", "b")
		if d := caller.shows("early").Dialogs[0]; d.Direction != "initiator" || d.Local != "sip:2001@acme.test" || d.Remote != "sip:2002@acme.test" {
			t.Errorf("caller: %+v", d)
		}
		if d := called.shows("early").Dialogs[0]; d.Direction != "recipient" || d.Local != "sip:2002@acme.test" || d.Remote != remote {
			t.Errorf("called: %+v", d)
		}
		b.accepts(ring, "b")
		call.answered()
		b.asked("ACK")
		first := called.shows("confirmed")
		caller.shows("confirmed")
		eventually(t, "the call is counted", patience, func() bool { return o.value("perch_calls") == 1 && o.value("perch_dialogs") == 2 })
		rows := o.calls()
		if len(rows) != 1 || rows[0].Caller != "2001" || rows[0].Callee != "2002" || rows[0].State != "confirmed" {
			t.Errorf("calls: %+v", rows)
		}
		call.begins("BYE")
		b.respond(b.asked("BYE"), 200, "OK", "")
		a.final(call.key("BYE"))
		if d := called.shows("terminated"); d.Dialogs[0].ID != first.Dialogs[0].ID {
			t.Errorf("the end of %s is that of %s", first.Dialogs[0].ID, d.Dialogs[0].ID)
		}
		caller.shows("terminated")
		var story callStory
		o.get("/calls/"+rows[0].Trace, &story)
		if story.By != "caller" || story.Reason != "hung_up" || story.steps() != "invite trying ringing answered ended" {
			t.Errorf("%+v", story)
		}
	}
	for _, l := range []*lamp{caller, called} {
		for i, v := range l.versions { // RFC 4235 section 4.1: one more each time
			if v != i {
				t.Errorf("versions %v", l.versions)
				break
			}
		}
	}
	eventually(t, "nothing is left", patience, func() bool {
		return o.value("perch_calls") == 0 && o.value("perch_dialogs") == 0 && len(o.calls()) == 0
	})
}

// TestLampOfManyPhones: an extension with two phones has one dialog; when one
// answers it is confirmed, and a refused, a cancelled and an unanswered call
// end its lamp too.
func TestLampOfManyPhones(t *testing.T) {
	t.Parallel()
	o := callsOffice(t)
	a, b, c, w := o.phoneOf("udp", "2001"), o.phoneOf("udp", "2002"), o.phoneOf("tcp", "2002"), o.phoneOf("udp", "2003")
	l := w.watches("2002")
	call := a.calls("2002")
	one, two := b.asked("INVITE"), c.asked("INVITE")
	b.respond(one, 180, "Ringing", "b")
	l.shows("early")
	c.respond(two, 180, "Ringing", "c")
	c.accepts(two, "c")
	call.answered()
	c.asked("ACK")
	b.respond(b.asked("CANCEL"), 200, "OK", "b")
	b.respond(one, 487, "Request Terminated", "b")
	b.asked("ACK")
	l.shows("confirmed")
	call.begins("BYE")
	c.respond(c.asked("BYE"), 200, "OK", "")
	l.shows("terminated")

	call = a.calls("2002")
	one, two = b.asked("INVITE"), c.asked("INVITE")
	b.respond(one, 180, "Ringing", "b2")
	l.shows("early")
	b.respond(one, 486, "Busy Here", "b2")
	c.respond(two, 486, "Busy Here", "c2")
	if res := a.final(call.key("INVITE")); res.status() != 486 {
		t.Error(res)
	}
	l.shows("terminated")
	eventually(t, "it is counted as busy", patience, func() bool { return o.value(`perch_calls_total{result="busy"}`) == 1 })
}

// TestPhoneThatRestartsInACall: its connection is gone and it knows nothing of
// the call when it is asked; the call is over for its watchers.
func TestPhoneThatRestartsInACall(t *testing.T) {
	t.Parallel()
	o := openWith(t, staffed(callsFile, "2001", "2002", "2003", "2004"))
	a, b, w := o.phoneOf("udp", "2001"), o.phoneOf("tcp", "2002"), o.phoneOf("udp", "2003")
	l := w.watches("2002")
	up(t, a, b)
	l.shows("confirmed")
	_ = b.conn.Close()
	b.connect(o.sip("tcp"))
	if res := b.register(); res.status() != 200 {
		t.Fatal(res)
	}
	ask := a.asked("OPTIONS")
	a.respond(ask, 481, "Call/Transaction Does Not Exist", "")
	l.shows("terminated")
	eventually(t, "the call is over", patience, func() bool { return len(o.calls()) == 0 })
	if got := o.value(`perch_calls_total{result="lost"}`); got != 1 {
		t.Errorf("lost: %v", got)
	}

	c := o.phoneOf("udp", "2004") // the same socket, and another Call-ID
	l = w.watches("2004")
	up(t, a, c)
	l.shows("confirmed")
	c.boot = "-again"
	if res := c.register(); res.status() != 200 {
		t.Fatal(res)
	}
	a.respond(a.asked("OPTIONS"), 500, "Server Internal Error", "") // it knows the call
	c.respond(c.asked("OPTIONS"), 481, "Call/Transaction Does Not Exist", "")
	l.shows("terminated")
}

// TestWatcherThatIsGone: 481 ends a subscription.
func TestWatcherThatIsGone(t *testing.T) {
	t.Parallel()
	o := callsOffice(t)
	a, b, w := o.phoneOf("udp", "2001"), o.phoneOf("udp", "2002"), o.phoneOf("udp", "2003")
	w.watches("2002")
	watchers := func() int {
		var rows []struct{ Watchers int }
		o.get("/presence?extension=2002", &rows)
		return rows[0].Watchers
	}
	if n := watchers(); n != 1 {
		t.Fatalf("%d watchers", n)
	}
	a.calls("2002")
	b.respond(b.asked("INVITE"), 180, "Ringing", "b")
	w.respond(w.asked("NOTIFY"), 481, "Subscription Does Not Exist", "")
	eventually(t, "the subscription has ended", patience, func() bool { return watchers() == 0 })
}

// TestNotifyThatIsLost: a watcher that answers nothing is suspect, is asked
// again with the newest state, and is trusted when it answers.
func TestNotifyThatIsLost(t *testing.T) {
	t.Parallel()
	o := callsOffice(t)
	a, b, w := o.phoneOf("udp", "2001"), o.phoneOf("udp", "2002"), o.phoneOf("udp", "2003")
	l := w.watches("2002")
	call := a.calls("2002")
	ring := b.asked("INVITE")
	lost := w.asked("NOTIFY") // and no answer
	b.respond(ring, 180, "Ringing", "b")
	b.accepts(ring, "b")
	call.answered()
	b.asked("ACK")
	var again packet
	for { // what is sent again is the same transaction, until it is given up
		again = l.p.expectWithin(90*time.Second, "NOTIFY", func(m packet) bool { return m.method() == "NOTIFY" })
		if again.get("CSeq") != lost.get("CSeq") {
			break
		}
	}
	var rows []struct{ Watchers, Suspect int }
	o.get("/presence?extension=2002", &rows)
	if rows[0].Suspect != 1 || rows[0].Watchers != 1 || o.value("perch_subscriptions_suspect") != 1 {
		t.Errorf("%+v, gauge %v", rows, o.value("perch_subscriptions_suspect"))
	}
	l.p.respond(again, 200, "OK", "")
	if d := l.read(again); d.Dialogs[0].State != "confirmed" {
		t.Errorf("%+v", d)
	}
	eventually(t, "it is trusted again", patience, func() bool {
		o.get("/presence?extension=2002", &rows)
		return rows[0].Suspect == 0 && o.value("perch_subscriptions_suspect") == 0
	})
}

// TestCallOverARestart: perch is killed in the middle of a call. The call goes
// on and can be ended, one that was ringing is over, and lamps go on counting.
func TestCallOverARestart(t *testing.T) {
	t.Parallel()
	s := serve(t, staffed(callsFile, "2001", "2002", "2003", "2004"))
	phone := func(number string) *peer {
		p := dialPeer(t, "udp", s.sip, number, number, "p"+number)
		if res := p.register(); res.status() != 200 {
			t.Fatal(res)
		}
		return p
	}
	a, b, c, w := phone("2001"), phone("2002"), phone("2004"), phone("2003")
	talking, ringing := w.watches("2002"), w.watches("2004")
	call, _ := up(t, a, b)
	talking.shows("confirmed")
	w.calls("2004")
	c.respond(c.asked("INVITE"), 180, "Ringing", "c")
	ringing.shows("early")
	s.kill()
	s.start()
	ringing.shows("terminated")
	var rows []callRow
	eventually(t, "one call is up", patience, func() bool {
		_, text := s.rest().ask(t.Context(), "GET", "/calls", nil)
		return json.Unmarshal(text, &rows) == nil && len(rows) == 1
	})
	if rows[0].State != "confirmed" || rows[0].Caller != "2001" {
		t.Errorf("%+v", rows)
	}
	out, err := exec.Command(perch(t), "presence", "--config", s.dir+"/perch.yaml", "--ext", "2002").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "confirmed") || !strings.Contains(string(out), "recipient") {
		t.Errorf("%v\n%s", err, out)
	}
	call.begins("BYE")
	b.respond(b.asked("BYE"), 200, "OK", "")
	if res := a.final(call.key("BYE")); res.status() != 200 {
		t.Error(res)
	}
	talking.shows("terminated")
	eventually(t, "no call is left", patience, func() bool {
		_, text := s.rest().ask(t.Context(), "GET", "/calls", nil)
		return strings.TrimSpace(string(text)) == "[]"
	})
	out, err = exec.Command(perch(t), "calls", "--config", s.dir+"/perch.yaml", "--trace", rows[0].Trace).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "answered") || !strings.Contains(string(out), "caller hung_up") {
		t.Errorf("%v\n%s", err, out)
	}
}

type callRow struct{ Caller, Callee, State, Trace string }

type callStory struct {
	By, Reason string
	Steps      []struct{ Step string }
}

func (c callStory) steps() string {
	var all []string
	for _, s := range c.Steps {
		all = append(all, s.Step)
	}
	return strings.Join(all, " ")
}

// get reads from the API.
func (o *office) get(path string, into any) {
	o.t.Helper()
	code, text := o.rest().ask(o.t.Context(), "GET", path, nil)
	if err := json.Unmarshal(text, into); err != nil || code != 200 {
		o.t.Fatalf("%s: %d %v %s", path, code, err, text)
	}
}

func (o *office) calls() (rows []callRow) {
	o.t.Helper()
	o.get("/calls", &rows)
	return rows
}

// value reads one series of the metrics; -1 where there is none.
func (o *office) value(series string) float64 {
	o.t.Helper()
	_, text := get(httpURL(o.Addresses().Metrics) + "/metrics")
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, series+" "); ok {
			v, _ := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			return v
		}
	}
	return -1
}
