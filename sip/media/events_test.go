package media

import (
	"encoding/binary"
	"testing"

	"github.com/pion/rtp"
)

// event is one packet of a series.
type event struct {
	stamp  uint32
	key    byte // event code
	length uint16
	end    bool
	marker bool
}

func (e event) packet(ssrc uint32) (*rtp.Header, []byte) {
	b := []byte{e.key, 10, 0, 0}
	if e.end {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], e.length)
	return &rtp.Header{Version: 2, SSRC: ssrc, Timestamp: e.stamp, Marker: e.marker}, b
}

// series is a press as RFC 4733 section 2.5.1 has it sent: every 20 ms, the
// last packet three times.
func series(stamp uint32, key byte, packets int) (all []event) {
	for i := range packets {
		all = append(all, event{stamp, key, uint16(160 * (i + 1)), false, i == 0})
	}
	last := event{stamp, key, uint16(160 * packets), true, false}
	return append(all, last, last, last)
}

func join(lists ...[]event) (all []event) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

func TestEvents(t *testing.T) {
	five, six := series(1000, 5, 4), series(5000, 6, 4)
	for _, tc := range []struct {
		name string
		in   []event
		want string
	}{
		{"one press", five, "5"},
		{"every key", join(series(0, 0, 1), series(1e4, 9, 1), series(2e4, 10, 1), series(3e4, 11, 1), series(4e4, 12, 1), series(5e4, 15, 1)), "09*#AD"},
		{"no keys", join(series(0, 16, 2), series(1e4, 36, 2), series(2e4, 255, 2)), ""},
		{"two presses of a key", join(five, series(5000, 5, 4)), "55"},
		{"all but one packet lost", []event{five[2]}, "5"},
		{"all but an end lost", []event{five[5]}, "5"},
		{"the first packets lost", five[3:], "5"},
		{"the end lost", join(five[:3], six), "56"},
		{"the end lost, the same key again", join(five[:3], series(5000, 5, 4)), "55"},
		{"the end and the next beginning lost", join(five[:3], series(5000, 5, 4)[1:]), "55"},
		{"doubled", join(five, five, six, six), "56"},
		{"out of order", []event{five[1], five[0], five[6], five[2], six[1], five[5], six[0], five[3], six[6]}, "56"},
		{"a press that comes after the next", join(six, five), "6"},
		{"held for ten seconds, in segments", join(
			[]event{{0, 5, 160, false, true}, {0, 5, 0xffff, false, false}},
			[]event{{0xffff, 5, 160, false, false}, {0xffff, 5, 14465, true, false}, {0xffff, 5, 14465, true, false}},
		), "5"},
		{"stamped anew each packet", []event{{0, 5, 160, false, true}, {160, 5, 320, false, false}, {320, 5, 480, false, false}, {480, 5, 640, true, false}, {480, 5, 640, true, false}}, "5"},
		{"over the end of the clock", join(series(0xffffff00, 1, 3), series(0x400, 2, 3)), "12"},
		{"the clock is set back", join(series(90_000_000, 1, 3), series(400, 2, 3)), "12"},
		{"no length at all", join([]event{{0, 1, 0, false, true}, {0, 1, 0, true, false}}, []event{{4000, 2, 0, false, true}}), "12"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var e events
			var got []byte
			for _, p := range tc.in {
				if k, ok := e.packet(p.packet(7)); ok {
					got = append(got, k.Byte())
				}
			}
			if string(got) != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
	t.Run("another source", func(t *testing.T) {
		var e events
		count := 0
		for _, ssrc := range []uint32{7, 8} {
			for _, p := range five {
				if _, ok := e.packet(p.packet(ssrc)); ok {
					count++
				}
			}
		}
		if count != 2 {
			t.Errorf("%d presses of two sources", count)
		}
	})
	t.Run("cut off", func(t *testing.T) {
		var e events
		for n := range 4 {
			if _, ok := e.packet(&rtp.Header{}, make([]byte, n)); ok {
				t.Errorf("%d bytes are a press", n)
			}
		}
	})
}
