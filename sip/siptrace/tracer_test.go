package siptrace

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func register(user, username string) string {
	auth := ""
	if username != "" {
		auth = "Authorization: Digest username=\"" + username + "\", realm=\"acme.test\", response=\"s3cret\"\r\n"
	}
	return "REGISTER sip:acme.test SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1\r\nFrom: <sip:" + user + "@acme.test>;tag=a\r\nTo: <sip:" + user +
		"@acme.test>\r\nCall-ID: c\r\nCSeq: 1 REGISTER\r\nContact: <sip:" + user + "@192.0.2.1>\r\n" + auth + "Content-Length: 0\r\n\r\n"
}

const (
	mac1, mac2 = "001565aabb01", "001565aabb02"
	here       = "192.0.2.10:5060"
)

func from(remote, text string) Packet { return Packet{"udp", true, here, remote, []byte(text)} }
func to(remote, text string) Packet   { return Packet{"udp", false, here, remote, []byte(text)} }

func TestWatch(t *testing.T) {
	ok := "SIP/2.0 200 OK\r\nCall-ID: c\r\n\r\n"
	for _, tc := range []struct {
		name    string
		filter  Filter
		packets []Packet
		want    int
	}{
		{"by its user", Filter{MAC: mac1}, []Packet{from("192.0.2.1:5060", register(mac1, "")), from("192.0.2.2:5060", register(mac2, ""))}, 1},
		{"by its username, then by its address", Filter{MAC: mac1}, []Packet{
			from("192.0.2.1:5060", register("1001", "")), from("192.0.2.1:5060", register("1001", strings.ToUpper(mac1))),
			to("192.0.2.1:5060", ok), to("192.0.2.2:5060", ok),
		}, 2},
		{"by where it is known to be", Filter{MAC: mac1, Peers: []string{"192.0.2.1:5060"}}, []Packet{to("192.0.2.1:5060", ok)}, 1},
		{"another behind the same address", Filter{MAC: mac1, Peers: []string{"192.0.2.1:5060"}}, []Packet{from("192.0.2.1:5060", register("1002", mac2))}, 0},
		{"extension", Filter{Number: "1001", Domains: []string{"acme.test"}}, []Packet{from("192.0.2.1:1", register("1001", mac1)), to("192.0.2.1:1", ok), from("192.0.2.1:2", register("1002", ""))}, 2},
		{"another tenant's", Filter{Number: "1001", Domains: []string{"globex.test"}}, []Packet{from("192.0.2.1:1", register("1001", ""))}, 0},
		{"about it, from elsewhere", Filter{Number: "1001", Domains: []string{"acme.test"}}, []Packet{
			from("192.0.2.9:1", "INVITE sip:1001@acme.test SIP/2.0\r\nFrom: <sip:1002@acme.test>\r\nTo: <sip:1001@acme.test>\r\n\r\n"), to("192.0.2.9:1", ok),
		}, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var tr Tracer
			w, err := tr.Watch(tc.filter)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range tc.packets {
				tr.Saw(p)
			}
			if len(w.C()) != tc.want {
				t.Errorf("%d messages, want %d", len(w.C()), tc.want)
			}
			for range len(w.C()) {
				if m := <-w.C(); bytes.Contains(m.Text, []byte("s3cret")) {
					t.Errorf("secret in %q", m.Text)
				}
			}
		})
	}
}

func TestBounds(t *testing.T) {
	var off *Tracer
	off.Saw(from("192.0.2.1:1", register(mac1, "")))
	var tr Tracer
	if off.On() || tr.On() {
		t.Error("on, and nobody watches")
	}
	if _, err := tr.Watch(Filter{}); !errors.Is(err, ErrNothing) {
		t.Errorf("empty filter: %v", err)
	}
	var all []*Watcher
	for range MaxWatchers {
		w, err := tr.Watch(Filter{MAC: mac1})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, w)
	}
	if _, err := tr.Watch(Filter{MAC: mac1}); !errors.Is(err, ErrTooMany) {
		t.Errorf("one too many: %v", err)
	}
	for i := range backlog + 10 {
		tr.Saw(from(fmt.Sprintf("192.0.2.1:%d", i+1), register(mac1, mac1)))
	}
	w := all[0]
	if len(w.C()) != backlog || len(w.peers) != maxPeers {
		t.Errorf("%d waiting, %d peers", len(w.C()), len(w.peers))
	}
	<-w.C()
	tr.Saw(from("192.0.2.1:1", register(mac1, mac1)))
	for len(w.C()) > 1 {
		<-w.C()
	}
	if m := <-w.C(); m.Dropped != 10 {
		t.Errorf("dropped %d, want 10", m.Dropped)
	}
	for _, w := range all {
		w.Close()
		w.Close()
	}
	if tr.On() {
		t.Error("still on")
	}
}

// BenchmarkOff is what a message costs when nobody watches.
func BenchmarkOff(b *testing.B) {
	tr := &Tracer{}
	text := []byte(register(mac1, mac1))
	b.ReportAllocs()
	for b.Loop() {
		if tr.On() {
			tr.Saw(Packet{Text: text})
		}
	}
}

// BenchmarkOther is what a message costs that is of no interest to the one who
// watches.
func BenchmarkOther(b *testing.B) {
	tr := &Tracer{}
	w, err := tr.Watch(Filter{MAC: mac1})
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	p := from("192.0.2.2:5060", register(mac2, mac2))
	b.ReportAllocs()
	for b.Loop() {
		tr.Saw(p)
	}
}

func TestStream(t *testing.T) {
	one := "INVITE sip:a SIP/2.0\r\nl: 3\r\n\r\nabc"
	two := "SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"
	whole := "\r\n\r\n" + one + two + "\r\n" + one
	for size := 1; size <= len(whole); size++ {
		var s Stream
		var got []string
		for i := 0; i < len(whole); i += size {
			s.Feed([]byte(whole[i:min(i+size, len(whole))]), func(m []byte) { got = append(got, string(m)) })
		}
		if strings.Join(got, "|") != one+"|"+two+"|"+one {
			t.Fatalf("by %d: %q", size, got)
		}
	}
	var s Stream
	s.Feed([]byte("half a body\r\n"), func([]byte) { t.Error("no message") })
	n := 0
	s.Feed([]byte(two), func([]byte) { n++ })
	if n != 1 {
		t.Error("did not begin anew")
	}
	s.Feed(bytes.Repeat([]byte("x"), maxPending+1), func([]byte) { t.Error("no message") })
	if s.pending != nil {
		t.Error("holds what can be no message")
	}
}

func FuzzSaw(f *testing.F) {
	f.Add([]byte(register(mac1, mac1)))
	f.Add([]byte("SIP/2.0 200\r\nFrom: sip:@\r\nContact: <sip:a@[::1]:5>\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var tr Tracer
		w, err := tr.Watch(Filter{Number: "1", Domains: []string{"a"}, Peers: []string{"192.0.2.1:1"}})
		if err != nil {
			t.Fatal(err)
		}
		in := bytes.Clone(b)
		tr.Saw(from("192.0.2.1:1", string(b)))
		var s Stream
		s.Feed(b, func(m []byte) { tr.Saw(from("192.0.2.1:1", string(m))) })
		if !bytes.Equal(in, b) || len(w.C()) == 0 {
			t.Fatal("changed its input, or lost it")
		}
	})
}
