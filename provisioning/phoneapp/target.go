package phoneapp

import (
	"net"
	"net/http"
	"net/url"
	"strings"

	"perch/hotdesk/directory"
)

// target is what a URL asks for: /app/<token>/<mac>/<action>/<argument>...
type target struct {
	token  string
	mac    directory.MAC
	action string   // empty: the menu
	args   []string // at most two
	query  url.Values
}

// Bounds of a URL, in bytes.
const (
	maxPath  = 640
	maxQuery = 256
	maxToken = 64
)

// folder is the first of every path here.
const folder = "app"

// Path is a device's menu below the server's root, ending in a slash: it is what
// the phone's configuration hands out, and secret as the token is.
func Path(token string, mac directory.MAC) string {
	return folder + "/" + url.PathEscape(token) + "/" + mac.String() + "/"
}

// Owns tells whether a path is of these pages: a tenant may be called as the
// folder is, but its files are no MAC address in a third place.
func Owns(path string) bool {
	parts := strings.SplitN(strings.TrimPrefix(path, "/"), "/", 4)
	if len(parts) < 3 || parts[0] != folder || len(parts[2]) != 12 {
		return false
	}
	_, err := directory.ParseMAC(parts[2])
	return err == nil
}

// parseTarget reads a decoded path. It refuses what no page of ours links to.
func parseTarget(u *url.URL) (target, bool) {
	if len(u.Path) > maxPath || len(u.RawQuery) > maxQuery || !Owns(u.Path) || strings.ContainsFunc(u.Path, foreign) {
		return target{}, false
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	if len(parts) > 6 || len(parts[1]) > maxToken || parts[1] == "" {
		return target{}, false
	}
	t := target{token: parts[1]}
	t.mac, _ = directory.ParseMAC(parts[2]) // Owns has read it
	if len(parts) > 3 {
		t.action, t.args = parts[3], parts[4:]
	}
	var err error
	if t.query, err = url.ParseQuery(u.RawQuery); err != nil {
		return target{}, false
	}
	return t, true
}

// foreign tells characters that stand in no path of ours.
func foreign(c rune) bool { return c <= ' ' || c > '~' || c == '\\' }

// arg is an argument of the path; empty when it is not there.
func (t target) arg(n int) string {
	if n >= len(t.args) {
		return ""
	}
	return t.args[n]
}

// typed is a value of the form, without the blanks around it.
func (t target) typed(name string) string { return strings.TrimSpace(t.query.Get(name)) }

// source is the sender's address.
func source(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
