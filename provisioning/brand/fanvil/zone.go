package fanvil

import (
	"fmt"
	"time"

	"perch/provisioning/brand"
)

// zone is a time zone in the phone's words: quarters of an hour from UTC.
type zone struct {
	Set        bool
	Quarters   int
	Name       string // "UTC+1"
	DST        bool
	Save       int // minutes
	Start, End change
}

// change is a day of a month: Sunday is 0, week -1 the last.
type change struct{ Month, Week, Day, Hour int }

func zoneFor(zones *brand.Zones, iana string) zone {
	z, ok := zones.Lookup(iana)
	if !ok {
		return zone{}
	}
	out := zone{Set: true, Quarters: int(z.Offset / (15 * time.Minute)), Name: name(z.Offset), DST: z.DST}
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
	return change{Month: c.Month, Week: week, Day: c.Weekday % 7, Hour: c.Hour}
}

// name is the entry of the phone's menu.
func name(offset time.Duration) string {
	minutes, sign := int(offset/time.Minute), '+'
	if minutes < 0 {
		minutes, sign = -minutes, '-'
	}
	switch {
	case minutes == 0:
		return "UTC"
	case minutes%60 == 0:
		return fmt.Sprintf("UTC%c%d", sign, minutes/60)
	default:
		return fmt.Sprintf("UTC%c%d:%02d", sign, minutes/60, minutes%60)
	}
}
