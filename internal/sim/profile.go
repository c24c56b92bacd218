package sim

import (
	"fmt"
	"strings"

	"perch/hotdesk/directory"
)

// spaHabits are those of Cisco's small business phones. The guides give no
// times; these are those of phones of the same class.
func spaHabits() habits {
	agent := func(o *Options) string { return "Cisco/" + o.Model + "-" + o.Firmware }
	return habits{
		model: "SPA504G", firmware: "7.6.2", delays: pauses(3, 8, 40, 80),
		httpAgent: func(o *Options) string {
			return agent(o) + " (" + strings.ToUpper(o.MAC.String()) + ")(CBT" + o.MAC.String()[6:] + ")"
		},
		sipAgent: func(o *Options, _ bool) string { return agent(o) },
		load: func(l *loader) (*config, error) {
			return profileFiles(l, "spa"+l.p.opt.Model[min(3, len(l.p.opt.Model)):]+".cfg")
		},
		obeys: profileEvents("resync"),
	}
}

// mppHabits are those of Cisco's multiplatform phones.
func mppHabits() habits {
	agent := func(o *Options) string { return "Cisco-CP-" + o.Model + "-3PCC/" + o.Firmware }
	return habits{
		model: "8851", firmware: "11.3.7", delays: pauses(3, 8, 60, 120),
		httpAgent: func(o *Options) string { return agent(o) + " (" + o.MAC.String() + ")" },
		sipAgent:  func(o *Options, _ bool) string { return agent(o) },
		load:      func(l *loader) (*config, error) { return profileFiles(l, "CP-"+l.p.opt.Model+"-3PCC.xml") },
		obeys:     profileEvents("resync", "check-sync"),
	}
}

func profileEvents(reloads ...string) func(string, bool, rebootRule) errand {
	return func(event string, _ bool, _ rebootRule) errand {
		if event == "reboot" {
			return reboot
		}
		for _, r := range reloads {
			if event == r {
				return reload
			}
		}
		return nothing
	}
}

// profileFiles asks for what the rule names; without one for the factory's name,
// and then for the phone's own.
func profileFiles(l *loader, factory string) (*config, error) {
	all := settings{}
	read := func(b []byte) error { return parseProfile(b, all) }
	if !l.src.folder() {
		_, err := l.take(l.src.base, read)
		return profileConfig(all), err
	}
	for _, n := range []string{factory, l.p.opt.MAC.String() + ".xml"} {
		if _, err := l.take(l.src.file(n), read); err != nil {
			return nil, err
		}
	}
	return profileConfig(all), nil
}

func parseProfile(body []byte, s settings) error {
	all, err := rooted(body, "flat-profile")
	if err != nil {
		return err
	}
	for _, e := range all[1:] {
		s[e.name()] = strings.TrimSpace(e.text)
	}
	return nil
}

func profileConfig(s settings) *config {
	c := &config{trusting: true, reboot: rebootWhenAsked, prov: profileRule(s["Profile_Rule"])}
	a := account{
		line: 1, user: s["User_ID_1_"], auth: s["User_ID_1_"], password: directory.Secret(s["Password_1_"]), name: s["Display_Name_1_"],
		expires: atoiRange(s["Register_Expires_1_"], 1, 1<<31-1, 3600), transport: "udp",
	}
	if auth := s["Auth_ID_1_"]; auth != "" && s["Use_Auth_ID_1_"] != "No" {
		a.auth = auth
	}
	a.host, a.port = splitHostPort(s["Proxy_1_"])
	if s["Use_Outbound_Proxy_1_"] != "No" {
		a.proxy, a.proxyPort = splitHostPort(s["Outbound_Proxy_1_"])
	}
	if t := strings.ToLower(s["SIP_Transport_1_"]); t == "tcp" || t == "tls" {
		a.transport = t
	}
	if s["Line_Enable_1_"] == "Yes" && a.usable() {
		c.accounts = []account{a}
	}
	if s["Auth_Resync-Reboot_1_"] == "Yes" {
		c.realm = a.host
	}
	for name, v := range s {
		var k blfKey
		var n, m int
		switch {
		case matched(name, "Extended_Function_%d_", &n):
			k.Index = n
		case matched(name, "Unit_%d_Key_%d", &m, &n):
			k.Index = 1000*m + n
		default:
			continue
		}
		k.line = 1
		if target := blfFunction(v); k.Index > 0 && target != "" && k.setTarget(target, c.accounts) {
			c.keys = append(c.keys, k)
		}
	}
	c.keys = sortKeys(c.keys)
	return c
}

// matched reads the numbers of an element's name.
func matched(name, form string, to ...any) bool {
	n, _ := fmt.Sscanf(name, form, to...)
	return n == len(to)
}

// blfFunction is whom an extended function watches: fnc=blf+...;sub=user@host.
func blfFunction(v string) string {
	watches, target := false, ""
	for part := range strings.SplitSeq(v, ";") {
		key, value, _ := strings.Cut(part, "=")
		switch key {
		case "fnc":
			watches = strings.HasPrefix(value, "blf")
		case "sub":
			target = value
		}
	}
	if !watches {
		return ""
	}
	return target
}

// profileRule reads "[--uid NAME --pwd WORD]URL".
func profileRule(s string) provisioned {
	var p provisioned
	if rest, ok := strings.CutPrefix(s, "["); ok {
		options, url, _ := strings.Cut(rest, "]")
		s = url
		f := strings.Fields(options)
		for i := 0; i+1 < len(f); i += 2 {
			switch f[i] {
			case "--uid":
				p.user = f[i+1]
			case "--pwd":
				p.password = directory.Secret(f[i+1])
			}
		}
	}
	p.url = s
	return p
}
