package device

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"net/netip"
	"slices"
	"testing"
	"time"

	"perch/hotdesk/directory"
)

// noted is a Watch that remembers.
type noted struct {
	barred bool
	alarms []Alarm
	asked  int
}

func (n *noted) Asked(string, directory.MAC, bool) bool { n.asked++; return n.barred }
func (n *noted) Refused(string, directory.MAC)          {}
func (n *noted) Admitted(string, directory.MAC)         {}
func (n *noted) Alarm(a Alarm)                          { n.alarms = append(n.alarms, a) }

func TestGenerations(t *testing.T) {
	d, w, _ := setup(t)
	now := time.Now()
	w.proofs = directory.Proofs{Used: 2, Handed: 3, Made: 3, At: now.UnixMilli()}
	w.former = []Former{{Turn: 2, Secret: "former-s3cret"}}
	for _, c := range []struct {
		name        string
		token, auth string
		screen      bool
		want        Verdict
		shown       bool
	}{
		{"handed out, first use", "token-acme-001565aabb01-3", "", false, Admitted, true},
		{"handed out, on a screen", "token-acme-001565aabb01-3", "", true, Admitted, false},
		{"still in use", "token-acme-001565aabb01-2", "", false, Admitted, false},
		{"over", "token-acme-001565aabb01-1", "", false, Refused, false},
		{"of the enrolment", "token-acme-001565aabb01", "", false, Refused, false},
		{"not yet", "token-acme-001565aabb01-4", "", false, Refused, false},
		{"over, on a screen that is open", "token-acme-001565aabb01-1", "", true, Admitted, false},
		{"of the enrolment, on a screen", "token-acme-001565aabb01", "", true, Refused, false},
		{"password", "", basic("001565aabb01", "dev-s3cret"), false, Admitted, true},
		{"former password", "", basic("001565aabb01", "former-s3cret"), false, Admitted, false},
		{"no password", "", basic("001565aabb01", ""), false, Refused, false},
	} {
		w.shown = nil
		got, err := d.Admit(t.Context(), Request{MAC: ours, Token: c.token, Authorization: c.auth, Method: "GET", URI: "/x", Screen: c.screen})
		if err != nil || got.Verdict != c.want || c.shown != (len(w.shown) == 1) {
			t.Errorf("%s: %+v, %v, shown %v", c.name, got, err, w.shown)
		}
	}
	w.proofs.At = now.Add(-time.Hour).UnixMilli()
	if got, _ := d.Admit(t.Context(), Request{MAC: ours, Token: "token-acme-001565aabb01-1", Screen: true}); got.Verdict != Refused {
		t.Error("a screen of an hour ago is still good")
	}
}

func TestNetworks(t *testing.T) {
	d, w, _ := setup(t)
	n := &noted{}
	d.watch = n
	w.networks = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32")}
	for source, want := range map[string]Verdict{
		"192.0.2.7": Admitted, "::ffff:192.0.2.7": Admitted, "2001:db8::7": Admitted, "fe80::1%eth0": Refused, "198.51.100.7": Refused, "rubbish": Refused, "": Refused,
	} {
		n.alarms = nil
		got, err := d.Admit(t.Context(), Request{MAC: ours, Source: source, Authorization: basic("001565aabb01", "dev-s3cret")})
		if err != nil || got.Verdict != want || (want == Refused) != (len(n.alarms) == 1 && n.alarms[0].Kind == AlarmNetwork) {
			t.Errorf("%q: %+v %v %v", source, got, err, n.alarms)
		}
	}
	if got, _ := d.Admit(t.Context(), Request{MAC: ours, Source: "198.51.100.7"}); got.Verdict != Challenge {
		t.Error("without credentials an address tells the networks of a tenant")
	}
}

func TestBarredAddress(t *testing.T) {
	d, w, c := setup(t)
	d.watch = &noted{barred: true}
	for name, r := range map[string]Request{
		"token": {MAC: ours, Token: "token-acme-001565aabb01"}, "certificate": {MAC: ours, Certified: ours},
		"a password of Perch's own": {MAC: ours, Authorization: basic("001565aabb01", "dev-s3cret")},
	} {
		if got, _ := d.Admit(t.Context(), r); got.Verdict != Admitted {
			t.Errorf("%s: what nobody can guess is refused", name)
		}
	}
	w.from = "a file"
	if got, _ := d.Admit(t.Context(), Request{MAC: ours, Authorization: basic("001565aabb01", "dev-s3cret")}); got.Verdict != Refused {
		t.Error("admitted")
	}
	if len(c.failed) != 0 {
		t.Error("counted as the phone's failure")
	}
	if got, _ := d.Admit(t.Context(), Request{MAC: ours}); got.Verdict != Challenge {
		t.Error("who has no credentials sees the bar")
	}
}

