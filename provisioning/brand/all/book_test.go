package all

import (
	"encoding/csv"
	"encoding/xml"
	"io"
	"slices"
	"strings"
	"testing"

	"perch/hotdesk/directory"
	"perch/provisioning/brand"
)

// structure is a book without its values: elements and names of attributes. It is
// read by other parsers than wrote it.
func structure(t testing.TB, contentType string, body []byte) (shape, values []string) {
	t.Helper()
	if strings.HasPrefix(contentType, "text/csv") {
		rows, err := csv.NewReader(strings.NewReader(string(body))).ReadAll()
		if err != nil {
			t.Fatalf("%v\n%s", err, body)
		}
		for _, r := range rows {
			shape, values = append(shape, strings.Repeat("c", len(r))), append(values, r...)
		}
		return shape, values
	}
	d := xml.NewDecoder(strings.NewReader(string(body)))
	for {
		tok, err := d.Token()
		if err == io.EOF {
			return shape, values
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, body)
		}
		switch x := tok.(type) {
		case xml.StartElement:
			shape = append(shape, x.Name.Local)
			for _, a := range x.Attr {
				shape, values = append(shape, "@"+a.Name.Local), append(values, a.Value)
			}
		case xml.EndElement:
			shape = append(shape, "/"+x.Name.Local)
		case xml.CharData:
			if s := strings.TrimSpace(string(x)); s != "" {
				values = append(values, s)
			}
		case xml.Directive, xml.Comment:
			t.Fatalf("a directive or comment:\n%s", body)
		}
	}
}

func page(name, number string) brand.BookPage {
	return brand.BookPage{Title: name, Next: "http://192.0.2.1/t/x/next.xml", Entries: []brand.Entry{{Name: name, Number: number}, {Name: "Grace", Number: "1002"}}}
}

func hostileNames() []string {
	return []string{
		`"/><x y="`, "</Name></DirectoryEntry><evil>", "]]>", "<!--", "&amp;&#0;", "a\r\nb,\"c\"", "\x00\x1b[2J", "Zoë \u202egnp.exe", "أحمد", "😀 Ada",
		"'; drop", strings.Repeat("x", 500), "%NULL%", "-", "=cmd|' /C calc'!A0", "\xff\xfe",
	}
}

// No name of a person changes the form of a phone book.
func TestBooksHoldTheirForm(t *testing.T) {
	n := 0
	for _, b := range Brands() {
		if b.Book.Write == nil {
			continue
		}
		n++
		want, values := structure(t, b.Book.ContentType, b.Book.Write(page("Ada", "1001")))
		for _, v := range []string{"1001", "1002"} {
			if !slices.Contains(values, v) || !strings.Contains(strings.Join(values, "|"), "Grace") {
				t.Errorf("%s: no %s in %q", b.Name, v, values)
			}
		}
		for _, evil := range hostileNames() {
			if got, _ := structure(t, b.Book.ContentType, b.Book.Write(page(evil, "1001"))); !slices.Equal(got, want) {
				t.Errorf("%s: %q changes the form:\n%v\n%v", b.Name, evil, got, want)
			}
		}
		if _, ok := b.Book.Part("001565aabb01-phonebook.xml"); !ok {
			t.Errorf("%s has no name for its book", b.Name)
		}
	}
	if n < 11 {
		t.Errorf("%d brands have a phone book", n)
	}
}

func FuzzBooks(f *testing.F) {
	for _, s := range hostileNames() {
		f.Add(s, "1001")
	}
	brands := Brands()
	f.Fuzz(func(t *testing.T, name, number string) {
		for _, b := range brands {
			if b.Book.Write == nil {
				continue
			}
			want, _ := structure(t, b.Book.ContentType, b.Book.Write(page("Ada", "1001")))
			got, _ := structure(t, b.Book.ContentType, b.Book.Write(page(name, number)))
			if !slices.Equal(got, want) {
				t.Fatalf("%s:\n%v\n%v", b.Name, got, want)
			}
		}
	})
}

