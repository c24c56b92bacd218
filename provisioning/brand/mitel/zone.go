package mitel

import (
	"time"

	"perch/provisioning/brand"
)

// zone is a time zone in the phone's words: minutes west of UTC.
type zone struct {
	Set        bool
	Minutes    int
	DST        bool
	Save       int
	Start, End change
}

// change is a day of a month: Sunday is 1, week -1 the last.
type change struct{ Month, Week, Day, Hour int }

func zoneFor(zones *brand.Zones, iana string) zone {
	z, ok := zones.Lookup(iana)
	if !ok {
		return zone{}
	}
	out := zone{Set: true, Minutes: -int(z.Offset / time.Minute), DST: z.DST}
	if z.DST {
		out.Save, out.Start, out.End = int(z.Save/time.Minute), changeOf(z.Start), changeOf(z.End)
	}
	return out
}

func changeOf(c brand.Change) change {
	week := c.Week
	if week == 5 {
		week = -1
	}
	return change{Month: c.Month, Week: week, Day: c.Weekday%7 + 1, Hour: c.Hour}
}
