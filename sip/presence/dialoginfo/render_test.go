package dialoginfo

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"perch/hotdesk/directory"
	"perch/sip/presence"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var grace = directory.AOR{User: "1002", Domain: "acme.test"}

var cases = []struct {
	name    string
	state   presence.State
	version uint32
}{
	{"idle", presence.State{Entity: grace}, 0},
	{"ringing", presence.State{Entity: grace, Dialogs: []presence.Dialog{{
		ID: "as7d900as8", CallID: "a84b4c76e66710", LocalTag: "1928301774", RemoteTag: "456887766",
		Direction: presence.Recipient, Phase: presence.Early,
		Local:  presence.Party{URI: "sip:1002@acme.test", Target: "sip:1002@192.0.2.7:5060"},
		Remote: presence.Party{URI: "sip:1001@acme.test", Display: "Ada Lovelace"},
	}}}, 1},
	{"two calls", presence.State{Entity: grace, Dialogs: []presence.Dialog{
		{ID: "a", Direction: presence.Initiator, Phase: presence.Confirmed},
		{ID: "b", Phase: presence.Trying, Remote: presence.Party{Display: "only a name"}},
	}}, 4294967295},
	{"hostile", presence.State{
		Entity: directory.AOR{User: `"/><x`, Domain: "a&b\x00\xff"},
		Dialogs: []presence.Dialog{{
			ID: "a\nb\"", CallID: "]]>", Phase: presence.Confirmed,
			Remote: presence.Party{URI: "</identity><evil/>", Display: "a\r\nb\u0085c\u2028d <!--&amp;'\x1b", Target: `sip:x" y="z`},
		}},
	}, 2},
}

func TestGolden(t *testing.T) {
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			got := Render(nil, tc.state, tc.version)
			path := filepath.Join("testdata", strings.ReplaceAll(tc.name, " ", "_")+".xml")
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), string(got)); d != "" {
				t.Error(d)
			}
			doc := parse(t, got)
			if doc.Version != tc.version || doc.State != "full" || len(doc.Dialogs) != max(1, len(tc.state.Dialogs)) {
				t.Errorf("reads back as %+v", doc)
			}
		})
	}
}

// document is RFC 4235 section 4.4 as an encoding/xml type, written from the
// schema and not from the renderer.
type document struct {
	XMLName xml.Name `xml:"urn:ietf:params:xml:ns:dialog-info dialog-info"`
	Version uint32   `xml:"version,attr"`
	State   string   `xml:"state,attr"`
	Entity  string   `xml:"entity,attr"`
	Dialogs []struct {
		ID        string `xml:"id,attr"`
		CallID    string `xml:"call-id,attr"`
		LocalTag  string `xml:"local-tag,attr"`
		RemoteTag string `xml:"remote-tag,attr"`
		Direction string `xml:"direction,attr"`
		State     string `xml:"state"`
		Local     end    `xml:"local"`
		Remote    end    `xml:"remote"`
	} `xml:"dialog"`
}

type end struct {
	Identity struct {
		Display string `xml:"display,attr"`
		URI     string `xml:",chardata"`
	} `xml:"identity"`
	Target struct {
		URI string `xml:"uri,attr"`
	} `xml:"target"`
}

func parse(t *testing.T, b []byte) document {
	t.Helper()
	var doc document
	if err := xml.Unmarshal(b, &doc); err != nil {
		t.Fatalf("%v in\n%s", err, b)
	}
	return doc
}

func TestEveryFieldArrives(t *testing.T) {
	s := cases[1].state
	doc := parse(t, Render(nil, s, 1))
	got, want := doc.Dialogs[0], s.Dialogs[0]
	if doc.Entity != "sip:1002@acme.test" {
		t.Errorf("entity %s", doc.Entity)
	}
	for name, pair := range map[string][2]string{
		"id":         {got.ID, want.ID},
		"call-id":    {got.CallID, want.CallID},
		"local-tag":  {got.LocalTag, want.LocalTag},
		"remote-tag": {got.RemoteTag, want.RemoteTag},
		"direction":  {got.Direction, "recipient"},
		"state":      {got.State, "early"},
		"local":      {got.Local.Identity.URI, want.Local.URI},
		"target":     {got.Local.Target.URI, want.Local.Target},
		"remote":     {got.Remote.Identity.URI, want.Remote.URI},
		"display":    {got.Remote.Identity.Display, want.Remote.Display},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %q, want %q", name, pair[0], pair[1])
		}
	}
}

func FuzzRender(f *testing.F) {
	f.Add("1002", "acme.test", "id", "Ada <&>", "sip:a@h")
	f.Add("\"", "]]>", "\x00", "\u2028\xff", "'")
	f.Fuzz(func(t *testing.T, user, domain, id, display, uri string) {
		b := Render(nil, presence.State{
			Entity: directory.AOR{User: user, Domain: domain},
			Dialogs: []presence.Dialog{{
				ID: id, CallID: uri, Phase: presence.Early,
				Local:  presence.Party{URI: uri, Display: display, Target: uri},
				Remote: presence.Party{URI: display},
			}},
		}, 0)
		elements := 0
		dec := xml.NewDecoder(strings.NewReader(string(b)))
		for {
			tok, err := dec.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%v in\n%s", err, b)
			}
			if _, ok := tok.(xml.StartElement); ok {
				elements++
			}
		}
		want := 3 // dialog-info, dialog, state; then what the texts ask for
		if uri != "" || display != "" {
			want += 2 // local, identity
		}
		if uri != "" {
			want++ // target
		}
		if display != "" {
			want += 2 // remote, identity
		}
		if elements != want {
			t.Fatalf("%d elements, want %d, in\n%s", elements, want, b)
		}
	})
}

func BenchmarkRender(b *testing.B) {
	for _, tc := range cases[:2] {
		b.Run(tc.name, func(b *testing.B) {
			buf := make([]byte, 0, 1024)
			b.ReportAllocs()
			for b.Loop() {
				buf = Render(buf[:0], tc.state, 7)
			}
		})
	}
}
