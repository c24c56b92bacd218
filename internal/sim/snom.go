package sim

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"

	"perch/hotdesk/directory"
)

// snomHabits: a reload takes 3 to 8 s, a restart 40 to 70. Some of its firmwares
// also take a bare reboot.
func snomHabits() habits {
	rule := byParameter("check-sync")
	return habits{
		model: "D785", firmware: "10.1.33.33", delays: pauses(2.8, 7, 40, 70), upper: true, remembers: true,
		httpAgent: func(o *Options) string {
			return "Mozilla/4.0 (compatible; snom" + o.Model + "-SIP " + o.Firmware + " 2010.12-00004-g9ba52f5 " +
				strings.ToUpper(o.MAC.String()) + " SXM:0 UXM:0)"
		},
		sipAgent: func(o *Options, _ bool) string { return "snom" + o.Model + "/" + o.Firmware },
		load:     (*loader).snom,
		obeys: func(event string, asked bool, r rebootRule) errand {
			if event == "reboot" {
				return reboot
			}
			return rule(event, asked, r)
		},
	}
}

// snom asks for the model's file, then the phone's own in the older and the
// newer spelling, and for what a setting-files root lists.
func (l *loader) snom() (*config, error) {
	model, mac := l.p.opt.Model, strings.ToUpper(l.p.opt.MAC.String())
	all := newSnomSettings()
	queue := []*url.URL{l.src.base}
	if l.src.folder() {
		queue = []*url.URL{l.src.file("snom" + model + ".htm"), l.src.file("snom" + model + "-" + mac + ".htm")}
	}
	own := false
	for i := 0; i < len(queue) && i < 20; i++ {
		var more []string
		found, err := l.take(queue[i], func(b []byte) (err error) {
			more, err = parseSnom(b, all)
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, m := range more {
			queue = append(queue, l.src.file(m))
		}
		own = own || (found && i > 0)
		if last := i == len(queue)-1; last && !own && l.src.folder() {
			queue = append(queue, l.src.file(mac+".xml"))
			own = true
		}
	}
	return snomConfig(all), nil
}

// snomSettings is the merged content of Snom files: name, idx, value. A later
// file wins.
type snomSettings struct {
	values map[string]map[string]string
	keys   map[string]blfSource
	count  int
}

// blfSource is an fkey before it is understood.
type blfSource struct{ value, label, context string }

func newSnomSettings() *snomSettings {
	return &snomSettings{values: map[string]map[string]string{}, keys: map[string]blfSource{}}
}

func (s *snomSettings) get(name, idx string) string { return strings.TrimSpace(s.values[name][idx]) }

// parseSnom reads one file into s: root settings, or setting-files, whose file
// elements name what to fetch next.
func parseSnom(body []byte, s *snomSettings) (files []string, err error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	r := snomReader{s: s}
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("not well formed: %w", err)
		}
		if err := r.token(t); err != nil {
			return nil, err
		}
	}
	if r.root != "settings" && r.root != "setting-files" {
		return nil, errors.New("root element is neither settings nor setting-files")
	}
	return r.files, nil
}

// snomReader follows the elements: root, group, setting.
type snomReader struct {
	s     *snomSettings
	root  string
	path  []string
	attr  map[string]string
	text  strings.Builder
	files []string
}

func (r *snomReader) token(t xml.Token) error {
	switch t := t.(type) {
	case xml.StartElement:
		return r.start(t)
	case xml.CharData:
		if len(r.path) == 3 && r.text.Len()+len(t) <= maxValue {
			r.text.Write(t)
		}
	case xml.EndElement:
		if len(r.path) == 3 {
			return r.setting()
		}
		r.path = r.path[:len(r.path)-1]
	}
	return nil
}

