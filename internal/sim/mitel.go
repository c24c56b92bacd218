package sim

import (
	"fmt"
	"strings"

	"perch/hotdesk/directory"
)

// mitelHabits: check-sync restarts the phone, which takes a minute or more.
func mitelHabits() habits {
	return habits{
		model: "6867i", firmware: "6.4.0.140", delays: pauses(2, 4, 60, 90), upper: true,
		httpAgent: func(o *Options) string {
			mac := strings.ToUpper(strings.ReplaceAll(o.MAC.Colons(), ":", "-"))
			return words("Mitel"+o.Model, "MAC:"+mac, "V:"+o.Firmware+"-SIP")
		},
		sipAgent: func(o *Options, _ bool) string { return "Mitel-" + o.Model + "-SIP/" + o.Firmware },
		load:     mitelFiles, obeys: restarts,
	}
}

// mitelFiles asks for the three files in order; what comes later wins.
func mitelFiles(l *loader) (*config, error) {
	all := settings{}
	for _, n := range []string{"startup.cfg", l.p.opt.Model + ".cfg", strings.ToUpper(l.p.opt.MAC.String()) + ".cfg"} {
		if _, err := l.take(l.src.file(n), func(b []byte) error { return parseMitel(b, all) }); err != nil {
			return nil, err
		}
	}
	return mitelConfig(all), nil
}

// parseMitel reads "key: value" lines. A hash begins a comment unless it stands
// in double quotes.
func parseMitel(body []byte, s settings) error {
	for l := range strings.SplitSeq(strings.ReplaceAll(string(body), "\r", "\n"), "\n") {
		k, v, ok := strings.Cut(l, ":")
		k = strings.TrimLeft(strings.TrimSpace(k), "!^")
		if !ok || k == "" || strings.HasPrefix(k, "#") || len(v) > maxValue {
			continue
		}
		if len(s) >= maxEntries {
			return fmt.Errorf("more than %d settings", maxEntries)
		}
		s[strings.ToLower(k)] = mitelValue(strings.TrimSpace(v))
	}
	return nil
}

func mitelValue(v string) string {
	if rest, ok := strings.CutPrefix(v, `"`); ok {
		return before(rest, `"`)
	}
	return strings.TrimSpace(before(v, "#"))
}

func mitelConfig(s settings) *config {
	c := &config{trusting: true, reboot: rebootAlways}
	if host := s["http server"]; host != "" {
		scheme := "http"
		if s["download protocol"] == "HTTPS" {
			scheme = "https"
		}
		url := scheme + "://" + hostText(host) + ":" + s[scheme+" port"] + "/" + s[scheme+" path"]
		c.prov = provisioned{url: strings.TrimSuffix(url, "/") + "/"}
	}
	a := account{
		line: 1, user: s["sip line1 user name"], auth: s["sip line1 auth name"], password: directory.Secret(s["sip line1 password"]),
		name: s["sip line1 display name"], host: s["sip line1 registrar ip"], port: atoiRange(s["sip line1 registrar port"], 1, 65535, 0),
		proxy: s["sip line1 outbound proxy"], proxyPort: atoiRange(s["sip line1 outbound proxy port"], 1, 65535, 0),
		expires: atoiRange(s["sip line1 registration period"], 1, 1<<31-1, 3600), transport: "udp",
	}
	switch s["sip transport protocol"] {
	case "2":
		a.transport = "tcp"
	case "4":
		a.transport = "tls"
	}
	if a.usable() {
		c.accounts = []account{a}
	}
	for name, v := range s {
		pre, ok := strings.CutSuffix(name, " type")
		if !ok || v != "blf" && v != "blfxfer" {
			continue
		}
		k := blfKey{Index: mitelIndex(pre), label: s[pre+" label"], line: 1}
		if k.Index > 0 && k.setTarget(s[pre+" value"], c.accounts) {
			c.keys = append(c.keys, k)
		}
	}
	c.keys = sortKeys(c.keys)
	return c
}

// mitelIndex orders the kinds of keys: programmable, above the screen, below it,
// modules.
func mitelIndex(name string) int {
	var module, n int
	if _, err := fmt.Sscanf(name, "expmod%d key%d", &module, &n); err == nil && module > 0 && module < 8 && n > 0 && n < 100 {
		return 1000*module + n
	}
	for i, kind := range []string{"prgkey", "topsoftkey", "softkey"} {
		if rest, ok := strings.CutPrefix(name, kind); ok {
			return 100*i + atoiRange(rest, 1, 99, -1000)
		}
	}
	return 0
}
