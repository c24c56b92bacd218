package sim

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"perch/hotdesk/directory"
)

// yealinkHabits: a reload takes 2 to 6 s, a restart 40 to 90.
func yealinkHabits() habits {
	return habits{
		model: "T46U", firmware: "108.86.0.20", delays: pauses(1.8, 5, 40, 90),
		httpAgent: func(o *Options) string { return words("Yealink", "SIP-"+o.Model, o.Firmware, o.MAC.Colons()) },
		sipAgent: func(o *Options, withMAC bool) string { // sip.mac_in_ua
			if withMAC {
				return words("Yealink", "SIP-"+o.Model, o.Firmware, o.MAC.String())
			}
			return words("Yealink", "SIP-"+o.Model, o.Firmware)
		},
		load: (*loader).yealink, obeys: byParameter("check-sync"),
	}
}

// yealink asks for the boot files first; when one answers, only what it
// includes is fetched, else the common file and the phone's own.
func (l *loader) yealink() (*config, error) {
	mac := l.p.opt.MAC.String()
	all := settings{}
	if !l.src.folder() {
		_, err := l.take(l.src.base, func(b []byte) error { _, err := parseYealink(b, all); return err })
		return yealinkConfig(all), err
	}
	names := []string{"y0000000000" + yealinkCode(l.p.opt.Model) + ".cfg", mac + ".cfg"}
	for _, boot := range []string{mac + ".boot", "y000000000000.boot"} {
		var includes []string
		found, err := l.take(l.src.file(boot), func(b []byte) (err error) {
			includes, err = parseYealink(b, settings{})
			return err
		})
		if err != nil {
			return nil, err
		}
		if found {
			names = includes
			break
		}
	}
	for _, n := range names {
		_, err := l.take(l.src.file(n), func(b []byte) error { _, err := parseYealink(b, all); return err })
		if err != nil {
			return nil, err
		}
	}
	return yealinkConfig(all), nil
}

// yealinkHeader is the first line of every file a Yealink phone reads, by
// Yealink's auto provisioning guide; a file without it is refused whole.
const yealinkHeader = "#!version:1.0.0.1"

// yealinkCode gives the number in the common file's name, y0000000000CC.cfg.
func yealinkCode(model string) string {
	codes := map[string]string{
		"T21": "52", "T23G": "44", "T27G": "69", "T29G": "46", "T40G": "76", "T41S": "68", "T42G": "29", "T42S": "67",
		"T46G": "28", "T46S": "66", "T46U": "108", "T48G": "35", "T48S": "65", "T52S": "74", "T53W": "95",
		"T54S": "70", "T54W": "96", "T57W": "97", "T58": "58", "VP59": "91", "CP920": "78", "CP960": "73", "W60B": "77",
	}
	if c, ok := codes[model]; ok {
		return c
	}
	return "108"
}

// settings is the merged content of Yealink files: the last file wins.
type settings map[string]string

// parseYealink reads one file into s and gives the files it includes.
func parseYealink(body []byte, s settings) (includes []string, err error) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	lines := strings.FieldsFunc(string(body), func(r rune) bool { return r == '\n' || r == '\r' })
	if len(lines) == 0 || strings.TrimSpace(lines[0]) != yealinkHeader {
		return nil, errors.New("first line is not " + yealinkHeader)
	}
	for _, l := range lines[1:] {
		l = strings.TrimSpace(l)
		if rest, ok := strings.CutPrefix(l, "include:config"); ok {
			if len(includes) < 20 {
				includes = append(includes, strings.Trim(strings.TrimSpace(rest), `"<>`))
			}
			continue
		}
		if l == "" || l[0] == '#' {
			continue
		}
		k, v, ok := strings.Cut(l, "=")
		if !ok || len(v) > maxValue {
			continue // a phone skips a line that it cannot read
		}
		k, v = strings.TrimSpace(k), strings.TrimSpace(v)
		if v == "%NULL%" {
			v = ""
		}
		if len(s) >= maxEntries {
			return includes, fmt.Errorf("more than %d settings", maxEntries)
		}
		s[k] = v
	}
	return includes, nil
}

