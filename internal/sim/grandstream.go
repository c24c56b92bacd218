package sim

import (
	"strconv"
	"strings"

	"perch/hotdesk/directory"
)

// grandstreamHabits: a reload takes 3 to 10 s, a restart 30 to 60.
func grandstreamHabits() habits {
	return habits{
		model: "GRP2614", firmware: "1.0.5.15", delays: pauses(2.8, 9, 30, 60),
		httpAgent: func(o *Options) string {
			return words("Grandstream Model HW", o.Model, "SW", o.Firmware, "DevId", o.MAC.String())
		},
		sipAgent: func(o *Options, _ bool) string { return words("Grandstream", o.Model, o.Firmware) },
		load:     grandstreamFiles, obeys: byParameter("check-sync", "resync"),
	}
}

// grandstreamFiles asks for the binary form, then for XML, and stops at the first
// that is there.
func grandstreamFiles(l *loader) (*config, error) {
	all := settings{}
	mac := l.p.opt.MAC.String()
	names := []string{"cfg" + mac, "cfg" + mac + ".xml", "cfg" + strings.ToLower(l.p.opt.Model) + ".xml", "cfg.xml"}
	return l.firstFound(names, func(b []byte) error { return parseGrandstream(b, all, mac) }, func() *config { return grandstreamConfig(all) })
}

// parseGrandstream reads both forms: settings by name, and P-values.
func parseGrandstream(body []byte, s settings, mac string) error {
	all, err := rooted(body, "gs_provision")
	if err != nil {
		return err
	}
	for _, e := range all {
		switch name := e.name(); {
		case name == "mac":
			if m, err := directory.ParseMAC(strings.TrimSpace(e.text)); err != nil || m.String() != mac {
				return errWrongPhone
			}
		case name == "item" && e.attr["name"] != "":
			s[e.attr["name"]] = strings.TrimSpace(e.text)
		case e.above() == "gs_provision/config":
			s[name] = strings.TrimSpace(e.text)
		}
	}
	return nil
}

func grandstreamConfig(s settings) *config {
	get := func(name, p string) string {
		if v, ok := s[name]; ok {
			return v
		}
		return s[p]
	}
	c := &config{reboot: rebootWhenAsked, trusting: get("account.1.sip.validate.incomingServer", "P258") != "Yes"}
	if path := get("provisioning.config.serverPath", "P237"); path != "" {
		scheme := "http://"
		if v := get("provisioning.config.protocol", "P212"); v == "HTTPS" || v == "2" {
			scheme = "https://"
		}
		c.prov = provisioned{scheme + path, get("provisioning.config.username", "P1360"), directory.Secret(get("provisioning.config.password", "P1361"))}
	}
	a := account{
		line: 1, user: get("account.1.sip.userid", "P35"), auth: get("account.1.sip.subscriber.userid", "P36"),
		password: directory.Secret(get("account.1.sip.subscriber.password", "P34")), name: get("account.1.sip.subscriber.name", "P3"),
		transport: "udp", expires: 60 * atoiRange(get("account.1.sip.registerExpiration", "P32"), 1, 64800, 60),
	}
	a.host, a.port = splitHostPort(get("account.1.sip.server.1.address", "P47"))
	a.proxy, a.proxyPort = splitHostPort(get("account.1.sip.outboundProxy.1.address", "P48"))
	switch get("account.1.sip.transport", "P130") {
	case "TCP", "1":
		a.transport = "tcp"
	case "TlsOrTcp", "2":
		a.transport = "tls"
	}
	if on := get("account.1.enable", "P271"); (on == "Yes" || on == "1") && a.usable() {
		c.accounts = []account{a}
	}
	// From the factory the phone asks who reloads it, with the account's password.
	if s["P4428"] != "1" && s["sip.notify.challenge"] != "No" {
		c.realm = a.host
	}
	c.keys = grandstreamKeys(s, c.accounts)
	return c
}

// grandstreamKeys collects BLF keys: by name beside the screen and on the
// multi-purpose keys, or P323 and its neighbours.
func grandstreamKeys(s settings, accounts []account) []blfKey {
	var keys []blfKey
	add := func(index int, label, value string) {
		k := blfKey{Index: index, label: label, line: 1}
		if k.setTarget(value, accounts) {
			keys = append(keys, k)
		}
	}
	for name, v := range s {
		pre, ok := strings.CutSuffix(name, ".keyMode")
		if !ok || v != "BLF" {
			continue
		}
		parts := strings.Split(pre, ".")
		n := atoiRange(parts[len(parts)-1], 1, 400, 0)
		for i, kind := range []string{"pks.vpk.", "pks.mpk.", "pks.ext."} {
			if strings.HasPrefix(pre, kind) {
				add(i*400+n, s[pre+".description"], s[pre+".value"])
			}
		}
	}
	for n := 1; n <= 7; n++ {
		if s["P"+strconv.Itoa(322+n)] == "1" {
			add(n, s["P"+strconv.Itoa(299+3*n)], s["P"+strconv.Itoa(300+3*n)])
		}
	}
	return sortKeys(keys)
}
