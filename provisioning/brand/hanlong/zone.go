package hanlong

import (
	"time"

	"perch/provisioning/brand"
)

// zone is a time zone in the phone's words.
type zone struct {
	Set  bool
	Code int // of the phone's list of places
	DST  int // 0 never, 2 as that place does
}

// zoneFor finds a place of the phone's list with the same offset. An offset
// without one leaves the phone's own zone.
func zoneFor(zones *brand.Zones, iana string) zone {
	z, ok := zones.Lookup(iana)
	if !ok {
		return zone{}
	}
	code, ok := zoneCodes[int(z.Offset/time.Minute)]
	if !ok {
		return zone{}
	}
	out := zone{Set: true, Code: code}
	if z.DST {
		out.DST = 2
	}
	return out
}

// zoneCodes are values of P64 by minutes from UTC, one place for each.
var zoneCodes = map[int]int{
	-660: 105, -600: 2, -540: 3, -480: 6, -420: 10, -360: 14, -300: 18, -270: 19, -240: 20, -210: 26, -180: 30, -120: 31, -60: 32,
	0: 33, 60: 49, 120: 57, 180: 73, 210: 74, 240: 77, 300: 83, 330: 84, 360: 85, 420: 88, 480: 89, 540: 93, 570: 94, 600: 96,
	630: 100, 660: 101, 720: 102, 765: 103, 780: 104,
}
