package sangomap

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"perch/hotdesk/directory"
	"perch/provisioning/brand"
	"perch/provisioning/brand/brandtest"
)

var mac = directory.MAC{0x00, 0x0f, 0xd3, 0x0a, 0xbc, 0x01}

// suites are a P phone, and a Digium phone with keys for contacts.
func suites() []brandtest.Suite {
	var out []brandtest.Suite
	for _, c := range []struct {
		golden, model string
		brand         func() brand.Brand
	}{{"p325-", "P325", Brand}, {"d50-", "D50", Digium}} {
		out = append(out, brandtest.Suite{
			Brand: c.brand, File: "000fd30abc01.cfg", Golden: c.golden, Ext: ".xml", Read: read,
			Idle: brandtest.Idle(mac, c.model), Bound: brandtest.Bound(mac, c.model), Full: brandtest.Full(mac, c.model, 50),
		})
	}
	return out
}

// read lists the attributes of every element by its path, with its id or index;
// a setting's value stands under the setting's name.
func read(t testing.TB, body []byte) map[string]string {
	t.Helper()
	out := make(map[string]string)
	d := xml.NewDecoder(bytes.NewReader(body))
	var path []string
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("not XML: %v", err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			name := tok.Name.Local
			for _, a := range tok.Attr {
				if a.Name.Local == "id" || a.Name.Local == "index" {
					name += " " + a.Value
				}
			}
			path = append(path, name)
			for _, a := range tok.Attr {
				key := strings.Join(path, "/") + "@" + a.Name.Local
				if s, ok := strings.CutPrefix(name, "setting "); ok {
					if key = s; a.Name.Local == "id" {
						continue
					}
				}
				if _, twice := out[key]; twice {
					t.Fatalf("%s is set twice", key)
				}
				out[key] = a.Value
			}
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.CharData:
			if strings.TrimSpace(string(tok)) != "" {
				t.Fatalf("text %q in %s", tok, strings.Join(path, "/"))
			}
		}
	}
}

func TestSuite(t *testing.T) {
	for _, s := range suites() {
		t.Run(s.Golden, s.Run)
	}
	brandtest.Lint(t, ".xml")
}

func FuzzValues(f *testing.F) { suites()[0].Fuzz(f) }

func contactsOf(t testing.TB, b brand.Brand, d brand.Desk) brand.Rendered {
	t.Helper()
	r, err := b.Render(d, b.File("000fd30abc01-contacts.xml"))
	if err != nil {
		t.Fatal(err)
	}
	if r.Account {
		t.Fatal("the contacts say that they carry the account")
	}
	return r
}

func TestContacts(t *testing.T) {
	s := suites()[1]
	for name, desk := range map[string]brand.Desk{"idle": s.Idle, "bound": s.Bound, "full": s.Full} {
		brandtest.Golden(t, "contacts-"+name+".xml", contactsOf(t, Digium(), desk).Body)
	}
	for key := range read(t, contactsOf(t, Digium(), s.Idle).Body) {
		if strings.Contains(key, "contact ") {
			t.Errorf("%s on an idle desk", key)
		}
	}
	at := "phonebooks/contacts 0/contact "
	brandtest.Has(t, read(t, contactsOf(t, Digium(), s.Bound).Body), map[string]string{
		at + "1@first_name": "Grace", at + "1@subscribe_to": "sip:1002@acme.test", at + "2@account_id": "+4930123",
		at + "3@subscribe_to": "sip:1003@acme.test", at + "6/actions/action primary@dial": "*97",
	})
	full := read(t, contactsOf(t, Brand(), suites()[0].Full).Body)
	brandtest.Has(t, full, map[string]string{at + "40@account_id": "2039"})
	if _, more := full[at+"41@id"]; more {
		t.Error("more contacts than a phone subscribes to")
	}
}

// However a contact is written, it is one contact with the attributes it should
// have.
func checkContacts(t testing.TB, b brand.Brand, s string) {
	t.Helper()
	for key := range read(t, contactsOf(t, b, brandtest.Poison(suites()[1].Bound, s)).Body) {
		switch _, attr, _ := strings.Cut(key, "@"); attr {
		case "group_name", "editable", "id", "prefix", "first_name", "second_name", "last_name", "suffix", "contact_type",
			"organization", "job_title", "location", "notes", "account_id", "subscribe_to", "dial", "dial_prefix", "label", "name":
		default:
			t.Fatalf("%.100q brings %s", s, key)
		}
	}
}

func FuzzContacts(f *testing.F) {
	for _, s := range brandtest.Hostile() {
		f.Add(s[:min(len(s), 100)])
	}
	b := Digium()
	f.Fuzz(func(t *testing.T, s string) { checkContacts(t, b, s) })
}

