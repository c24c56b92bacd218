package sim

import (
	"fmt"
	"strings"

	"perch/hotdesk/directory"
)

// fanvilHabits: the guides give no times; these are those of phones of the
// same class.
func fanvilHabits() habits {
	return habits{
		model: "X4U", firmware: "2.4.5", delays: pauses(3, 8, 40, 80),
		httpAgent: func(o *Options) string { return words("Fanvil", o.Model, o.Firmware, o.MAC.String()) },
		sipAgent: func(o *Options, withMAC bool) string {
			if withMAC {
				return words("Fanvil", o.Model, o.Firmware, o.MAC.String())
			}
			return words("Fanvil", o.Model, o.Firmware)
		},
		load: fanvilFiles, obeys: byParameter("check-sync"),
	}
}

// fanvilFiles asks for the model's file, then for the phone's own.
func fanvilFiles(l *loader) (*config, error) {
	all := settings{}
	for _, n := range []string{"f0" + l.p.opt.Model + "hw1.100.cfg", l.p.opt.MAC.String() + ".cfg"} {
		if _, err := l.take(l.src.file(n), func(b []byte) error { return parseFanvil(b, all) }); err != nil {
			return nil, err
		}
	}
	return fanvilConfig(all), nil
}

// parseFanvil reads both forms into one: "line1.RegisterAddr", "key7.Value". In
// the older form names have underscores, and entries an ID.
func parseFanvil(body []byte, s settings) error {
	all, err := rooted(body, "sysConf", "VOIP_CONFIG_FILE")
	if err != nil {
		return err
	}
	entry, page := "", 0
	for _, e := range all {
		name := strings.ReplaceAll(e.name(), "_", "")
		switch {
		case name == "line" && e.attr["index"] != "":
			entry = "line" + e.attr["index"]
		case name == "dssSide", name == "internal":
			page++
		case name == "Fkey":
			entry = fmt.Sprintf("key%d", 100*(page-1)+atoiRange(e.attr["index"], 1, 99, 0))
		case name == "ID":
			id := strings.TrimSpace(e.text)
			entry = strings.NewReplacer("SIP", "line", "Fkey", "key").Replace(id)
		case entry != "" && strings.Count(e.path, "/") >= 3:
			s[entry+"."+name] = strings.TrimSpace(e.text)
		default:
			s[name], entry = strings.TrimSpace(e.text), ""
		}
	}
	return nil
}

func fanvilConfig(s settings) *config {
	first := func(names ...string) string {
		for _, n := range names {
			if s[n] != "" {
				return s[n]
			}
		}
		return ""
	}
	c := &config{trusting: true, reboot: rebootWhenAsked, macInUA: s["line1.EnableRegisterMAC"] == "1"}
	if first("NotifyReboot", "line1.NotifyReboot") == "1" {
		c.reboot = rebootAlways
	}
	if url := first("FlashServerIP", "DownloadServerIP"); url != "" {
		c.prov = provisioned{
			strings.TrimSuffix(url, "/") + "/", first("DefaultUsername", "DownloadUsername"),
			directory.Secret(first("DefaultPassword", "DownloadPassword")),
		}
	}
	a := account{
		line: 1, user: s["line1.PhoneNumber"], auth: s["line1.RegisterUser"], password: directory.Secret(s["line1.RegisterPswd"]),
		name: s["line1.DisplayName"], host: s["line1.RegisterAddr"], port: atoiRange(s["line1.RegisterPort"], 1, 65535, 0),
		proxy: s["line1.ProxyAddr"], proxyPort: atoiRange(s["line1.ProxyPort"], 1, 65535, 0),
		expires: atoiRange(s["line1.RegisterTTL"], 1, 1<<31-1, 3600), transport: "udp", macHeader: s["line1.EnableRegisterMAC"] == "1",
	}
	switch s["line1.Transport"] {
	case "1":
		a.transport = "tcp"
	case "3":
		a.transport = "tls"
	}
	if s["line1.EnableReg"] == "1" && a.usable() {
		c.accounts = []account{a}
	}
	for name, v := range s {
		pre, ok := strings.CutSuffix(name, ".Value")
		target, rest, _ := strings.Cut(v, "@")
		_, kind, _ := strings.Cut(rest, "/")
		if !ok || len(kind) != 2 || kind[0] != 'b' {
			continue
		}
		k := blfKey{Index: atoiRange(strings.TrimPrefix(pre, "key"), 1, 10_000, 0), label: s[pre+".Title"], line: 1}
		if k.Index > 0 && k.setTarget(target, c.accounts) {
			c.keys = append(c.keys, k)
		}
	}
	c.keys = sortKeys(c.keys)
	return c
}