// yealinkConfig reads what matters to a phone out of the merged settings.
func yealinkConfig(s settings) *config {
	c := &config{
		reboot:   rebootAlways, // factory value of sip.notify_reboot_enable is 1
		trusting: s["sip.trust_ctrl"] != "1",
		macInUA:  s["sip.mac_in_ua"] == "1",
		push:     yealinkPush(s),
		prov: provisioned{
			url:      s["static.auto_provision.server.url"],
			user:     s["static.auto_provision.server.username"],
			password: directory.Secret(s["static.auto_provision.server.password"]),
		},
	}
	switch s["sip.notify_reboot_enable"] {
	case "0":
		c.reboot = rebootWhenAsked
	case "2":
		c.reboot = rebootNever
	}
	for n := 1; n <= 16; n++ {
		if a, ok := yealinkAccount(s, n); ok {
			c.accounts = append(c.accounts, a)
		}
	}
	c.keys = yealinkKeys(s, c.accounts)
	c.dial = yealinkDialPlan(s)
	return c
}

func yealinkAccount(s settings, n int) (account, bool) {
	pre := "account." + strconv.Itoa(n) + "."
	a := account{
		line:      n,
		user:      s[pre+"user_name"],
		auth:      s[pre+"auth_name"],
		password:  directory.Secret(s[pre+"password"]),
		name:      s[pre+"display_name"],
		macHeader: s[pre+"register_mac"] == "1",
		expires:   atoiRange(s[pre+"sip_server.1.expires"], 1, 1<<31-1, 3600),
	}
	host, port := splitHostPort(s[pre+"sip_server.1.address"])
	a.host, a.port = host, atoiRange(s[pre+"sip_server.1.port"], 1, 65535, port)
	if a.auth == "" {
		a.auth = a.user
	}
	switch s[pre+"sip_server.1.transport_type"] {
	case "1":
		a.transport = "tcp"
	case "2":
		a.transport = "tls"
	default:
		a.transport = "udp"
	}
	if s[pre+"outbound_proxy_enable"] == "1" {
		host, port := splitHostPort(s[pre+"outbound_proxy.1.address"])
		a.proxy, a.proxyPort = host, atoiRange(s[pre+"outbound_proxy.1.port"], 1, 65535, port)
	}
	ok := s[pre+"enable"] == "1" && a.usable()
	return a, ok
}

// yealinkKeys collects line keys of type 16 (BLF) and those of the expansion
// modules, in the order of their positions.
func yealinkKeys(s settings, accounts []account) []blfKey {
	var keys []blfKey
	for k, v := range s {
		pre, ok := strings.CutSuffix(k, ".type")
		if !ok || v != "16" {
			continue
		}
		index, ok := yealinkKeyIndex(pre)
		if !ok {
			continue
		}
		key := blfKey{Index: index, label: s[pre+".label"], line: atoiRange(s[pre+".line"], 1, 16, 1)}
		if key.setTarget(s[pre+".value"], accounts) {
			keys = append(keys, key)
		}
	}
	return sortKeys(keys)
}

// yealinkKeyIndex orders linekey.K before expansion_module.X.key.K.
func yealinkKeyIndex(pre string) (int, bool) {
	parts := strings.Split(pre, ".")
	switch {
	case len(parts) == 2 && parts[0] == "linekey":
		n := atoiRange(parts[1], 1, 99, 0)
		return n, n > 0
	case len(parts) == 4 && parts[0] == "expansion_module" && parts[2] == "key":
		x, n := atoiRange(parts[1], 1, 16, 0), atoiRange(parts[3], 1, 99, 0)
		return x*100 + n, x > 0 && n > 0
	}
	return 0, false
}

// setTarget takes a number, or user@host, to watch; it is false for a value
// that no SUBSCRIBE could be built of.
func (k *blfKey) setTarget(value string, accounts []account) bool {
	user, host, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(value), "sip:"), "@")
	host, _, _ = strings.Cut(host, ";")
	if !ok {
		i := slices.IndexFunc(accounts, func(a account) bool { return a.line == k.line })
		if i < 0 {
			return false
		}
		host = accounts[i].domain()
	}
	bare, _ := splitHostPort(host)
	if user == "" || len(user) > 128 || !validHost(bare) {
		return false
	}
	k.target, k.uri = user, "sip:"+escapeUser(user)+"@"+host
	return true
}

func sortKeys(keys []blfKey) []blfKey {
	slices.SortFunc(keys, func(a, b blfKey) int { return a.Index - b.Index })
	if len(keys) > maxKeys {
		keys = keys[:maxKeys]
	}
	return keys
}
