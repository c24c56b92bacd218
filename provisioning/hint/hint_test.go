package hint_test

import (
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"perch/provisioning/brand/all"
	"perch/provisioning/hint"
)

func TestHints(t *testing.T) {
	hints, err := hint.For(all.Brands(), "", "http://192.0.2.1:8080/acme")
	if err != nil || len(hints) != len(hint.Names(all.Brands())) || len(hints) < 12 {
		t.Fatalf("%d hints of %v, %v", len(hints), hint.Names(all.Brands()), err)
	}
	for _, h := range hints {
		if !strings.HasPrefix(h.Address, "http://192.0.2.1:8080/acme/") || len(h.Options) == 0 || len(h.Dnsmasq) == 0 || len(h.ISC) == 0 {
			t.Errorf("%+v", h)
		}
		var kea struct {
			Data []struct {
				Code int    `json:"code"`
				Text string `json:"data"`
			} `json:"option-data"`
		}
		if err := json.Unmarshal([]byte(h.Kea), &kea); err != nil || len(kea.Data) == 0 {
			t.Errorf("%s: %v\n%s", h.Brand, err, h.Kea)
		}
		for _, o := range h.Options {
			raw, err := hex.DecodeString(o.Hex)
			if err != nil || !strings.HasSuffix(string(raw), h.Address) || len(raw) > 255 {
				t.Errorf("%s: %q %v", h.Brand, raw, err)
			}
			if o.Sub != 0 && (raw[0] != byte(o.Sub) || int(raw[1]) != len(h.Address)) {
				t.Errorf("%s: suboption %x", h.Brand, raw[:2])
			}
		}
		for _, line := range append(h.ISC, h.Dnsmasq...) {
			if strings.Count(line, `"`)%2 != 0 || strings.ContainsAny(line, "\r\n") {
				t.Errorf("%s: %s", h.Brand, line)
			}
		}
	}
	one, err := hint.For(all.Brands(), "aastra", "https://phones.example.test/")
	if err != nil || len(one) != 1 || one[0].Brand != "mitel" {
		t.Fatalf("%+v %v", one, err)
	}
	m := one[0]
	if m.Dnsmasq[0] != "dhcp-vendorclass=set:perch-mitel,AastraIPPhone" || !strings.HasPrefix(m.Dnsmasq[1], "dhcp-option=tag:perch-mitel,43,02:1c:68:74:74:70:73") || m.Dnsmasq[2] != `dhcp-option=tag:perch-mitel,66,"https://phones.example.test/"` {
		t.Errorf("%q", m.Dnsmasq)
	}
	if !strings.Contains(strings.Join(m.Notes, " "), "certificate") {
		t.Errorf("%q", m.Notes)
	}
}

func TestBadHints(t *testing.T) {
	for _, base := range []string{"", "192.0.2.1", "ftp://x/", "http://u:p@x/", "http://x/?a", `http://x/"; option y "z`, "http://x/\n", "http://x/ y", "http://x/$(id)", "http://x/" + strings.Repeat("a", 300)} {
		if h, err := hint.For(all.Brands(), "yealink", base); err == nil {
			t.Errorf("%q: %+v", base, h)
		}
	}
	for _, name := range []string{"nokia", "panasonic"} {
		if _, err := hint.For(all.Brands(), name, "http://x/"); err == nil {
			t.Errorf("%s has a hint", name)
		}
	}
}

func TestBase(t *testing.T) {
	for _, c := range []struct {
		base, listen string
		tls          bool
		tenant, want string
	}{
		{"", "0.0.0.0:8080", false, "", "http://perch.example:8080/"},
		{"", "192.0.2.1:8080", true, "acme", "https://192.0.2.1:8080/acme/"},
		{"", "[2001:db8::1]:80", false, "", "http://[2001:db8::1]:80/"},
		{"", ":8081", false, "", "http://perch.example:8081/"},
		{"", "phones.test:8081", false, "", "http://phones.test:8081/"},
		{"https://phones.example.test/p/", "x", false, "acme", "https://phones.example.test/p/acme/"},
	} {
		if got := hint.Base(c.base, c.listen, c.tls, c.tenant); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func FuzzHints(f *testing.F) {
	f.Add("http://192.0.2.1/", "snom")
	f.Add("http://x/\"\n", "poly")
	brands := all.Brands()
	f.Fuzz(func(t *testing.T, base, name string) {
		hints, err := hint.For(brands, name, base)
		if err != nil {
			return
		}
		for _, h := range hints {
			if !json.Valid([]byte(h.Kea)) {
				t.Fatalf("%q", h.Kea)
			}
			for _, line := range append(h.ISC, h.Dnsmasq...) {
				if strings.Count(line, `"`)%2 != 0 || strings.ContainsAny(line, "\r\n\\'") {
					t.Fatalf("%q", line)
				}
			}
		}
	})
}
