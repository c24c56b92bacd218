package notify_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"perch/sip/calls"
	"perch/sip/dialog"
	"perch/sip/flow"
	"perch/sip/notify"
	"perch/sip/presence"
)

// show has 1002 in a call of this phase, as the store's revision rev.
func (o *office) show(rev uint64, p calls.Phase) {
	c := calls.Call{ID: "c1", Rev: rev, Tenant: "acme", Began: 1, Legs: []calls.Leg{
		{Party: calls.Party{Number: "1001", URI: "sip:1001@acme.test", Display: "Ada"}, Direction: calls.Initiator, Phase: p},
		{Branch: "1", Party: calls.Party{Number: "1002", URI: "sip:1002@acme.test"}, Direction: calls.Recipient, Phase: p},
	}}
	switch p {
	case calls.Confirmed:
		c.Answered = 2
	case calls.Terminated:
		c.Ended = 3
	}
	for _, id := range o.lamps.Take(c) {
		o.now1().Changed(id.Tenant, id.Number)
	}
}

func (o *office) talk(rev uint64)   { o.show(rev, calls.Confirmed) }
func (o *office) hangUp(rev uint64) { o.show(rev, calls.Terminated) }

// lamp reads a NOTIFY and gives the state it shows, by its version.
func lamp(t *testing.T, p *phone) string {
	t.Helper()
	m := p.request()
	p.reply(m, "200 OK")
	d := documentOf(t, m)
	return d.Version + " " + d.Dialogs[0].State
}

// A watcher is told each change, once, and after a restart what it has missed.
func TestWatcherOfACall(t *testing.T) {
	o := open(t)
	p := o.device("udp", desk1)
	want(t, p.subscribe("sip:1002@acme.test", event), 200)
	expect := func(state string) {
		t.Helper()
		if got := lamp(t, p); got != state {
			t.Errorf("got %s, want %s", got, state)
		}
	}
	expect("0 terminated")
	o.show(1, calls.Trying)
	expect("1 trying")
	o.show(2, calls.Early)
	m := p.request()
	p.reply(m, "200 OK")
	for _, part := range []string{`direction="recipient"`, "<local><identity>sip:1002@acme.test</identity></local>", `<remote><identity display="Ada">sip:1001@acme.test</identity></remote>`} {
		if !strings.Contains(m.body, part) {
			t.Errorf("no %s in %s", part, m.body)
		}
	}
	o.talk(3)
	expect("3 confirmed")
	eventually(t, "stored", func() bool { return o.of(desk1.MAC.String())[0].Shown != "" })
	o.must(o.notifier.Close())
	o.hangUp(4)
	o.later(time.Minute) // nothing is under way any more
	o.restart()
	expect("4 terminated")
	o.restart()
	o.talk(5)
	expect("5 confirmed")
}

// What was sent just before the end of the process may not have arrived.
func TestRestartInTheMiddleOfANotify(t *testing.T) {
	o := open(t)
	p := o.device("udp", desk1)
	want(t, p.subscribe("sip:1002@acme.test", event), 200)
	if got := lamp(t, p); got != "0 terminated" {
		t.Error(got)
	}
	o.talk(1)
	first := p.request() // and no answer
	o.restart()
	second := p.request()
	for second.get("cseq") == first.get("cseq") { // sent again by the transaction
		second = p.request()
	}
	if number(t, second) != number(t, first)+1 || documentOf(t, second).Version != "2" || documentOf(t, second).Dialogs[0].State != "confirmed" {
		t.Errorf("%s\n%s", first.text, second.text)
	}
	p.reply(second, "200 OK")
}

// A NOTIFY that is lost makes its watcher suspect until it answers again, and
// is followed by one with the state there is then.
func TestSuspectWatcher(t *testing.T) {
	answer := func(n int) (*sip.Response, error) {
		if n == 1 {
			time.Sleep(flow.Timeout)
			return nil, flow.ErrTimeout
		}
		time.Sleep(time.Second)
		return response(200), nil
	}
	serve(t, answer, func(t *testing.T, d *desk, n *notify.Notifier) {
		n.Changed("acme", "1002")
		settle(flow.Timeout + time.Second/2)
		d.mu.Lock()
		suspect := d.subs["s1"].Suspect
		d.mu.Unlock()
		if suspect == 0 || len(d.ended) != 0 {
			t.Errorf("suspect since %d, ended %v", suspect, d.ended)
		}
		settle(time.Minute)
		if s := d.subs["s1"]; s.Suspect != 0 || len(d.sent) != 2 || s.Version != 1 {
			t.Errorf("%+v, sent at %v", s, d.sent)
		}
	})
}

// Numbers that cannot grow end the subscription; the phone makes a new one.
func TestNumbersUsedUp(t *testing.T) {
	for name, change := range map[string]func(*presence.Subscription, *dialog.Dialog){
		"version": func(s *presence.Subscription, d *dialog.Dialog) { s.Version, d.LocalCSeq = math.MaxUint32-1, 5 },
		"CSeq":    func(_ *presence.Subscription, d *dialog.Dialog) { d.LocalCSeq = 1<<31 - 4 },
	} {
		t.Run(name, func(t *testing.T) {
			var states []string
			ok := func(int) (*sip.Response, error) { return response(200), nil }
			serve(t, ok, func(t *testing.T, d *desk, n *notify.Notifier) {
				d.seen = func(req *sip.Request) { states = append(states, req.GetHeader("Subscription-State").Value()) }
				d.mu.Lock()
				s := d.subs["s1"]
				var dlg dialog.Dialog
				if err := json.Unmarshal(s.Dialog, &dlg); err != nil {
					t.Fatal(err)
				}
				change(&s, &dlg)
				s.Dialog = encode(t, dlg)
				d.subs["s1"] = s
				d.mu.Unlock()
				n.Changed("acme", "1002")
				settle(time.Minute)
				if len(d.ended) != 1 || d.ended[0] != "used_up" || len(states) != 1 || states[0] != "terminated;reason=deactivated" {
					t.Errorf("ended %v, sent %v", d.ended, states)
				}
			})
		})
	}
}
