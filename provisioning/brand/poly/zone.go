package poly

import (
	"time"

	"perch/provisioning/brand"
)

// zone is a time zone in the phone's words.
type zone struct {
	Set        bool
	Offset     int // seconds from UTC
	DST        bool
	Start, End change
}

// change is a moment of tcpIpApp.sntp.daylightSavings: Sunday is day 1, and the
// date is the first day of the month on which the week can begin (1, 8, 15, 22).
type change struct {
	Month, Date, Day, Hour int
	Last                   int // 1: the last such day of the month
}

// zoneFor writes a zone as an offset and an explicit rule. The phone adds an hour
// in summer; a zone that adds less is given without.
func zoneFor(zones *brand.Zones, iana string) zone {
	z, ok := zones.Lookup(iana)
	if !ok {
		return zone{}
	}
	out := zone{Set: true, Offset: int(z.Offset / time.Second)}
	if z.DST && z.Save == time.Hour {
		out.DST, out.Start, out.End = true, changeOf(z.Start), changeOf(z.End)
	}
	return out
}

func changeOf(c brand.Change) change {
	out := change{Month: c.Month, Day: c.Weekday%7 + 1, Hour: c.Hour, Date: (c.Week-1)*7 + 1}
	if c.Week == 5 {
		out.Last, out.Date = 1, 22
	}
	return out
}
