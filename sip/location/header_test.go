package location

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func wanted(uri string, change ...func(*Wanted)) Wanted {
	w := Wanted{URI: uri, Q: 1000, Expires: Absent}
	for _, f := range change {
		f(&w)
	}
	return w
}

func expires(v int64) func(*Wanted) { return func(w *Wanted) { w.Expires = v } }

func TestParseContacts(t *testing.T) {
	for _, tc := range []struct {
		name   string
		fields []string
		want   []Wanted
		star   bool
	}{
		{"plain", []string{"<sip:1001@192.0.2.7:5062>"}, []Wanted{wanted("sip:1001@192.0.2.7:5062")}, false},
		{"none", nil, nil, false},
		{"star", []string{" * "}, nil, true},
		{"empty field", []string{""}, nil, false},
		{"addr-spec: parameters are the header's", []string{"sip:a@b;expires=60;transport=tcp"}, []Wanted{wanted("sip:a@b", expires(60))}, false},
		{"parameters in the URI", []string{"<sip:a@b;transport=tcp;x=1>;expires=60"}, []Wanted{wanted("sip:a@b;transport=tcp;x=1", expires(60))}, false},
		{"display names", []string{`"Ada, \"Countess\" <x>" <sip:a@b>, Grace Hopper <sip:c@d>`}, []Wanted{wanted("sip:a@b"), wanted("sip:c@d")}, false},
		{"several fields", []string{"<sip:a@b>", "<sip:c@d>"}, []Wanted{wanted("sip:a@b"), wanted("sip:c@d")}, false},
		{"trailing and doubled commas", []string{",<sip:a@b>,, <sip:c@d>,"}, []Wanted{wanted("sip:a@b"), wanted("sip:c@d")}, false},
		{"capitals and blanks", []string{"<sip:a@b> ; EXPIRES = 90 ; Q = 0.5"}, []Wanted{wanted("sip:a@b", expires(90), func(w *Wanted) { w.Q = 500 })}, false},
		{"malformed expires", []string{"<sip:a@b>;expires=soon"}, []Wanted{wanted("sip:a@b", expires(Bad))}, false},
		{"empty expires", []string{"<sip:a@b>;expires="}, []Wanted{wanted("sip:a@b", expires(Bad))}, false},
		{"expires over 32 bits", []string{"<sip:a@b>;expires=4294967296"}, []Wanted{wanted("sip:a@b", expires(Bad))}, false},
		{"quoted expires", []string{`<sip:a@b>;expires="60"`}, []Wanted{wanted("sip:a@b", expires(60))}, false},
		{"malformed q", []string{"<sip:a@b>;q=9"}, []Wanted{wanted("sip:a@b")}, false},
		{
			"quoted values with separators",
			[]string{`<sip:a@b>;+sip.instance="<urn:uuid:0>";reg-id=1;pub-gruu="sip:a@e;gr=x,y";x="a=b",<sip:c@d>`},
			[]Wanted{wanted("sip:a@b", func(w *Wanted) { w.Instance, w.RegID = "<urn:uuid:0>", 1 }), wanted("sip:c@d")},
			false,
		},
		{"instance that would need escaping", []string{`<sip:a@b>;+sip.instance="a\"b"`}, []Wanted{wanted("sip:a@b")}, false},
		{"flags and stray semicolons", []string{"<sip:a@b>;ob;;expires=60"}, []Wanted{wanted("sip:a@b", expires(60))}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, star, err := ParseContacts(tc.fields)
			if err != nil || star != tc.star {
				t.Fatalf("star %v, error %v", star, err)
			}
			if diff := cmp.Diff(tc.want, got, cmpopts.IgnoreUnexported(Wanted{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseContactsRefuses(t *testing.T) {
	many := strings.Repeat("<sip:a@b>,", 11)
	for _, tc := range []struct {
		field string
		want  error
	}{
		{"*, <sip:a@b>", ErrMalformed},
		{"<sip:a@b>, *", ErrMalformed},
		{"<sip:a@b", ErrMalformed},
		{`"Ada <sip:a@b>`, ErrMalformed},
		{"<tel:112>", ErrMalformed},
		{"<sip:a@b> garbage", ErrMalformed},
		{`<sip:a@b>;x="open`, ErrMalformed},
		{"<sip:a@b\x00>", ErrMalformed},
		{"<sip:a@b?X=%0d%0aY>;" + strings.Repeat("a;", 100), ErrMalformed},
		{"<sip:" + strings.Repeat("a", 600) + "@b>", ErrMalformed},
		{many, ErrTooMany},
	} {
		if got, _, err := ParseContacts([]string{tc.field}); !errors.Is(err, tc.want) {
			t.Errorf("%.60q gave %+v, %v", tc.field, got, err)
		}
	}
}

func FuzzParseContacts(f *testing.F) {
	for _, s := range []string{
		"*", "<sip:a@b>;expires=60;q=0.5,sip:c@d", `"x\"," <sip:a@b;p?h=1>;+sip.instance="<urn:x>"`, "<sip:%41@[::1]:5>", ",;=\"<>",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, star, err := ParseContacts([]string{s})
		if err != nil {
			return
		}
		if star && len(got) > 0 || len(got) > maxWanted {
			t.Fatalf("%q: star %v and %d contacts", s, star, len(got))
		}
		for _, w := range got {
			if hasBadByte(w.URI) || w.Q < 0 || w.Q > 1000 || w.Expires < Bad || strings.ContainsAny(w.Instance, "\"\r\n") {
				t.Fatalf("%q gave %+v", s, w)
			}
			u, err := ParseURI(w.URI)
			if err != nil || !u.Equal(w.uri) {
				t.Fatalf("%q is not equal to itself: %v", w.URI, err)
			}
			again, _, err := ParseContacts([]string{"<" + w.URI + ">"})
			if err != nil || len(again) != 1 || again[0].URI != w.URI {
				t.Fatalf("%q does not read back: %v", w.URI, err)
			}
		}
	})
}
