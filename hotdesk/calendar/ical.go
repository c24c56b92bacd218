package calendar

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Bounds of a file and of what its rules may say.
const (
	MaxBytes    = 64 << 10
	maxEvents   = 500
	maxExcept   = 1000   // dates in EXDATE, of one event
	maxCounted  = 20_000 // sum of all COUNT
	maxInterval = 1000
	maxSpan     = 7 * 24 * time.Hour
)

// Shifts are the events of an iCalendar file.
type Shifts struct{ events []shift }

// shift is one VEVENT (RFC 5545 section 3.6.1).
type shift struct {
	start   time.Time      // what the wall clock shows, as a UTC time
	zone    *time.Location // nil: floating, the zone of whoever asks
	days    int            // of the length, nominal
	rest    time.Duration  // and exact
	rule    *rule
	except  map[time.Time]bool // starts that do not happen, as start is kept
	counted int
}

// Parse reads an iCalendar text (RFC 5545): the VEVENTs with DTSTART, DTEND or
// DURATION, EXDATE, and RRULE of daily or weekly frequency. A TZID is an IANA
// name; VTIMEZONE and other components are passed over. What it does not
// understand of an event is an error: a shift that was guessed would log people
// out at the wrong time.
func Parse(text string) (Shifts, error) {
	if len(text) > MaxBytes {
		return Shifts{}, fmt.Errorf("the calendar is larger than %d bytes", MaxBytes)
	}
	lines := unfold(text)
	if len(lines) == 0 || !strings.EqualFold(lines[0], "BEGIN:VCALENDAR") {
		return Shifts{}, errors.New("the calendar does not begin with BEGIN:VCALENDAR")
	}
	var out Shifts
	var within []string // open components
	var event []property
	counted := 0
	for n, line := range lines {
		p, err := parseLine(line)
		if err != nil {
			return Shifts{}, fmt.Errorf("line %d: %w", n+1, err)
		}
		switch {
		case p.name == "BEGIN":
			if len(within) >= 8 {
				return Shifts{}, fmt.Errorf("line %d: components inside one another, too deep", n+1)
			}
			within = append(within, strings.ToUpper(p.value))
			if len(within) == 2 && within[1] == "VEVENT" {
				event = nil
			}
		case p.name == "END":
			if len(within) == 0 || within[len(within)-1] != strings.ToUpper(p.value) {
				return Shifts{}, fmt.Errorf("line %d: END of what did not begin", n+1)
			}
			if len(within) == 2 && within[1] == "VEVENT" {
				s, skip, err := readEvent(event)
				if err != nil {
					return Shifts{}, fmt.Errorf("the event that ends in line %d: %w", n+1, err)
				}
				if counted += s.counted; counted > maxCounted {
					return Shifts{}, fmt.Errorf("line %d: more than %d occurrences counted in all", n+1, maxCounted)
				}
				if !skip {
					out.events = append(out.events, s)
				}
				if len(out.events) > maxEvents {
					return Shifts{}, fmt.Errorf("more than %d events", maxEvents)
				}
			}
			within = within[:len(within)-1]
		case len(within) == 2 && within[1] == "VEVENT":
			event = append(event, p)
		case len(within) == 0:
			return Shifts{}, fmt.Errorf("line %d: outside of the calendar", n+1)
		}
	}
	if len(within) > 0 {
		return Shifts{}, errors.New("the calendar has no end: " + within[len(within)-1] + " is open")
	}
	if len(out.events) == 0 {
		return Shifts{}, errors.New("the calendar has no event")
	}
	return out, nil
}

// unfold makes content lines (RFC 5545 section 3.1); lines in the file that are
// empty are passed over.
func unfold(text string) []string {
	var lines []string
	for line := range strings.SplitSeq(strings.TrimPrefix(text, "\ufeff"), "\n") {
		line = strings.TrimSuffix(line, "\r")
		switch {
		case line == "":
		case (line[0] == ' ' || line[0] == '\t') && len(lines) > 0:
			lines[len(lines)-1] += line[1:]
		default:
			lines = append(lines, line)
		}
	}
	return lines
}

// property is one content line: NAME;PARAM=value:value.
type property struct {
	name   string
	params map[string]string
	value  string
}

func parseLine(line string) (property, error) {
	head, value, quoted := "", "", false
	i := 0
	for ; i < len(line); i++ {
		if line[i] == '"' {
			quoted = !quoted
		}
		if line[i] == ':' && !quoted {
			break
		}
	}
	if i == len(line) {
		return property{}, errors.New("no colon: not an iCalendar line")
	}
	head, value = line[:i], line[i+1:]
	parts := strings.Split(head, ";")
	p := property{name: strings.ToUpper(parts[0]), value: value}
	for _, param := range parts[1:] {
		k, v, _ := strings.Cut(param, "=")
		if p.params == nil {
			p.params = map[string]string{}
		}
		p.params[strings.ToUpper(k)] = strings.Trim(v, `"`)
	}
	return p, nil
}

