package emergency

import (
	"strings"
	"time"
	"unicode/utf8"
)

// MediaType of a PIDF document (RFC 3863 section 7.1).
const MediaType = "application/pidf+xml"

// maxText bounds one element, in bytes.
const maxText = 255

// pres is the scheme of a PIDF entity (RFC 3859).
const pres = "pres:"

// PIDF writes the place as a PIDF-LO document (RFC 4119, with the civic address
// of RFC 5139 in a tuple's geopriv element and the rules of RFC 5491). entity is
// user@domain of the desk; at is when the place was known, and until when it may
// be kept: a day.
func (p Place) PIDF(entity string, at time.Time) []byte {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	b.WriteString(`<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model"` +
		` xmlns:gp="urn:ietf:params:xml:ns:pidf:geopriv10" xmlns:gbp="urn:ietf:params:xml:ns:pidf:geopriv10:basicPolicy"` +
		` xmlns:ca="urn:ietf:params:xml:ns:pidf:geopriv10:civicAddr" entity="` + text(pres+entity) + `">` + "\n")
	stamp, until := at.UTC().Format(time.RFC3339), at.UTC().Add(24*time.Hour).Format(time.RFC3339)
	// RFC 5491 section 3.1 and RFC 4479: what moves with a device stands in a
	// device element; a desk phone is where its desk is.
	b.WriteString(` <dm:device id="desk">` + "\n" + `  <gp:geopriv>` + "\n   <gp:location-info>\n    <ca:civicAddress xml:lang=\"en\">\n")
	a := p.Address
	for _, e := range []struct{ name, value string }{ // the order of RFC 5139 section 4's schema
		{"country", a.Country},
		{"A1", a.State},
		{"A3", a.City},
		{"RD", a.Street},
		{"LOC", p.Desk},
		{"FLR", a.Floor},
		{"PC", a.PostalCode},
		{"BLD", a.Building},
		{"ROOM", a.Room},
	} {
		if e.value != "" {
			b.WriteString("     <ca:" + e.name + ">" + text(e.value) + "</ca:" + e.name + ">\n")
		}
	}
	b.WriteString("    </ca:civicAddress>\n   </gp:location-info>\n   <gp:usage-rules>\n" +
		"    <gbp:retransmission-allowed>true</gbp:retransmission-allowed>\n" +
		"    <gbp:retention-expiry>" + until + "</gbp:retention-expiry>\n   </gp:usage-rules>\n" +
		"   <gp:method>Manual</gp:method>\n  </gp:geopriv>\n") // somebody typed it in (RFC 4119 section 2.2.5)
	b.WriteString("  <dm:deviceID>" + text(deviceID(entity)) + "</dm:deviceID>\n  <dm:timestamp>" + stamp + "</dm:timestamp>\n </dm:device>\n</presence>\n")
	return []byte(b.String())
}

// deviceID is the desk's as a URI.
func deviceID(entity string) string {
	user, _, _ := strings.Cut(entity, "@")
	if len(user) == 12 {
		return "mac:" + user // RFC 4479 section 3.4
	}
	return "urn:x-perch:" + user
}

// text escapes what is not markup and leaves out what XML cannot hold.
func text(s string) string {
	if len(s) > maxText {
		s = s[:maxText]
		for !utf8.ValidString(s) && len(s) > 0 {
			s = s[:len(s)-1]
		}
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '&':
			b.WriteString("&amp;")
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '"':
			b.WriteString("&quot;")
		case r == '\t', r == '\n', r == '\r':
			b.WriteByte(' ')
		case r < ' ', r == utf8.RuneError, r == 0xfffe, r == 0xffff, r >= 0x7f && r <= 0x9f:
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
