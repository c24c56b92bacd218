package sim

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// pusher is how a phone reads XML that came by NOTIFY; the zero value reads none.
type pusher struct {
	event string // in lower case
	kind  string // Content-Type; empty: any
	// read gives the configuration that the body makes of the one in effect, or
	// nil and the text that the body puts on the screen.
	read func(body []byte) (c *config, shown string, err error)
}

// maxPushed bounds a body that came by NOTIFY, in bytes.
const maxPushed = 64 << 10

// takesPush tells whether a NOTIFY is XML that this phone reads. What it cannot
// make sense of it answers all the same, as phones do, and ignores.
func (p *Phone) takesPush(event string, req *sip.Request) bool {
	p.mu.Lock()
	ps := p.pusher
	p.mu.Unlock()
	name, _, _ := strings.Cut(event, ";")
	kind, _, _ := strings.Cut(strings.ToLower(headerText(req, "Content-Type", "c")), ";")
	return ps.read != nil && strings.TrimSpace(name) == ps.event && (ps.kind == "" || strings.TrimSpace(kind) == ps.kind) &&
		len(req.Body()) > 0 && len(req.Body()) <= maxPushed
}

// keepPush leaves a body to the phone's main goroutine.
func (p *Phone) keepPush(body []byte) {
	p.mu.Lock()
	p.pushed = append(p.pushed, bytes.Clone(body))
	p.pushed = p.pushed[max(0, len(p.pushed)-8):]
	p.mu.Unlock()
	p.want(push)
}

// nextPush takes the oldest body.
func (p *Phone) nextPush() ([]byte, pusher) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.pushed) == 0 {
		return nil, pusher{}
	}
	b := p.pushed[0]
	p.pushed = p.pushed[1:]
	return b, p.pusher
}

// takePushes puts what came by NOTIFY into effect.
func (p *Phone) takePushes(apply func(*config)) {
	for {
		body, ps := p.nextPush()
		if body == nil || ps.read == nil {
			return
		}
		c, shown, err := ps.read(body)
		switch {
		case err != nil:
			p.emit(Misbehaved, "pushed XML: "+clean(err.Error()), 0)
		case c == nil:
			p.update(func(s *State) { s.Shown = clean(shown) })
			p.emit(Shown, clean(shown), 0)
		default:
			sum := sha256.Sum256(append([]byte(p.State().Config), body...))
			c.sum = hex.EncodeToString(sum[:])
			p.update(func(s *State) { s.Pushes++ })
			apply(c)
		}
	}
}

// object reads an XML object of a phone's browser: its root, and the texts of the
// elements of each name, in order.
func object(body []byte) (root string, texts map[string][]string, err error) {
	texts = map[string][]string{}
	d := xml.NewDecoder(bytes.NewReader(body))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	var open []string
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return root, nil, fmt.Errorf("not well formed: %w", err)
		}
		switch t := t.(type) {
		case xml.StartElement:
			if len(open) == 0 {
				root = t.Name.Local
			}
			open = append(open, t.Name.Local)
			texts[t.Name.Local] = append(texts[t.Name.Local], "")
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 {
				of := texts[open[len(open)-1]]
				of[len(of)-1] += string(t)
			}
		}
	}
	return root, texts, nil
}

// yealinkPush: the event Yealink-xml, taken with push_xml.sip_notify. An Item of
// the object Configuration is a line of a file; the phone needs no new file for
// it.
func yealinkPush(s settings) pusher {
	if s["push_xml.sip_notify"] != "1" {
		return pusher{}
	}
	return pusher{event: "yealink-xml", kind: "application/xml", read: func(body []byte) (*config, string, error) {
		root, texts, err := object(body)
		switch {
		case err != nil:
			return nil, "", err
		case root == "YealinkIPPhoneTextScreen":
			return nil, strings.Join(texts["Text"], " "), nil
		case root != "YealinkIPPhoneConfiguration":
			return nil, "", fmt.Errorf("object %s", root)
		}
		now := maps.Clone(s)
		lines := yealinkHeader + "\n" + strings.Join(texts["Item"], "\n")
		if _, err := parseYealink([]byte(lines), now); err != nil {
			return nil, "", err
		}
		return yealinkConfig(now), "", nil
	}}
}

// snomPush: the event xml with a page of the minibrowser, taken with xml_notify.
// A page may lead to commands behind #: set:<name>=<value>, reregister.
func snomPush(s *snomSettings) pusher {
	if s.get("xml_notify", "") != "on" {
		return pusher{}
	}
	return pusher{event: "xml", kind: "application/snomxml", read: func(body []byte) (*config, string, error) {
		root, texts, err := object(body)
		switch {
		case err != nil:
			return nil, "", err
		case root == "SnomIPPhoneText":
			return nil, strings.Join(texts["Text"], " "), nil
		}
		_, commands, ok := strings.Cut(strings.Join(texts["fetch"], ""), "#")
		if root != "IPPhoneSilent" || !ok {
			return nil, "", fmt.Errorf("page %s", root)
		}
		now := s.clone()
		for command := range strings.SplitSeq(commands, "&") {
			setting, isSet := strings.CutPrefix(command, "set:")
			name, value, ok := strings.Cut(setting, "=")
			if !isSet || !ok {
				continue
			}
			if value, err = url.PathUnescape(value); err != nil {
				return nil, "", fmt.Errorf("command: %w", err)
			}
			now.set(name, value)
		}
		return snomConfig(now), "", nil
	}}
}

func (s *snomSettings) clone() *snomSettings {
	c := newSnomSettings()
	for name, values := range s.values {
		c.values[name] = maps.Clone(values)
	}
	c.keys, c.count = maps.Clone(s.keys), s.count
	return c
}

// set changes one setting by its name with the index at its end: user_name1,
// fkey2, fkey_label2.
func (s *snomSettings) set(name, value string) {
	base := strings.TrimRight(name, "0123456789")
	idx := name[len(base):]
	if base == "fkey" || base == "fkey_label" {
		k, ok := s.keys[idx]
		if !ok {
			k.context = "active"
		}
		if base == "fkey" {
			k.value = value
		} else {
			k.label = value
		}
		s.keys[idx] = k
		return
	}
	if s.values[base] == nil {
		s.values[base] = map[string]string{}
	}
	s.values[base][idx] = value
}