func TestBookNames(t *testing.T) {
	find := func(name string) brand.Book {
		b, _ := Brands().Find(name)
		return b.Book
	}
	for _, c := range []struct {
		brand, name string
		part        int
		ok          bool
	}{
		{"yealink", "001565AABB01-phonebook.xml", 1, true},
		{"cisco-spa", "001565aabb01-phonebook-12.xml", 12, true},
		{"yealink", "001565aabb01-phonebook-0.xml", 0, false},
		{"yealink", "phonebook.xml", 0, false},
		{"grandstream", "phonebook.xml", 1, true},
		{"poly", "64167faabb08-directory.xml", 1, true},
		{"poly", "000000000000-directory.xml.bak", 0, false},
		{"mitel", "00085daabb01-phonebook.csv", 1, true},
		{"panasonic", "0080f0aabbcc-phonebook.xml", 0, false},
	} {
		if part, ok := find(c.brand).Part(c.name); ok != c.ok || part != c.part {
			t.Errorf("%s %s: %d %v", c.brand, c.name, part, ok)
		}
	}
}

// Where a brand has a setting for it, the phone is told where its book is, and
// people who look at the file are not told the token.
func TestBooksAreConfigured(t *testing.T) {
	mac := directory.MAC{0, 0x15, 0x65, 0xaa, 0xbb, 1}
	for _, c := range []struct{ brand, model, file, want string }{
		{"yealink", "T46U", "001565aabb01.cfg", "\nremote_phonebook.data.1.url = http://192.0.2.1/t/tok/001565aabb01-phonebook.xml\n"},
		{"snom", "D785", "001565aabb01.xml", ">url http://192.0.2.1/t/tok/001565aabb01-phonebook.xml</dkey_directory>"},
		{"grandstream", "GRP2614", "cfg001565aabb01.xml", `"phonebook.download.server">192.0.2.1/t/tok/001565aabb01</item>`},
		{"grandstream", "GXP1625", "cfg001565aabb01.xml", "<P331>192.0.2.1/t/tok/001565aabb01</P331>"},
		{"cisco-spa", "SPA504G", "001565aabb01.xml", "<XML_Directory_Service_URL>http://192.0.2.1/t/tok/001565aabb01-phonebook.xml<"},
		{"cisco-mpp", "8851", "001565aabb01.xml", `<XML_Directory_Service_URL ua="na">http://192.0.2.1/t/tok/001565aabb01-phonebook.xml<`},
		{"mitel", "6920", "001565aabb01.cfg", "http://192.0.2.1/t/tok/001565aabb01-phonebook.csv"},
	} {
		b, _ := Brands().Find(c.brand)
		d := brand.Desk{MAC: mac, Model: c.model, Domain: "acme.test", Server: brand.Server{Host: "192.0.2.1", Port: 5060}, BookURL: "http://192.0.2.1/t/tok/"}
		out, err := b.Render(d, b.File(c.file))
		if err != nil || !strings.Contains(string(out.Body), c.want) {
			t.Errorf("%s %s: no %q, %v", c.brand, c.model, c.want, err)
		}
		if out, err = b.Render(d.Masked(), b.File(c.file)); err != nil || strings.Contains(string(out.Body), "/tok/") {
			t.Errorf("%s: the token is shown, %v", c.brand, err)
		}
		if strings.Contains(out.ContentType, "xml") {
			structure(t, out.ContentType, []byte(stripComments(string(out.Body))))
		}
		d.BookURL = ""
		if out, err = b.Render(d, b.File(c.file)); err != nil || strings.Contains(string(out.Body), "phonebook") && c.brand != "yealink" {
			t.Errorf("%s: a book where there is none, %v", c.brand, err)
		}
	}
}

// stripComments leaves our own comments out: structure takes any for a fault.
func stripComments(s string) string {
	for {
		before, rest, ok := strings.Cut(s, "<!--")
		if !ok {
			return s
		}
		_, after, _ := strings.Cut(rest, "-->")
		s = before + after
	}
}
