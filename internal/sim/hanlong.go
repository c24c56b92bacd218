package sim

import (
	"strings"

	"perch/hotdesk/directory"
)

// htekHabits: a resync takes 3 to 8 s.
func htekHabits() habits {
	return habits{
		model: "UC926", firmware: "2.0.4.2", delays: pauses(3, 8, 40, 80),
		httpAgent: func(o *Options) string { return words("Htek", o.Model, o.Firmware, o.MAC.Colons()) },
		sipAgent: func(o *Options, withMAC bool) string {
			if withMAC {
				return words("Htek", o.Model, "V"+o.Firmware, o.MAC.String())
			}
			return words("Htek", o.Model, "V"+o.Firmware)
		},
		load: hanlongFiles, obeys: byParameter("check-sync", "resync"),
	}
}

// sangomaSHabits: the same firmware under another name.
func sangomaSHabits() habits {
	h := htekHabits()
	h.model, h.firmware = "S505", "2.0.4.60"
	h.httpAgent = func(o *Options) string { return words("Sangoma", o.Model, "V"+o.Firmware, o.MAC.Colons()) }
	h.sipAgent = func(o *Options, _ bool) string { return words("Sangoma", o.Model, "V"+o.Firmware) }
	return h
}

// hanlongFiles asks for the model's code, the binary form and XML, in order; the
// first that is there ends it.
func hanlongFiles(l *loader) (*config, error) {
	all := settings{}
	mac := l.p.opt.MAC.String()
	return l.firstFound([]string{"cfg0010.xml", "cfg" + mac, "cfg" + mac + ".xml"},
		func(b []byte) error { return parseHanlong(b, all) }, func() *config { return hanlongConfig(all) })
}

// parseHanlong takes P-values under the names that stand beside them.
func parseHanlong(body []byte, s settings) error {
	all, err := rooted(body, "hl_provision")
	if err != nil {
		return err
	}
	for _, e := range all {
		if e.attr["para"] != "" {
			s[e.attr["para"]] = strings.TrimSpace(e.text)
		}
	}
	return nil
}

func hanlongConfig(s settings) *config {
	c := &config{trusting: true, reboot: rebootWhenAsked, macInUA: s["Account1.SipSendMac"] == "1"}
	if path := s["FirmwareUpGrade.ConfigServerPath"]; path != "" {
		scheme := "http://"
		if s["FirmwareUpGrade.UrgrateMode"] == "2" || s["FirmwareUpGrade.UrgrateMode"] == "3" {
			scheme = "https://"
		}
		if _, rest, ok := strings.Cut(path, "://"); ok {
			path = rest
		}
		c.prov = provisioned{scheme + path, s["FirmwareUpGrade.UserName"], directory.Secret(s["FirmwareUpGrade.Password"])}
	}
	a := account{
		line: 1, user: s["Account1.SipUserId"], auth: s["Account1.AuthenticateID"], password: directory.Secret(s["Account1.AuthenticatePassword"]),
		name: s["Account1.DispalyName"], expires: 60 * atoiRange(s["Account1.RegisterExpiration"], 1, 64800, 60), transport: "udp",
	}
	a.host, a.port = splitHostPort(s["Account1.Sipserver"])
	a.proxy, a.proxyPort = splitHostPort(s["Account1.OutboundProxy"])
	switch s["Account1.SipTransport"] {
	case "1":
		a.transport = "tcp"
	case "2":
		a.transport = "tls"
	}
	if s["Account1.Active"] == "1" && a.usable() {
		c.accounts = []account{a}
	}
	if s["Preference.CheckSyncWithAuth"] == "1" {
		c.realm = a.host
	}
	for name, v := range s {
		pre, ok := strings.CutSuffix(name, ".Type")
		if !ok || v != "3" {
			continue
		}
		k := blfKey{label: s[pre+".Label"], line: 1}
		var n, m int
		switch {
		case matched(pre, "LineKey%d", &n):
			k.Index = n
		case matched(pre, "Exp%d_%d", &m, &n):
			k.Index = 1000*m + n
		}
		if k.Index > 0 && k.setTarget(s[pre+".Value"], c.accounts) {
			c.keys = append(c.keys, k)
		}
	}
	c.keys = sortKeys(c.keys)
	return c
}
