package reload

import (
	"errors"
	"log/slog"
	"testing"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/provisioning/brand"
)

// pushes is a world whose tenant lets texts be sent.
type pushes struct{ *world }

func (p pushes) find() *Worker {
	shows := func(text string) brand.Attempt {
		return brand.Attempt{Event: "test-xml", ContentType: "application/xml", Body: []byte(text)}
	}
	brands := brand.List{{Name: "yealink", Message: shows}, {Name: "poly"}}
	return NewWorker(Parts{Store: p, Phones: p, Directory: p, Secrets: p, Sender: p, Brands: brands, Log: slog.New(slog.DiscardHandler)})
}

func TestShow(t *testing.T) {
	cases := []struct {
		name   string
		edit   func(*world)
		answer int
		push   string
		err    error
	}{
		{name: "taken", push: directory.PushMessages},
		{name: "taken, where settings are sent too", push: directory.PushSettings},
		{name: "off", push: directory.PushOff, err: ErrNoScreen},
		{name: "off where nobody says so", err: ErrNoScreen},
		{name: "a brand that shows nothing", edit: func(w *world) { w.brand = "poly" }, push: directory.PushMessages, err: ErrNoScreen},
		{name: "not registered", edit: func(w *world) { w.contacts = nil }, push: directory.PushMessages, err: ErrNoScreen},
		{name: "refused", answer: 489, push: directory.PushMessages, err: ErrNoScreen},
		{name: "silent", answer: 1, push: directory.PushMessages, err: ErrNoScreen},
		{name: "its connection is gone", answer: -1, push: directory.PushMessages, err: ErrNoScreen},
		{name: "unknown", edit: func(w *world) { w.missing = true }, push: directory.PushMessages, err: hotdesk.ErrNotFound},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			w.brand, w.screen = "yealink", c.push
			if c.answer != 0 {
				w.answers = []int{c.answer}
			}
			if c.answer == 1 {
				w.answers = []int{0}
			}
			if c.edit != nil {
				c.edit(w)
			}
			err := pushes{world: w}.find().Show(t.Context(), desk, "You will be logged out in five minutes")
			if !errors.Is(err, c.err) {
				t.Fatalf("err %v, want %v", err, c.err)
			}
			if c.err != nil {
				return
			}
			if len(w.sent) != 1 || string(w.sent[0].Body) != "You will be logged out in five minutes" || w.sent[0].Event != "test-xml" {
				t.Fatalf("sent %+v", w.sent)
			}
			if w.sent[0].Password != "device account" || w.sent[0].Contact.URI != "sip:idle@192.0.2.1" {
				t.Errorf("notice %+v", w.sent[0])
			}
		})
	}
}

func TestShowAllCountsWhoTookIt(t *testing.T) {
	w := newWorld()
	w.brand, w.screen, w.answers = "yealink", directory.PushMessages, []int{200, 489, 200}
	n, err := pushes{world: w}.find().ShowAll(t.Context(), "hello", desk, desk, desk)
	if n != 2 || err != nil {
		t.Errorf("%d shown, %v", n, err)
	}
}
