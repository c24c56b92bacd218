package snom

import (
	"fmt"
	"time"

	"perch/provisioning/brand"
)

// zone is a time zone in the phone's words.
type zone struct {
	Set    bool
	Name   string // of Snom's list; empty when there is no sure entry
	Offset string // seconds from UTC: "+3600"
	Rule   string // "3600 03.05.07 02:00:00 10.05.07 03:00:00"; empty without summer time
}

// zoneFor writes a zone as an offset and an explicit rule; the name, where one
// is sure, says the same and is what the phone's menu shows.
func zoneFor(zones *brand.Zones, iana string) zone {
	z, ok := zones.Lookup(iana)
	if !ok {
		return zone{}
	}
	out := zone{Set: true, Name: zoneNames[iana], Offset: fmt.Sprintf("%+d", int(z.Offset/time.Second))}
	if z.DST {
		out.Rule = fmt.Sprintf("%d %s %s", int(z.Save/time.Second), change(z.Start), change(z.End))
	}
	return out
}

// change is month.week.weekday and the time.
func change(c brand.Change) string {
	return fmt.Sprintf("%02d.%02d.%02d %02d:%02d:00", c.Month, c.Week, c.Weekday, c.Hour, c.Minute)
}

// zoneNames are values of the setting timezone.
var zoneNames = map[string]string{
	"Europe/Amsterdam": "NLD+1", "Europe/Athens": "GRC+2", "Europe/Berlin": "GER+1", "Europe/Brussels": "BEL+1",
	"Europe/Copenhagen": "DNK+1", "Europe/Helsinki": "FIN+2", "Europe/Lisbon": "PRT-0", "Europe/London": "GBR-0",
	"Europe/Luxembourg": "LUX+1", "Europe/Madrid": "ESP+1", "Europe/Oslo": "NOR+1", "Europe/Paris": "FRA+1",
	"Europe/Prague": "CZE+1", "Europe/Rome": "ITA+1", "Europe/Stockholm": "SWE+1", "Europe/Warsaw": "POL+1",
	"America/New_York": "USA-5", "America/Chicago": "USA-6", "America/Denver": "USA-7", "America/Los_Angeles": "USA-8",
	"America/Toronto": "CAN-5", "Asia/Kolkata": "IND+5.5", "Asia/Singapore": "SGP+8",
	"Australia/Sydney": "AUS+10", "Pacific/Auckland": "NZL+12",
}
