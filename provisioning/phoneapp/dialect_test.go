package phoneapp_test

import (
	"fmt"
	"testing"

	"perch/hotdesk/trace"
	"perch/provisioning/brand/all"
)

// phones are one of each dialect, by the User-Agent that its browser sends.
var phones = []struct{ brand, model, mac, agent string }{
	{"yealink", "T46U", "001565aabb01", "Yealink SIP-T46U 108.86.0.90 00:15:65:aa:bb:01"},
	{"mitel", "6920", "1400e91f03ea", "Mitel6920 MAC:14-00-E9-1F-03-EA V:6.4.0.140-SIP"},
	{"snom", "D785", "000413922d24", "Mozilla/4.0 (compatible; snomD785-SIP 10.1.33.33 2010.12 000413922D24)"},
	{"cisco-spa", "SPA504G", "8843e157ddcc", "Cisco/SPA504G-7.4.4 (8843E157DDCC)(CBT141100HR)"},
	{"cisco-mpp", "8851", "a44c11000001", ""},
	{"grandstream", "GRP2614", "c074ad0b63ee", "Grandstream Model HW GRP2614 SW 1.0.5.33 DevId c074ad0b63ee"},
	{"grandstream", "GXP2120", "000b8240d55c", "Grandstream Model HW GXP2120 SW 1.0.4.23 DevId 000b8240d55c"},
	{"poly", "VVX411", "482567b5313f", "FileTransport PolycomVVX-VVX_411-UA/5.9.0.1234"},
	{"fanvil", "X4", "0c383e2cd782", "Fanvil X4 2.10.2.6887 0c383e2cd782"},
	{"htek", "UC924", "001fc11c22a9", "Htek UC924 2.0.4.2 00:1f:c1:1c:22:a9"},
	{"sangoma-s", "S500", "005058000001", ""},
}

// Each phone is driven by its own pages from the menu to the ready desk, a
// takeover and back.
func TestEveryDialect(t *testing.T) {
	for _, p := range phones {
		t.Run(p.brand+" "+p.model, func(t *testing.T) {
			w := newWorld(t, "ask", all.Brands(), fmt.Sprintf("{mac: %s, brand: %s, model: %s}", p.mac, p.brand, p.model))
			b := &browser{t: t, agent: p.agent}
			b.logIn(w.menu(p.mac), "1002", "8642")
			if w.sits(p.mac) != "1002" {
				t.Fatalf("nobody sits there: %s", b.text)
			}
			if b.next == "" {
				b.next = b.links["Refresh"] // no timer: the person presses a key
			}
			w.ends(p.mac, trace.Ready)
			b.open(b.next)
			must(t, b.text, `yours, Grace <&"'> ]]> Hopper`)

			b.logIn(w.menu(p.mac), "1001", "0000")
			must(t, b.text, "not right", "Code ")
			if p.brand != "poly" {
				b.press("Again")
			}
			b.logIn(w.menu(p.mac), "1001", "4321")
			must(t, b.text, "1002", "sits here since")
			b.press("Take over")
			if w.sits(p.mac) != "1001" {
				t.Fatalf("not taken over: %s", b.text)
			}
			b.open(w.menu(p.mac))
			b.press("Who is here")
			must(t, b.text, "1001 Ada Lovelace is logged in since")
			b.open(w.menu(p.mac))
			b.press("Log out")
			if w.sits(p.mac) != "" {
				t.Fatalf("not logged out: %s", b.text)
			}
		})
	}
}

// A phone without pages of a server gets none.
func TestNoScreen(t *testing.T) {
	w := newWorld(t, "replace", all.Brands(), "{mac: 000fd3000001, brand: digium, model: D40}")
	b := &browser{t: t}
	b.open(w.menu("000fd3000001"))
	if b.code != 404 {
		t.Errorf("%d %s", b.code, b.text)
	}
}
