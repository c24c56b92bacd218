package sim

import (
	"net"
	"strconv"
	"strings"

	"perch/hotdesk/directory"
)

// Bounds on what a phone takes from a server it does not trust.
const (
	maxFile    = 1 << 20 // bytes of one configuration file
	maxEntries = 20000   // settings in one configuration
	maxKeys    = 400     // BLF keys a phone subscribes
	maxValue   = 4096    // bytes of one value
	maxRules   = 200     // dial plan rules
)

// config is what a phone made of the files it fetched.
type config struct {
	accounts []account // by line
	keys     []blfKey
	dial     dialPlan
	prov     provisioned
	reboot   rebootRule
	push     pusher // reads XML that comes by NOTIFY
	trusting bool   // takes requests from any address, not only the registrar's
	realm    string // not empty: challenges check-sync with this realm
	macInUA  bool   // the SIP User-Agent ends in the MAC
	sum      string // SHA-256 over the bodies, hex
}

// account is one line's identity.
type account struct {
	line      int
	user      string // user part of the AOR
	auth      string // digest user name
	password  directory.Secret
	name      string // display name
	host      string // domain of the AOR
	port      int    // 0: default
	transport string // udp or tcp
	expires   int    // seconds
	proxy     string // outbound proxy host; empty: the registrar itself
	proxyPort int
	macHeader bool // REGISTER carries a Mac header
}

// usable tells that a phone could register with it.
func (a account) usable() bool {
	return a.user != "" && validHost(a.host) && (a.proxy == "" || validHost(a.proxy))
}

// aor gives sip:user@host.
func (a account) aor() string { return "sip:" + escapeUser(a.user) + "@" + a.host }

// address gives the URI's user@host[:port] as the phone writes it. A registrar
// port other than 5060 is part of what was configured; behind an outbound proxy
// the domain stands alone.
func (a account) address() string {
	s := escapeUser(a.user) + "@" + hostText(a.host)
	if a.port != 0 && a.port != 5060 && a.proxy == "" {
		s += ":" + strconv.Itoa(a.port)
	}
	return s
}

// domain gives address without the user.
func (a account) domain() string {
	_, d, _ := strings.Cut(a.address(), "@")
	return d
}

// blfKey is one key that watches somebody.
type blfKey struct {
	Index  int    // position, sidecar behind the phone's own keys
	target string // number, for people
	uri    string // what SUBSCRIBE asks for
	label  string
	line   int
}

// provisioned is where the next configuration comes from, when the files say
// so; empty fields leave what the phone has.
type provisioned struct {
	url, user string
	password  directory.Secret
}

// rebootRule says what a check-sync means to this phone.
type rebootRule int

const (
	rebootWhenAsked rebootRule = iota // only for reboot=true
	rebootAlways                      // for every check-sync
	rebootNever
)

// first gives the account of the lowest line, the one a virtual phone uses.
func (c *config) first() (account, bool) {
	if len(c.accounts) == 0 {
		return account{}, false
	}
	return c.accounts[0], true
}

// splitHostPort reads host, host:port or [v6]:port; a port that is no port is 0.
func splitHostPort(s string) (host string, port int) {
	s = strings.TrimSpace(s)
	if h, p, err := net.SplitHostPort(s); err == nil {
		return h, atoiRange(p, 0, 65535, 0)
	}
	return strings.Trim(s, "[]"), 0
}

// hostText puts brackets around an IPv6 literal.
func hostText(h string) string {
	if strings.Contains(h, ":") {
		return "[" + h + "]"
	}
	return h
}

// validHost keeps anything out of a URI that is no host name or address.
func validHost(h string) bool {
	if h == "" || len(h) > 255 {
		return false
	}
	for _, c := range []byte(h) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '-', c == '_', c == ':':
		default:
			return false
		}
	}
	return true
}

// atoiRange reads a decimal within [low, high], else gives def.
func atoiRange(s string, low, high, def int) int {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil || n < low || n > high {
		return def
	}
	return n
}

// userOf gives the user part of a SIP URI.
func userOf(uri string) string {
	_, rest, ok := strings.Cut(uri, ":")
	if !ok {
		return ""
	}
	u, _, ok := strings.Cut(rest, "@")
	if !ok {
		return ""
	}
	return u
}
