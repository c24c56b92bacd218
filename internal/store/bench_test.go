package store

import (
	"fmt"
	"testing"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/sip/location"
)

// BenchmarkBind moves one person between two desks, on a server that has each
// answer on disk.
func BenchmarkBind(b *testing.B) {
	s := open(b, Options{DataDir: b.TempDir()})
	o := newOffice(b, s)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		_, err := s.Bind(b.Context(), hotdesk.BindRequest{
			ID: fmt.Sprintf("r%d", n), Now: time.Now(), Device: desk(1 + n%2), Rules: move,
			Binding: hotdesk.Binding{
				Number: "1001", Line: 1, Session: directory.SessionID(fmt.Sprintf("%032x", n)),
				Since: time.Now().UnixMilli(), Trace: fmt.Sprintf("t%d", n), Door: hotdesk.API,
			},
		})
		o.must(err)
	}
}

// BenchmarkBindParallel is many people at many desks.
func BenchmarkBindParallel(b *testing.B) {
	s := open(b, Options{DataDir: b.TempDir()})
	o := newOffice(b, s)
	const many = 500
	for n := range many {
		o.device(directory.Device{ID: crowdDesk(n)})
		o.put(kExtensions, fmt.Sprint(5000+n), directory.Extension{})
	}
	b.ReportAllocs()
	b.SetParallelism(32)
	ids := make(chan int)
	go func() {
		for n := 0; ; n++ {
			select {
			case ids <- n:
			case <-b.Context().Done():
				return
			}
		}
	}()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			n := <-ids
			_, err := s.Bind(b.Context(), hotdesk.BindRequest{
				ID: fmt.Sprintf("r%d", n), Now: time.Now(), Device: crowdDesk(n % many), Rules: move,
				Binding: hotdesk.Binding{
					Number: fmt.Sprint(5000 + n*7%many), Line: 1, Session: directory.SessionID(fmt.Sprintf("%032x", n)),
					Since: time.Now().UnixMilli(), Trace: fmt.Sprintf("t%d", n), Door: hotdesk.API,
				},
			})
			if err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkContactCommit is a refresh that is written at once.
func BenchmarkContactCommit(b *testing.B) {
	s := open(b, Options{DataDir: b.TempDir()})
	o := newOffice(b, s)
	o.must(o.register("1001", o.contact("sip:1001@192.0.2.9:5060", desk(1), ""), desk(1)))
	b.ReportAllocs()
	for b.Loop() {
		set, err := s.Contacts(b.Context(), acme, "1001")
		o.must(err)
		set.Contacts[0].CSeq++
		o.must(s.CommitContacts(b.Context(), location.Commit{
			Tenant: acme, User: "1001", Set: set, Now: o.now, Device: desk(1), Refreshed: set.Contacts,
		}))
	}
}
