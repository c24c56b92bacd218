package e2e

import (
	"strings"
	"testing"
	"time"

	"perch/internal/sim"
)

// furnished is officeFile with desks, a supervisor and a guest.
func furnished() string {
	return strings.Replace(officeFile, "    devices:\n", `      - {number: "1006", name: Late Guest, pin: "2468", valid_until: 2020-01-01T00:00:00Z}
    supervisors: [{name: frontdesk, pin: "9081"}]
    policy: {supervisors: true, max_session: 9h}
    desks:
      - {code: pair, label: Window, devices: ["001565aabb01", "000413aabb03"]}
      - {code: hers, label: Hers, class: owned, owner: "1002", devices: ["001565aabb02", "000413aabb04"]}
      - {code: lobby, class: emergency-only, devices: ["001565aabb06"]}
    devices:
`, 1)
}

// TestTheDevicesOfADeskMoveTogether: a person dials at one phone, and phone and
// conference phone are theirs, each with its own session and trace; leaving one
// leaves both.
func TestTheDevicesOfADeskMoveTogether(t *testing.T) {
	t.Parallel()
	o := openWith(t, furnished())
	phone, conference := o.phone(sim.Yealink, yealinkDesk), o.phone(sim.Snom, snomDesk)
	phone.is(yealinkDesk)
	conference.is(snomDesk)

	phone.hears(true, phone.dial("*11*1001*4321"))
	phone.is("1001")
	conference.is("1001")
	whole(t, o.ready(yealinkDesk, "1001"))
	o.ready(snomDesk, "1001")
	a, err := o.Store().Seats(t.Context(), device(t, yealinkDesk))
	if err != nil {
		t.Fatal(err)
	}
	b, err := o.Store().Seats(t.Context(), device(t, snomDesk))
	if err != nil {
		t.Fatal(err)
	}
	x, y := a.Bindings[0], b.Bindings[0]
	if x.Session == y.Session || x.Desk != "pair" || y.Desk != "pair" || x.Until != y.Until || x.Rule != "max_session: 9h0m0s (tenant)" {
		t.Errorf("bindings %+v and %+v", x, y)
	}
	if left := time.Until(time.UnixMilli(x.Until)); left < 8*time.Hour || left > 9*time.Hour {
		t.Errorf("the session ends in %s", left)
	}

	conference.hears(true, conference.dial("*12"))
	conference.is(snomDesk)
	phone.is(yealinkDesk)
	o.ready(yealinkDesk, "")
	o.ready(snomDesk, "")
}

// TestWhoseDesk: an owner's desk takes its owner, and others by a supervisor's PIN;
// it goes back to the owner, at all of its devices. An emergency desk takes nobody,
// and a guest whose time is over sits nowhere.
func TestWhoseDesk(t *testing.T) {
	t.Parallel()
	o := openWith(t, furnished())
	phone, second, lobby := o.phone(sim.Yealink, yealinkDesk2), o.phone(sim.Snom, snomDesk2), o.phone(sim.Yealink, bareDesk)
	phone.is(yealinkDesk2)
	second.is(snomDesk2)
	lobby.is(bareDesk)

	phone.dial("*11*1001*4321") // not hers
	lobby.dial("*11*1001*4321") // nobody's
	lobby.dial("*11*1006*2468") // and too late
	for _, mac := range []string{yealinkDesk2, snomDesk2, bareDesk} {
		if s, err := o.Store().Seats(t.Context(), device(t, mac)); err != nil || len(s.Bindings) > 0 {
			t.Errorf("%s: %+v %v", mac, s, err)
		}
	}
	phone.hears(true, phone.dial("*16*1001*9081")) // by the front desk
	phone.is("1001")
	second.is("1001")
	phone.hears(true, phone.dial("*12"))
	phone.is("1002") // hers again
	second.is("1002")
	o.ready(yealinkDesk2, "1002")
	o.ready(snomDesk2, "1002")
}