func TestConfig(t *testing.T) {
	s := suites()[1]
	s.Full.Server.Transport, s.Full.AdminPassword = brand.TCP, "4711"
	r := s.Rendered(t, Digium(), s.Full)
	account := "config/accounts/account 0"
	got := s.Read(t, r.Body)
	brandtest.Has(t, got, map[string]string{
		account + "@username": "1001", account + "@authname": "000fd30abc01", account + "@password": "sessionpassword23456",
		account + "@outbound_proxy": "192.0.2.5", account + "/host_primary@server": "acme.test", account + "/host_primary@transport": "tcp",
		account + "@dial_plan": "*11T3|*11*x.T3|*11*x.*x.T3|*12T3|*12*x.T3|*12*x.*x.T3|*13T3|*13*x.T3|*13*x.*x.T3|*14T3|*14*x.T3|*14*x.*x.T3|*15T3|*15*x.T3|*15*x.*x.T3|*16T3|*16*x.T3|*16*x.*x.T3|*x.T3|x.T3",
		"time_zone":            "Europe/Berlin", "locale": "de_DE", "login_password": "4711", "enable_check_sync": "1",
		"config_server_url":            "http://000fd30abc01:dev-s3cret@192.0.2.5:8080/acme/",
		"config/contacts internal@url": "http://000fd30abc01:dev-s3cret@192.0.2.5:8080/acme/000fd30abc01-contacts.xml",
	})
	if len(r.Keys) != 13 || len(r.Optional) != 0 || len(r.Dropped) != 37 {
		t.Errorf("%d keys, %d optional, %d dropped", len(r.Keys), len(r.Optional), len(r.Dropped))
	}
	s.Full.AdminPassword = "letters"
	if _, set := s.Read(t, s.Rendered(t, Digium(), s.Full).Body)["login_password"]; set {
		t.Error("a password that the menu cannot take was written")
	}
}

// Other keys give another configuration, or nobody would know of them.
func TestKeysChangeTheConfiguration(t *testing.T) {
	s := suites()[1]
	d := s.Bound
	d.Keys = d.Keys[:1]
	if bytes.Equal(s.Rendered(t, Digium(), d).Body, s.Rendered(t, Digium(), s.Bound).Body) {
		t.Error("the same bytes")
	}
}

func TestEveryAttemptRestarts(t *testing.T) {
	for _, a := range Brand().Recipe.Attempts {
		if !a.Reboot || a.Event != "check-sync" {
			t.Errorf("%+v", a)
		}
	}
}

func TestRecognise(t *testing.T) {
	for _, c := range []struct{ path, ua, sip, want string }{
		{"/000fd30abc01.cfg", "Digium D40 1_4_0_0_57389", "", "digium D40 1.4.0.0.57389 000fd30abc01"},
		{"/000fd30abc01-contacts.xml", "Digium D70 2_9_21 000FD30ABC01", "", "digium D70 2.9.21 000fd30abc01"},
		{"", "", "Sangoma P325 4_9_2", "sangoma-p P325 4.9.2 000000000000"},
		{"", "", "Sangoma P330 4_9_2 000FD30ABC01", "sangoma-p P330 4.9.2 000fd30abc01"},
		{"/t/x/000fd30abc01.cfg", "", "", "sangoma-p   000fd30abc01"},
		{"/001565aabb01.cfg", "", "", "no"}, // Yealink
		{"/000fd30abc01.cfg", "curl/8", "", "no"},
		{"", "Sangoma S500 V2.0.4.48", "", "no"},
		{"", "Digium", "", "no"},
		{"", "", "", "no"},
	} {
		got := "no"
		for _, b := range []brand.Brand{Brand(), Digium()} {
			if p, ok := b.Recognise(brand.Request{Path: c.path, UserAgent: c.ua, SIPUserAgent: c.sip}); ok {
				got = string(p.Brand) + " " + brandtest.Recognised(p, ok)
			}
		}
		if got != c.want {
			t.Errorf("%q %q %q: got %q, want %q", c.path, c.ua, c.sip, got, c.want)
		}
	}
}

func TestFile(t *testing.T) {
	for name, want := range map[string]brand.FileKind{
		"000fd30abc01.cfg": brand.Device, "000FD30ABC01.CFG": brand.Device, "000fd30abc01-contacts.xml": brand.Device,
		"000fd30abc01-contacts.cfg": brand.Device, "000fd30abc01-smartblf.cfg": brand.Unknown, "000000000000.cfg": brand.Unknown,
		"000fd30abc01.xml": brand.Unknown, "": brand.Unknown,
	} {
		if got := File(name).Kind; got != want {
			t.Errorf("File(%q) = %d, want %d", name, got, want)
		}
	}
}

func FuzzRecognise(f *testing.F) {
	f.Add("/000fd30abc01.cfg", "Digium D40 1_4_0_0_57389")
	f.Add("/000fd30abc01-contacts.xml", "Sangoma P325 4_9_2 000FD30ABC01")
	brands := []brand.Brand{Brand(), Digium()}
	f.Fuzz(func(t *testing.T, path, ua string) {
		for _, b := range brands {
			if p, ok := b.Recognise(brand.Request{Path: path, UserAgent: ua}); ok && p.Brand != b.Name {
				t.Fatal("recognised as another")
			}
		}
		if f := File(path); f.Kind == brand.Device && f.MAC.IsZero() {
			t.Fatal("a phone's file without the phone")
		}
	})
}

func BenchmarkRender(b *testing.B) {
	s := suites()[0]
	p, f := Brand(), File(s.File)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Render(s.Full, f); err != nil {
			b.Fatal(err)
		}
	}
}
