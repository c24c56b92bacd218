package reload

import (
	"context"
	"errors"
	"testing"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/hotdesk/trace"
	"perch/sip/location"
)

// ledger keeps what was opened.
type ledger struct {
	*world
	seats  hotdesk.Seats
	opened []trace.Trace
	intent Intent
	due    time.Time
}

func (l *ledger) Seats(context.Context, directory.DeviceID) (hotdesk.Seats, error) {
	return l.seats, nil
}

func (l *ledger) OpenReload(_ context.Context, t trace.Trace, i Intent, due time.Time) error {
	l.opened, l.intent, l.due = append(l.opened, t), i, due
	return nil
}

func TestRequest(t *testing.T) {
	bound := hotdesk.Seats{Bindings: []hotdesk.Binding{{Session: "new", Number: "1001", Line: 1}}}
	until := start.Add(time.Hour).UnixMilli()
	cases := []struct {
		name     string
		seats    hotdesk.Seats
		contacts []location.Contact
		kind     trace.Kind
		session  directory.SessionID
	}{
		{name: "registered as who sits there", seats: bound, contacts: []location.Contact{{Session: "new", Expires: until}}, kind: trace.Reload, session: "new"},
		{name: "idle and registered so", contacts: []location.Contact{{Expires: until}}, kind: trace.Reload},
		{name: "still on the device account", seats: bound, contacts: []location.Contact{{Expires: until}}, kind: trace.Login, session: "new"},
		{name: "still on a session that is over", contacts: []location.Contact{{Session: "old", Expires: until}}, kind: trace.Logout},
		{name: "its contact has expired", seats: bound, contacts: []location.Contact{{Session: "new", Expires: start.UnixMilli()}}, kind: trace.Login, session: "new"},
		{name: "not registered", seats: bound, kind: trace.Login, session: "new"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			l := &ledger{world: newWorld(), seats: c.seats}
			l.contacts = c.contacts
			d := NewDesk(l, l, l, func() time.Time { return start })
			if err := d.Request(t.Context(), Order{ID: "t9", Device: desk, Door: hotdesk.CLI, Reboot: true}); err != nil {
				t.Fatal(err)
			}
			if len(l.opened) != 1 || l.opened[0].Kind != c.kind || l.opened[0].Session != c.session {
				t.Errorf("trace %+v, want %s for session %q", l.opened, c.kind, c.session)
			}
			if l.intent.Trace != "t9" || !l.intent.Reboot || l.intent.Session != c.session || !l.due.Equal(start) {
				t.Errorf("intent %+v due %s", l.intent, l.due)
			}
		})
	}
}

func TestRequestForNoDevice(t *testing.T) {
	l := &ledger{world: newWorld()}
	l.missing = true
	if err := NewDesk(l, l, l, nil).Request(t.Context(), Order{ID: "t9", Device: desk}); !errors.Is(err, hotdesk.ErrNotFound) {
		t.Errorf("err %v", err)
	}
}
