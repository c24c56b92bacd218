package yealink

import (
	"fmt"
	"time"

	"perch/provisioning/brand"
)

// zone is a time zone in the phone's words.
type zone struct {
	Set    bool
	Offset string // "+1", "-3:30"
	Name   string // of Yealink's list; empty when it is not known to be there
	DST    bool
	Start  string // month/week/weekday/hour
	End    string
	Save   int // minutes
}

// zoneFor writes a zone as an offset and, where there is summer time, as an
// explicit rule, which every firmware takes; the name only chooses what the
// phone's menu shows.
func zoneFor(zones *brand.Zones, iana string) zone {
	z, ok := zones.Lookup(iana)
	if !ok {
		return zone{}
	}
	out := zone{Set: true, Offset: offset(z.Offset), Name: zoneNames[iana], DST: z.DST}
	if z.DST {
		out.Start, out.End, out.Save = change(z.Start), change(z.End), int(z.Save/time.Minute)
	}
	return out
}

func change(c brand.Change) string {
	return fmt.Sprintf("%d/%d/%d/%d", c.Month, c.Week, c.Weekday, c.Hour)
}

func offset(d time.Duration) string {
	minutes := int(d / time.Minute)
	if minutes == 0 {
		return "0"
	}
	sign := '+'
	if minutes < 0 {
		sign, minutes = '-', -minutes
	}
	if minutes%60 == 0 {
		return fmt.Sprintf("%c%d", sign, minutes/60)
	}
	return fmt.Sprintf("%c%d:%02d", sign, minutes/60, minutes%60)
}

// zoneNames are entries of the list in the administrator guide's appendix.
var zoneNames = map[string]string{
	"Europe/Amsterdam": "Netherlands(Amsterdam)", "Europe/Athens": "Greece(Athens)",
	"Europe/Berlin": "Germany(Berlin)", "Europe/Brussels": "Belgium(Brussels)",
	"Europe/Budapest": "Hungary(Budapest)", "Europe/Copenhagen": "Denmark(Kopenhagen)",
	"Europe/Dublin": "Ireland(Dublin)", "Europe/Helsinki": "Finland(Helsinki)",
	"Europe/Lisbon": "Portugal(Lisboa)", "Europe/London": "United Kingdom(London)",
	"Europe/Luxembourg": "Luxembourg(Luxembourg)", "Europe/Madrid": "Spain(Madrid)",
	"Europe/Paris": "France(Paris)", "Europe/Prague": "Czech Republic(Prague)",
	"Europe/Rome": "Italy(Rome)", "Europe/Vienna": "Austria(Vienna)",
	"Europe/Warsaw": "Poland(Warsaw)", "Europe/Zurich": "Switzerland(Bern)",
	"America/New_York": "United States-Eastern Time", "America/Chicago": "United States-Central Time",
	"America/Denver": "United States-Mountain Time", "America/Los_Angeles": "United States-Pacific Time",
	"Asia/Kolkata": "India(Calcutta)", "Asia/Shanghai": "China(Beijing)",
	"Asia/Singapore": "Singapore(Singapore)", "Asia/Tokyo": "Japan(Tokyo)",
	"Australia/Sydney": "Australia(Sydney,Melbourne,Canberra)",
}
