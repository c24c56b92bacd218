package sim

import (
	"strconv"
	"strings"

	"perch/hotdesk/directory"
)

// polyHabits: what is changed without a restart takes 5 to 15 s, a restart 60 to
// 150.
func polyHabits() habits {
	agent := func(o *Options) string {
		family, _, _ := strings.Cut(o.Model, "_")
		return "Polycom" + family + "-" + o.Model + "-UA/" + o.Firmware
	}
	return habits{
		model: "VVX_450", firmware: "6.4.3.5156", delays: pauses(4.8, 14, 60, 150),
		httpAgent: func(o *Options) string {
			return words("FileTransport", agent(o), "(SN:"+o.MAC.String()+")", "Type/Application")
		},
		sipAgent: func(o *Options, _ bool) string { return agent(o) },
		load:     polyFiles, remembers: true,
		obeys: func(event string, _ bool, rule rebootRule) errand { // the parameter means nothing here
			switch {
			case event != "check-sync":
				return nothing
			case rule == rebootAlways:
				return reboot
			}
			return reload
		},
	}
}

// polyFiles asks for the master, then for what it names; the phone's own
// overrides come last and are not there.
func polyFiles(l *loader) (*config, error) {
	all := settings{}
	mac := l.p.opt.MAC.String()
	var names []string
	read := func(b []byte) error {
		es, err := rooted(b, "APPLICATION")
		if err == nil {
			for n := range strings.SplitSeq(es[0].attr["CONFIG_FILES"], ",") {
				if n = strings.TrimSpace(n); n != "" && len(names) < 20 {
					names = append(names, n)
				}
			}
			return nil
		}
		return parsePoly(b, all)
	}
	for _, master := range []string{mac + ".cfg", "000000000000.cfg"} {
		found, err := l.take(l.src.file(master), read)
		if err != nil {
			return nil, err
		}
		if found {
			break
		}
	}
	for _, n := range append(names, mac+"-phone.cfg", mac+"-web.cfg") {
		if _, err := l.take(l.src.file(n), func(b []byte) error { return parsePoly(b, all) }); err != nil {
			return nil, err
		}
	}
	return polyConfig(all), nil
}

// parsePoly takes every attribute; the elements around them mean nothing.
func parsePoly(body []byte, s settings) error {
	all, err := readXML(body)
	if err != nil {
		return err
	}
	for _, e := range all {
		for k, v := range e.attr {
			s[k] = v
		}
	}
	return nil
}

func polyConfig(s settings) *config {
	c := &config{trusting: true, reboot: rebootNever}
	if s["voIpProt.SIP.specialEvent.checkSync.alwaysReboot"] == "1" {
		c.reboot = rebootAlways
	}
	if name := s["device.prov.serverName"]; name != "" && s["device.set"] == "1" {
		url := name
		if !strings.Contains(name, "://") {
			url = strings.ToLower(s["device.prov.serverType"]) + "://" + name
		}
		c.prov = provisioned{url, s["device.prov.user"], directory.Secret(s["device.prov.password"])}
	}
	a := account{
		line: 1, auth: s["reg.1.auth.userId"], password: directory.Secret(s["reg.1.auth.password"]), name: s["reg.1.displayName"],
		expires: atoiRange(s["reg.1.server.1.expires"], 1, 1<<31-1, 3600), transport: polyTransport(s["reg.1.server.1.transport"]),
		proxy: s["reg.1.outboundProxy.address"], proxyPort: atoiRange(s["reg.1.outboundProxy.port"], 1, 65535, 0),
		port: atoiRange(s["reg.1.server.1.port"], 1, 65535, 0),
	}
	a.user, a.host, _ = strings.Cut(s["reg.1.address"], "@")
	if a.host == "" {
		a.host = s["reg.1.server.1.address"]
	}
	if a.usable() {
		c.accounts = []account{a}
	}
	for n := 1; n <= maxKeys; n++ {
		pre := "attendant.resourceList." + strconv.Itoa(n) + "."
		k := blfKey{Index: n, label: s[pre+"label"], line: 1}
		if s[pre+"address"] != "" && k.setTarget(s[pre+"address"], c.accounts) {
			c.keys = append(c.keys, k)
		}
	}
	c.keys = sortKeys(c.keys)
	return c
}

func polyTransport(s string) string {
	switch s {
	case "TCPOnly", "TCPpreferred":
		return "tcp"
	case "TLS":
		return "tls"
	}
	return "udp"
}
