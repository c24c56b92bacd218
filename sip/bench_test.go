package sip_test

import (
	"strings"
	"testing"
)

// BenchmarkRegister is the whole way of a REGISTER with digest: over loopback,
// authenticated, decided, committed to the in-process store, answered.
func BenchmarkRegister(b *testing.B) {
	for _, tp := range []string{"udp", "tcp"} {
		b.Run(tp, func(b *testing.B) {
			o := open(b)
			mac := desk1.MAC.String()
			p := o.phone(tp, mac, mac, o.account(desk1))
			if r := p.register("Expires: 600\r\n"); r.code != 200 {
				b.Fatal(r.text)
			}
			b.ReportAllocs()
			for b.Loop() {
				if r := p.register("Expires: 600\r\n"); r.code != 200 {
					b.Fatal(r.text)
				}
			}
		})
	}
}

// BenchmarkChallenge is the 401 that a stranger can ask for.
func BenchmarkChallenge(b *testing.B) {
	o := open(b)
	p := o.phone("udp", "1001", "1001", "")
	b.ReportAllocs()
	for b.Loop() {
		if r := p.send(p.message("REGISTER", "")); r.code != 401 || !strings.Contains(r.text, "WWW-Authenticate") {
			b.Fatal(r.text)
		}
	}
}
