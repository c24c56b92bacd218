package brand

import (
	"net"
	"strconv"
	"strings"

	"perch/hotdesk/directory"
)

// Transport is how the phone is to reach the registrar.
type Transport string

// The transports of RFC 3261.
const (
	UDP Transport = "udp"
	TCP Transport = "tcp"
	TLS Transport = "tls"
)

// Desk is all that a template may know about a desk and who sits there. It
// holds plain values only: everything is decided before.
type Desk struct {
	MAC     directory.MAC
	Model   string  // empty: not known
	Label   string  // what is written on the desk: "Berlin 3.14"
	Modules Modules // attached expansion modules; does not change the file

	Bound   bool    // somebody is logged in
	Account Account // theirs, or the device's own
	Domain  string  // of the AOR
	Server  Server

	Keys             []directory.Key // in the order of the phone's keys
	DoorKey          bool            // a key to log in or out, where there is room
	Push             bool            // the phone takes texts and settings by NOTIFY
	IdleLogin        bool            // it opens the login by itself while nobody is logged in
	FeatureCodes     directory.FeatureCodes
	EmergencyNumbers []string

	Provisioning  Provisioning
	ScreenURL     string // menu of the phone's own screen, ending in a slash; empty: none. It holds a secret
	BookURL       string // of the tenant's phone book; empty: none. It holds a secret
	TimeZone      string // IANA name; empty leaves the phone's own
	NTPServer     string // empty leaves the phone's own
	Language      string // ISO 639-1; empty leaves the phone's own
	AdminPassword directory.Secret

	Custom *Custom // what admins laid over the templates; nil: nothing
}

// Account is the one SIP account of a desk.
type Account struct {
	User        string // user part of the AOR: the number, or the MAC when idle
	AuthUser    string // digest username: always the MAC
	Password    directory.Secret
	DisplayName string // what others see
	Label       string // what the screen says; empty: made from the rest
}

// Server is the registrar as the phone reaches it.
type Server struct {
	Host      string // name or address; a literal IPv6 address without brackets
	Port      int
	Transport Transport
	Expires   int // seconds
}

// Provisioning is where the phone comes again for its files.
type Provisioning struct {
	URL      string // of the folder, ending in a slash
	Root     string // of the server as the phone shall reach it; empty: as its request did. No file has it
	User     string // the MAC
	Password directory.Secret
	Token    directory.Secret // of the path, for phones that came by one; the URL holds it then
}

// maxScreen bounds texts for a screen, in characters. Phones cut sooner; a
// name must not make the file grow.
const maxScreen = 64

// Screen is the text beside the line: who sits there, or whose desk it is and
// how to log in.
func (d Desk) Screen() string {
	text := d.Account.Label
	switch {
	case text != "":
	case d.Bound:
		text = strings.TrimSpace(d.Account.User + " " + d.Account.DisplayName)
	case d.FeatureCodes.Login != "":
		text = strings.TrimSpace(d.Label + " - log in: " + d.FeatureCodes.Login)
	default:
		text = d.Label
	}
	return Clip(text)
}

// Name is the display name of the account; an idle desk shows its label.
func (d Desk) Name() string {
	switch {
	case d.Account.DisplayName != "":
		return Clip(d.Account.DisplayName)
	case !d.Bound && d.Label != "":
		return Clip(d.Label)
	}
	return Clip(d.Account.User)
}

// Codes are the feature codes that are fit to stand in a dial plan.
func (d Desk) Codes() []string {
	var out []string
	f := d.FeatureCodes
	for _, c := range []string{f.Login, f.Logout, f.WhoAmI, f.Reload, f.PIN, f.Supervisor} {
		if dialledCode(c) {
			out = append(out, c)
		}
	}
	return out
}

// Emergency are the emergency numbers that are digits, as every brand wants.
func (d Desk) Emergency() []string {
	var out []string
	for _, n := range d.EmergencyNumbers {
		if n != "" && len(n) <= 16 && strings.Trim(n, "0123456789") == "" {
			out = append(out, n)
		}
	}
	return out
}

// dialledCode is a star followed by digits and stars.
func dialledCode(c string) bool {
	return len(c) > 1 && len(c) <= 16 && c[0] == '*' && strings.Trim(c, "*0123456789") == ""
}

// Clip cuts a text for the screen to what a file may carry.
func Clip(s string) string { return ClipTo(s, maxScreen) }

// ClipTo cuts a text to at most limit characters, for brands that take fewer.
func ClipTo(s string, limit int) string {
	n := 0
	for i := range s {
		if n == limit {
			return s[:i]
		}
		n++
	}
	return s
}

// PortNumber is the port, or the transport's own when none is set (RFC 3261
// section 19.1.2).
func (s Server) PortNumber() int {
	switch {
	case s.Port != 0:
		return s.Port
	case s.Transport == TLS:
		return 5061
	}
	return 5060
}

// HostPort writes the server as "host:port", with brackets around IPv6.
func (s Server) HostPort() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.PortNumber())) }
