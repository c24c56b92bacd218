package keepalive

import (
	"slices"
	"strings"
	"testing"
	"time"

	"perch/sip/location"
)

// kinds takes the addresses off what was sent.
func kinds(sent []string) (out []string) {
	for _, s := range sent {
		kind, _, _ := strings.Cut(s, " ")
		out = append(out, kind)
	}
	return out
}

func TestTranslatorsAreKeptOpen(t *testing.T) {
	run(t, func(o *office) {
		o.register("1001", location.Contact{Flow: udp("198.51.100.1:4000"), NAT: true})
		o.register("1002", location.Contact{Flow: udp("192.0.2.2:5060")})                                                            // no translator
		o.register("1003", location.Contact{Flow: udp("198.51.100.3:4000"), NAT: true, Instance: "<urn:uuid:p>", RegID: 1})          // keeps its flow itself
		o.register("1004", location.Contact{Flow: location.Flow{Node: "n2", Transport: "udp", Remote: "198.51.100.4:1"}, NAT: true}) // another node's
		o.start()
		pass(9 * time.Minute)
		sent := o.flows.take()
		for _, s := range sent {
			if !strings.HasSuffix(s, " 198.51.100.1:4000") {
				t.Errorf("sent %s", s)
			}
		}
		if got := kinds(sent); len(got) < 17 || !slices.Equal(got[:8], []string{"ping", "ping", "ping", "OPTIONS", "ping", "ping", "ping", "OPTIONS"}) {
			t.Errorf("sent %d: %v", len(got), got)
		}
		times := o.flows.when()
		for i := 1; i < len(times); i++ {
			if gap := times[i] - times[i-1]; gap < pingAfter || gap > pingAfter+pingSpread {
				t.Errorf("gap %v", gap)
			}
		}
		if o.contacts("1001")[0].Lost != 0 {
			t.Error("a phone that answers was lost")
		}
		pass(time.Hour) // its time is over
		o.flows.take()
		if pass(5 * time.Minute); len(o.flows.take()) > 0 {
			t.Error("an expired contact is kept open")
		}
	})
}

func TestThousandPhonesAreSpread(t *testing.T) {
	run(t, func(o *office) {
		for i := range 3000 {
			o.register("1001", location.Contact{Flow: udp("198.51.100.1:" + string(rune('a'+i%26)) + strings.Repeat("x", i/26)), NAT: true})
		}
		o.start()
		pass(time.Minute)
		per := map[time.Duration]int{}
		times := o.flows.when()
		for _, at := range times {
			per[at.Truncate(time.Second)]++
		}
		for at, n := range per {
			if n > 300 {
				t.Errorf("%d packets in second %v", n, at)
			}
		}
		if len(times) < 3000 {
			t.Errorf("only %d packets in a minute", len(times))
		}
	})
}

// TestDeadUDPFlowIsNoticed: a phone that has answered and falls silent is lost;
// one that never answers is not.
func TestDeadUDPFlowIsNoticed(t *testing.T) {
	run(t, func(o *office) {
		known, mute := udp("198.51.100.1:4000"), udp("198.51.100.2:4000")
		o.register("1001", location.Contact{Flow: known, NAT: true})
		o.register("1002", location.Contact{Flow: mute, NAT: true})
		o.flows.deaf[mute] = true
		o.start()
		pass(150 * time.Second)
		o.flows.mu.Lock()
		o.flows.deaf[known] = true
		o.flows.mu.Unlock()
		pass(3 * time.Minute)
		if o.contacts("1001")[0].Lost == 0 {
			t.Errorf("not noticed; sent %v", o.flows.take())
		}
		if o.contacts("1002")[0].Lost != 0 {
			t.Error("a phone that never answers OPTIONS was lost")
		}
		o.flows.take()
		pass(2 * time.Minute)
		for _, s := range o.flows.take() {
			if strings.HasSuffix(s, known.Remote) {
				t.Errorf("a dead flow gets %s", s)
			}
		}
	})
}

func TestClosedConnection(t *testing.T) {
	run(t, func(o *office) {
		gone := tcp("c1")
		o.register("1001", location.Contact{Flow: gone, MAC: "001565000001", Line: 1})
		o.register("1001", location.Contact{URI: "sip:b", Flow: gone, Instance: "<urn:uuid:p>", RegID: 1})
		o.register("1002", location.Contact{URI: "sip:b2", Flow: gone, MAC: "001565000001", Line: 2})
		o.register("1001", location.Contact{URI: "sip:other", Flow: tcp("c2")})
		o.start()
		o.store.next = location.ErrConflict // another request is faster, once
		o.closed <- "c1"
		o.closed <- "unknown"
		pass(time.Second)
		got := o.contacts("1001")
		if len(got) != 2 || got[0].Lost == 0 || got[1].URI != "sip:other" || got[1].Lost != 0 {
			t.Errorf("RFC 5626 section 6: the flow's contacts are %+v", got)
		}
		if c := o.contacts("1002"); len(c) != 1 || c[0].Lost == 0 {
			t.Errorf("the second line's are %+v", c)
		}
		if granted := got[0].Expires - got[0].Updated; granted != time.Hour.Milliseconds() {
			t.Errorf("the granted time is now %d ms", granted)
		}
	})
}

