// Package calendar knows when something is, by a clock on a wall: the next time
// of day, windows of the week, and the shifts of an iCalendar file, all in a
// time zone with its daylight-saving days. It knows neither people nor desks; it
// promises that each question costs a bounded amount of work, whatever the file
// says.
package calendar