// readEvent makes a shift of an event's lines; skip is for one that was
// cancelled.
func readEvent(lines []property) (s shift, skip bool, err error) {
	var end, duration, rrule *property
	var excepts []property
	seen := map[string]bool{}
	for _, p := range lines {
		switch p.name {
		case "DTSTART", "DTEND", "DURATION", "RRULE":
			if seen[p.name] {
				return s, false, fmt.Errorf("%s is given twice", p.name)
			}
			seen[p.name] = true
		}
		switch p.name {
		case "DTSTART":
			s.start, s.zone, err = parseTime(p, p.value)
		case "DTEND":
			end = &p
		case "DURATION":
			duration = &p
		case "RRULE":
			rrule = &p
		case "EXDATE":
			excepts = append(excepts, p)
		case "RDATE", "RECURRENCE-ID", "EXRULE":
			err = fmt.Errorf("%s is not understood: write an event of its own", p.name)
		case "STATUS":
			skip = strings.EqualFold(p.value, "CANCELLED")
		}
		if err != nil {
			return s, false, err
		}
	}
	switch {
	case !seen["DTSTART"]:
		return s, false, errors.New("no DTSTART")
	case (end == nil) == (duration == nil):
		return s, false, errors.New("exactly one of DTEND and DURATION says how long the shift is")
	case end != nil:
		err = s.until(*end)
	default:
		s.days, s.rest, err = parseDuration(duration.value)
	}
	if err == nil && rrule != nil {
		s.rule, err = parseRule(rrule.value, s.start, s.zone)
		if s.rule != nil {
			s.counted = s.rule.count
		}
	}
	if err == nil {
		err = s.excepting(excepts)
	}
	return s, skip, err
}

// until sets the length by DTEND: exact, as RFC 5545 section 3.8.5.3 has it for
// every occurrence.
func (s *shift) until(p property) error {
	t, zone, err := parseTime(p, p.value)
	if err != nil {
		return err
	}
	if (zone == nil) != (s.zone == nil) {
		return errors.New("DTSTART and DTEND are not in the same kind of time")
	}
	if zone == nil {
		s.rest = t.Sub(s.start)
	} else {
		from, _ := s.first(s.zone)
		to, _ := wall(t, zone)
		s.rest = to.Sub(from)
	}
	return checkLength(0, s.rest)
}

func checkLength(days int, rest time.Duration) error {
	if days < 0 || rest < 0 || days == 0 && rest == 0 || time.Duration(days)*24*time.Hour+rest > maxSpan {
		return errors.New("a shift is longer than nothing and at most seven days")
	}
	return nil
}

func (s *shift) excepting(lines []property) error {
	for _, p := range lines {
		for value := range strings.SplitSeq(p.value, ",") {
			t, zone, err := parseTime(p, value)
			if err != nil {
				return err
			}
			if zone != nil && s.zone != nil && zone != s.zone { // in the words of DTSTART
				at, _ := wall(t, zone)
				t = shown(at.In(s.zone))
			}
			if s.except == nil {
				s.except = map[time.Time]bool{}
			}
			s.except[t] = true
			if len(s.except) > maxExcept {
				return fmt.Errorf("more than %d dates in EXDATE", maxExcept)
			}
		}
	}
	return nil
}

// parseTime reads a DATE-TIME in one of its three forms, or a DATE (RFC 5545
// sections 3.3.4 and 3.3.5).
func parseTime(p property, value string) (time.Time, *time.Location, error) {
	layout, zone := "20060102T150405", (*time.Location)(nil)
	switch tzid := p.params["TZID"]; {
	case strings.EqualFold(p.params["VALUE"], "DATE"):
		layout = "20060102"
	case strings.HasSuffix(value, "Z"):
		value, zone = strings.TrimSuffix(value, "Z"), time.UTC
	case tzid != "":
		z, err := time.LoadLocation(strings.TrimPrefix(tzid, "/"))
		if err != nil || z == time.Local || strings.EqualFold(tzid, "local") {
			return time.Time{}, nil, fmt.Errorf("TZID %s is not a time zone: use an IANA name such as Europe/Berlin", clip(tzid))
		}
		zone = z
	}
	t, err := time.Parse(layout, value)
	if err != nil || t.Year() < 1970 || t.Year() > 2200 {
		return time.Time{}, nil, fmt.Errorf("%s is not a time such as 20260105T090000", clip(value))
	}
	return t, zone, nil
}

// clip quotes a foreign text for a message.
func clip(s string) string { return strconv.Quote(s[:min(len(s), 64)]) }

// parseDuration reads RFC 5545 section 3.3.6: weeks and days are nominal, the
// rest is exact.
func parseDuration(s string) (days int, rest time.Duration, err error) {
	bad := fmt.Errorf("%s is not a duration such as PT8H30M", clip(s))
	body, ok := strings.CutPrefix(strings.TrimPrefix(s, "+"), "P")
	if !ok || body == "" {
		return 0, 0, bad
	}
	timed, number := false, 0
	digits := 0
	for _, c := range []byte(body) {
		switch {
		case c >= '0' && c <= '9':
			if number, digits = number*10+int(c-'0'), digits+1; digits > 6 {
				return 0, 0, bad
			}
			continue
		case c == 'T' && !timed && digits == 0:
			timed = true
			continue
		case digits == 0:
			return 0, 0, bad
		case c == 'W' && !timed:
			days += 7 * number
		case c == 'D' && !timed:
			days += number
		case c == 'H' && timed:
			rest += time.Duration(number) * time.Hour
		case c == 'M' && timed:
			rest += time.Duration(number) * time.Minute
		case c == 'S' && timed:
			rest += time.Duration(number) * time.Second
		default:
			return 0, 0, bad
		}
		number, digits = 0, 0
	}
	if digits > 0 {
		return 0, 0, bad
	}
	return days, rest, checkLength(days, rest)
}
