package directory

import (
	"slices"
	"strings"
	"unicode/utf8"

	"perch/hotdesk/calendar"
)

// maxCalendars bounds the calendars of a tenant, whose record every request
// reads.
const maxCalendars = 16

// calendars reads the tenant's named calendars. A file key has been replaced by
// the file's text before the file came here (Inline): a server opens no path
// that somebody sent it.
func (p *parser) calendars(f field, t *tenantScope) {
	p.list(f, maxCalendars, func(f field) {
		var c Calendar
		if !p.object(f.place, f.node, func(g field) bool {
			switch g.key {
			case "name":
				if c.Name = p.name(g); c.Name == Never {
					p.fault(g, "%q means no calendar at all: choose another name", Never)
				}
			case "text":
				c.Text = p.calendarText(g)
			case "file":
				p.fault(g, "is read by perch apply, next to the directory file, and not by the server: write the calendar into text")
			default:
				return false
			}
			return true
		}, "name", "text", "file") {
			return
		}
		if c.Name == "" && !has(f, "name") {
			p.fault(f, "has no name: policies name their shift by it")
		}
		if c.Text == "" && !has(f, "text") && !has(f, "file") {
			p.fault(f, "has no text: write an iCalendar file there, or its name into file")
		}
		if slices.ContainsFunc(t.Calendars, func(o Calendar) bool { return o.Name == c.Name }) {
			p.fault(f, "calendar %s is listed twice: keep one of the two", c.Name)
		}
		t.Calendars = append(t.Calendars, c)
	})
}

func (p *parser) calendarText(f field) string {
	s, ok := p.bounded(f, calendar.MaxBytes)
	if !ok {
		return ""
	}
	s = strings.ReplaceAll(s, "\r\n", "\n")
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return isControl(r) && r != '\n' && r != '\t' }) {
		p.fault(f, "contains a control character: remove it")
		return ""
	}
	if _, err := calendar.Parse(s); err != nil {
		p.fault(f, "%v", err)
		return ""
	}
	return s
}

// calendarRef is a use of a calendar's name.
type calendarRef struct {
	field
	name string
}

func (p *parser) checkCalendars(t *tenantScope) {
	for _, r := range t.calendarRefs {
		if _, known := t.Calendar(r.name); !known && r.name != Never && r.name != "" {
			p.fault(r.field, "shift %s is not one of the tenant's calendars: add it there or correct it", r.name)
		}
	}
}
