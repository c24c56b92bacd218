package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"perch/hotdesk/directory"
)

func TestFetched(t *testing.T) {
	engines(t, func(t *testing.T, s *Store) {
		o := newOffice(t, s)
		f := FetchedArgs{
			Device: desk(1), Digest: "d1", Targets: []string{"1002"}, Detail: "001565000001.cfg", Now: o.now,
			Phone: directory.Phone{Brand: "yealink", Model: "T46U", Firmware: "1.2", UserAgent: "Yealink"},
		}
		fetch := func(want int) {
			t.Helper()
			o.must(s.Fetched(t.Context(), f))
			e := o.events()
			if len(e) != want {
				t.Fatalf("%+v", e)
			}
			if want == 1 && (e[0].Digest != f.Digest || e[0].Session != f.Session || len(e[0].Targets) != 1 || e[0].Brand != "yealink") {
				t.Errorf("%+v", e)
			}
		}
		fetch(1)
		fetch(0) // the same as before, and nothing is open
		f.Digest = "d2"
		fetch(1)
		b := o.login("1001", desk(1)).Binding
		o.news()
		fetch(1)
		f.Session, f.Phone.Model = b.Session, ""
		fetch(1)
		var p directory.Phone
		_, err := s.field(t.Context(), "phone", key(acme, kPhones), desk(1).MAC.String(), &p)
		o.must(err)
		want := directory.Phone{
			Brand: "yealink", Model: "T46U", Firmware: "1.2", UserAgent: "Yealink",
			FetchedAt: o.now.UnixMilli(), FetchedDigest: "d2", FetchedFor: b.Session,
		}
		if diff := cmp.Diff(want, p); diff != "" {
			t.Error(diff)
		}
		f.Device = desk(9)
		fetch(0) // unknown
	})
}
