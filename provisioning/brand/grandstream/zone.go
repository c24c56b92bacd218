package grandstream

import (
	"fmt"
	"time"

	"perch/provisioning/brand"
)

// zoneFor writes a zone as the self-defined rule that the phone takes, in the
// form of POSIX TZ: offsets count westwards, Sunday is 0. The abbreviations
// stand for nothing.
func zoneFor(zones *brand.Zones, iana string) string {
	z, ok := zones.Lookup(iana)
	if !ok {
		return ""
	}
	if !z.DST {
		return "STD" + offset(z.Offset)
	}
	return "STD" + offset(z.Offset) + "DST" + offset(z.Offset+z.Save) + "," + change(z.Start) + "," + change(z.End)
}

func change(c brand.Change) string {
	return fmt.Sprintf("M%d.%d.%d/%02d:%02d:00", c.Month, c.Week, c.Weekday%7, c.Hour, c.Minute)
}

// offset is what is added to local time to reach UTC: "-1", "+3:30".
func offset(d time.Duration) string {
	minutes, sign := int(d/time.Minute), '-'
	if minutes <= 0 {
		minutes, sign = -minutes, '+'
	}
	if minutes%60 == 0 {
		return fmt.Sprintf("%c%d", sign, minutes/60)
	}
	return fmt.Sprintf("%c%d:%02d", sign, minutes/60, minutes%60)
}
