package sim

import (
	"strings"

	"perch/hotdesk/directory"
)

// digiumHabits are those of one firmware under two names: check-sync is a
// restart, which takes 45 to 90 s.
func digiumHabits(maker, model, firmware string) habits {
	return habits{
		model: model, firmware: firmware, delays: pauses(2, 4, 45, 90),
		httpAgent: func(o *Options) string { return words(maker, o.Model, o.Firmware, strings.ToUpper(o.MAC.String())) },
		sipAgent:  func(o *Options, _ bool) string { return words(maker, o.Model, o.Firmware) },
		load:      digiumFiles, obeys: restarts,
	}
}

// digiumFiles asks for the phone's own file, then for the contacts that it names.
func digiumFiles(l *loader) (*config, error) {
	c, contacts := &config{}, ""
	_, err := l.take(l.src.file(l.p.opt.MAC.String()+".cfg"), func(b []byte) (err error) {
		c, contacts, err = parseDigium(b)
		return err
	})
	if err != nil || contacts == "" {
		return c, err
	}
	_, err = l.take(l.src.file(contacts), func(b []byte) (err error) {
		c.keys, err = digiumKeys(b, c.accounts)
		return err
	})
	return c, err
}

func parseDigium(body []byte) (c *config, contacts string, err error) {
	c = &config{trusting: true, reboot: rebootAlways}
	all, err := rooted(body, "config")
	if err != nil {
		return c, "", err
	}
	a := account{line: 1, transport: "udp"}
	for _, e := range all {
		switch {
		case e.name() == "setting" && e.attr["id"] == "config_server_url":
			c.prov.url = e.attr["value"]
		case e.name() == "account" && e.attr["index"] == "0":
			a.user, a.auth, a.password = e.attr["username"], e.attr["authname"], directory.Secret(e.attr["password"])
			a.name, a.proxy = e.attr["caller_id"], e.attr["outbound_proxy"]
			a.proxyPort = atoiRange(e.attr["outbound_port"], 1, 65535, 0)
		case e.name() == "host_primary" && a.host == "":
			a.host, a.port = e.attr["server"], atoiRange(e.attr["port"], 1, 65535, 0)
			a.expires = atoiRange(e.attr["reregister"], 1, 1<<31-1, 3600)
			if t := e.attr["transport"]; t == "tcp" || t == "tls" {
				a.transport = t
			}
		case e.name() == "contacts":
			contacts = e.attr["url"]
		}
	}
	if a.usable() {
		c.accounts = []account{a}
	}
	return c, contacts, nil
}

// digiumKeys are the contacts that say whom to watch.
func digiumKeys(body []byte, accounts []account) ([]blfKey, error) {
	all, err := rooted(body, "phonebooks")
	if err != nil {
		return nil, err
	}
	var keys []blfKey
	for _, e := range all {
		if e.name() != "contact" || e.attr["subscribe_to"] == "" {
			continue
		}
		k := blfKey{Index: len(keys) + 1, label: e.attr["first_name"], line: 1}
		if k.setTarget(e.attr["subscribe_to"], accounts) {
			keys = append(keys, k)
		}
	}
	return sortKeys(keys), nil
}