func (r *snomReader) start(t xml.StartElement) error {
	if len(r.path) >= 8 {
		return errors.New("elements nested too deep")
	}
	if len(r.path) == 0 {
		r.root = t.Name.Local
	}
	r.path = append(r.path, t.Name.Local)
	r.attr = map[string]string{}
	for _, a := range t.Attr {
		r.attr[a.Name.Local] = a.Value
	}
	if t.Name.Local == "file" && r.root == "setting-files" && r.attr["url"] != "" && len(r.files) < 20 {
		r.files = append(r.files, r.attr["url"])
	}
	r.text.Reset()
	return nil
}

// setting ends the element of depth three and keeps its value.
func (r *snomReader) setting() error {
	name := r.path[2]
	r.path = r.path[:2]
	if r.s.count++; r.s.count > maxEntries {
		return fmt.Errorf("more than %d settings", maxEntries)
	}
	if name == "fkey" {
		r.s.keys[r.attr["idx"]] = blfSource{value: r.text.String(), label: r.attr["label"], context: r.attr["context"]}
		return nil
	}
	if r.s.values[name] == nil {
		r.s.values[name] = map[string]string{}
	}
	r.s.values[name][r.attr["idx"]] = r.text.String()
	return nil
}

// snomConfig reads what matters to a phone out of the merged settings.
func snomConfig(s *snomSettings) *config {
	c := &config{
		trusting: s.get("filter_registrar", "") != "on",
		reboot:   rebootWhenAsked,
		push:     snomPush(s),
		prov: provisioned{
			url:      s.get("setting_server", ""),
			user:     s.get("http_client_user", ""),
			password: directory.Secret(s.get("http_client_pass", "")),
		},
	}
	for n := 1; n <= 12; n++ {
		if a, ok := snomAccount(s, n); ok {
			c.accounts = append(c.accounts, a)
		}
	}
	if s.get("challenge_checksync", "") == "on" && len(c.accounts) > 0 {
		c.realm = c.accounts[0].host
	}
	c.keys = snomKeys(s, c.accounts)
	for i, a := range c.accounts {
		if i == 0 {
			c.dial = snomDialPlan(s.get("user_dp_str", strconv.Itoa(a.line)))
		}
	}
	return c
}

func snomAccount(s *snomSettings, n int) (account, bool) {
	idx := strconv.Itoa(n)
	a := account{
		line:      n,
		user:      s.get("user_name", idx),
		auth:      s.get("user_pname", idx),
		password:  directory.Secret(s.get("user_pass", idx)),
		name:      s.get("user_realname", idx),
		expires:   atoiRange(s.get("user_expiry", idx), 1, 1<<31-1, 3600),
		transport: "udp",
	}
	a.host, a.port = splitHostPort(s.get("user_host", idx))
	if a.auth == "" {
		a.auth = a.user
	}
	proxy, params, _ := strings.Cut(strings.TrimPrefix(s.get("user_outbound", idx), "sip:"), ";")
	a.proxy, a.proxyPort = splitHostPort(proxy)
	for p := range strings.SplitSeq(params, ";") {
		if t, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(p)), "transport="); ok {
			a.transport = t
		}
	}
	ok := s.get("user_active", idx) != "off" && a.usable()
	return a, ok
}

// snomKeys collects the fkey elements whose value begins with blf; what
// follows | is the code that picks the call up.
func snomKeys(s *snomSettings, accounts []account) []blfKey {
	var keys []blfKey
	for idx, src := range s.keys {
		value, ok := strings.CutPrefix(strings.TrimSpace(src.value), "blf ")
		if !ok || src.context == "" && len(accounts) == 0 {
			continue
		}
		value, _, _ = strings.Cut(value, "|")
		value = strings.Trim(strings.TrimSpace(value), "<>")
		line := 1
		if len(accounts) > 0 {
			line = accounts[0].line
		}
		key := blfKey{Index: atoiRange(idx, 0, 2000, 0), label: src.label, line: atoiRange(src.context, 1, 12, line)}
		if key.setTarget(value, accounts) {
			keys = append(keys, key)
		}
	}
	return sortKeys(keys)
}