// TestMissedClose: the news of a close may come before the contact is known, or
// never; and the store may be away.
func TestMissedClose(t *testing.T) {
	run(t, func(o *office) {
		o.register("1001", location.Contact{Flow: tcp("c1")})
		delete(o.flows.open, tcp("c1"))
		o.store.away = true
		o.start()
		pass(time.Minute)
		o.store.mu.Lock()
		o.store.away = false
		o.store.mu.Unlock()
		pass(2 * again)
		if c := o.contacts("1001"); c[0].Lost == 0 {
			t.Errorf("%+v", c)
		}
	})
}

func TestSilentStream(t *testing.T) {
	run(t, func(o *office) {
		silent, lively, dead := tcp("c1"), tcp("c2"), tcp("c3")
		o.register("1001", location.Contact{Flow: silent})
		o.register("1002", location.Contact{Flow: lively})
		o.register("1003", location.Contact{Flow: dead})
		o.start()
		for range 20 { // the second one has a keep-alive of its own
			o.flows.mu.Lock()
			o.flows.open[lively] = time.Now()
			o.flows.mu.Unlock()
			pass(15 * time.Second)
		}
		sent := o.flows.take()
		if !slices.Contains(sent, "OPTIONS "+silent.Remote) || slices.Contains(sent, "OPTIONS "+lively.Remote) || slices.ContainsFunc(sent, func(s string) bool { return strings.HasPrefix(s, "hangup") }) {
			t.Errorf("sent %v", sent)
		}
		o.flows.mu.Lock()
		o.flows.deaf[dead] = true // it has answered before
		o.flows.mu.Unlock()
		pass(5 * time.Minute)
		if !slices.Contains(o.flows.take(), "hangup "+dead.Remote) || o.contacts("1003")[0].Lost == 0 || o.contacts("1001")[0].Lost != 0 {
			t.Errorf("%+v %+v", o.contacts("1003"), o.contacts("1001"))
		}
	})
}

// TestRestart: what was registered before is taken up; the streams of the
// process before are gone.
func TestRestart(t *testing.T) {
	run(t, func(o *office) {
		o.put("1001", location.Contact{Flow: tcp("c1")})
		o.put("1002", location.Contact{Flow: udp("198.51.100.1:4000"), NAT: true})
		o.put("1003", location.Contact{Flow: location.Flow{Node: "n2", ID: "c1", Transport: "tcp"}})
		delete(o.flows.open, tcp("c1"))
		o.store.away = true
		o.start()
		pass(again / 2)
		o.store.mu.Lock()
		o.store.away = false
		o.store.mu.Unlock()
		pass(time.Minute)
		if o.contacts("1001")[0].Lost == 0 || o.contacts("1003")[0].Lost != 0 {
			t.Errorf("%+v %+v", o.contacts("1001"), o.contacts("1003"))
		}
		if len(o.flows.take()) == 0 {
			t.Error("the translator is not kept open")
		}
	})
}

func TestUnregistered(t *testing.T) {
	run(t, func(o *office) {
		f := udp("198.51.100.1:4000")
		o.register("1001", location.Contact{Flow: f, NAT: true})
		o.register("1002", location.Contact{Flow: udp("198.51.100.2:4000"), NAT: true})
		gone := o.contacts("1001")
		o.store.sets["1001"] = location.Set{Rev: 9}
		o.k.Registered(location.Commit{Tenant: "acme", User: "1001", Removed: gone})
		o.store.sets["1002"] = location.Set{Rev: 9} // superseded, which nobody told
		o.start()
		pass(5 * time.Minute)
		for i, s := range o.flows.take() {
			if strings.HasSuffix(s, f.Remote) || i > 3 {
				t.Errorf("sent %s", s)
			}
		}
		if len(o.k.flows) != 0 || len(o.k.queue) != 0 {
			t.Errorf("still watched: %d %d", len(o.k.flows), len(o.k.queue))
		}
	})
}

func TestNewChecksOptions(t *testing.T) {
	if _, err := New(Options{Node: "n"}); err == nil {
		t.Error("no error")
	}
}