func TestCertificate(t *testing.T) {
	d, _, _ := setup(t)
	n := &noted{}
	d.watch = n
	for _, c := range []struct {
		name      string
		certified directory.MAC
		folder    string
		auth      string
		want      Verdict
		alarm     bool
	}{
		{"its own", ours, "acme", "", Admitted, false},
		{"its own beside a wrong password", ours, "", basic("001565aabb01", "wrong"), Admitted, false},
		{"its own, foreign folder", ours, "globex", "", Refused, false},
		{"another's", other, "", "", Refused, true},
		{"another's beside a right password", other, "", basic("001565aabb01", "dev-s3cret"), Refused, true},
	} {
		n.alarms = nil
		got, err := d.Admit(t.Context(), Request{MAC: ours, Certified: c.certified, Folder: c.folder, Authorization: c.auth})
		if err != nil || got.Verdict != c.want || c.alarm != (len(n.alarms) == 1) {
			t.Errorf("%s: %+v, %v, %v", c.name, got, err, n.alarms)
		}
		if c.want == Admitted && got.By != "certificate" {
			t.Errorf("%s: by %s", c.name, got.By)
		}
	}
	if got, _ := d.Admit(t.Context(), Request{MAC: unknown, Certified: unknown}); got.Verdict != Refused {
		t.Error("an unknown phone with a good certificate is admitted")
	}
}

func TestCertifiedMAC(t *testing.T) {
	const want = "001565aabb01"
	for _, c := range []struct {
		name string
		cert x509.Certificate
		want string
	}{
		{"bare", x509.Certificate{Subject: pkix.Name{CommonName: "001565AABB01", Organization: []string{"Polycom Inc."}}}, want},
		{"colons", x509.Certificate{Subject: pkix.Name{CommonName: "00:15:65:aa:bb:01"}}, want},
		{"dashes", x509.Certificate{Subject: pkix.Name{CommonName: "00-15-65-AA-BB-01"}}, want},
		{"Cisco phone", x509.Certificate{Subject: pkix.Name{CommonName: "CP-8851-SEP001565AABB01"}}, want},
		{"SEP alone", x509.Certificate{Subject: pkix.Name{CommonName: "SEP001565AABB01"}}, want},
		{"product, serial, MAC", x509.Certificate{Subject: pkix.Name{CommonName: "SPA504G", OrganizationalUnit: []string{"SPA504G, 4AA00F903042, 001565AABB01"}}}, want},
		{"a serial that looks like one, then the MAC", x509.Certificate{Subject: pkix.Name{OrganizationalUnit: []string{"SPA504G,AA00F9030420,001565aabb01"}}}, want},
		{"alternative name", x509.Certificate{Subject: pkix.Name{CommonName: "phone"}, DNSNames: []string{"001565aabb01.phones.example"}}, want},
		{"twice the same", x509.Certificate{Subject: pkix.Name{CommonName: "001565AABB01", SerialNumber: "00:15:65:AA:BB:01"}}, want},
		{"two of them", x509.Certificate{Subject: pkix.Name{CommonName: "001565AABB01"}, DNSNames: []string{"001565aabb02.x"}}, ""},
		{"zeros", x509.Certificate{Subject: pkix.Name{CommonName: "000000000000"}}, ""},
		{"inside a word", x509.Certificate{Subject: pkix.Name{CommonName: "abc001565aabb01"}}, ""},
		{"serial only", x509.Certificate{Subject: pkix.Name{CommonName: "4MM00F903042"}}, ""},
		{"nothing", x509.Certificate{}, ""},
	} {
		got, ok := CertifiedMAC(&c.cert)
		if ok != (c.want != "") || ok && got.String() != c.want {
			t.Errorf("%s: %s %v", c.name, got, ok)
		}
	}
}

func FuzzCertifiedMAC(f *testing.F) {
	for _, s := range []string{"SEP001565AABB01", "a, b, 001565aabb01", "00:15:65:aa:bb:01", "\x00", "-"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, cn, ou string) {
		m, ok := CertifiedMAC(&x509.Certificate{Subject: pkix.Name{CommonName: cn, OrganizationalUnit: []string{ou}}})
		if ok == m.IsZero() {
			t.Fatal(m, ok)
		}
	})
}

func TestAlarmKindsAreListed(t *testing.T) {
	if kinds := AlarmKinds(); len(kinds) != 5 || !slices.Contains(kinds, AlarmDecoy) {
		t.Error(kinds)
	}
}
