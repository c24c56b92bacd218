package sim

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// httpAgent is the User-Agent of the brand's provisioning client.
func (p *Phone) httpAgent() string {
	o := &p.opt
	if o.Brand == Snom {
		return "Mozilla/4.0 (compatible; snom" + o.Model + "-SIP " + o.Firmware + " 2010.12-00004-g9ba52f5 " +
			strings.ToUpper(o.MAC.String()) + " SXM:0 UXM:0)"
	}
	return "Yealink SIP-" + o.Model + " " + o.Firmware + " " + o.MAC.Colons()
}

// sipAgent is the User-Agent of the brand's SIP stack; a Yealink adds its MAC
// when sip.mac_in_ua says so.
func (p *Phone) sipAgent() string {
	if p.opt.Brand == Snom {
		return "snom" + p.opt.Model + "/" + p.opt.Firmware
	}
	s := "Yealink SIP-" + p.opt.Model + " " + p.opt.Firmware
	if p.macInUA.Load() {
		s += " " + p.opt.MAC.String()
	}
	return s
}

// errNothing is a fetch in which no file answered with a configuration.
var errNothing = errors.New("sim: no file of this phone is served")

// load fetches and reads everything, in the brand's order. The digest covers
// the bodies in that order.
func (p *Phone) load(ctx context.Context) (*config, error) {
	p.update(func(s *State) { s.Files = nil })
	l := loader{p: p, ctx: ctx, src: p.src}
	l.src.base = cloneURL(p.src.base)
	var c *config
	var err error
	if p.opt.Brand == Snom {
		c, err = l.snom()
	} else {
		c, err = l.yealink()
	}
	if err != nil {
		return nil, err
	}
	if len(l.bodies) == 0 {
		return nil, errNothing
	}
	sum := sha256.New()
	for _, b := range l.bodies {
		d := md5.Sum(b) // each file by itself, so that a shift between two files counts
		sum.Write(d[:])
		sum.Write(b)
	}
	c.sum = hex.EncodeToString(sum.Sum(nil))
	return c, nil
}

// loader is one pass over a phone's files.
type loader struct {
	p      *Phone
	ctx    context.Context
	src    source
	bodies [][]byte
}

// take asks for one file and hands its body to read; a 404 is a normal answer,
// and a file that cannot be read is skipped with a note.
func (l *loader) take(u *url.URL, read func([]byte) error) (found bool, err error) {
	f, err := l.p.get(l.ctx, l.src, u)
	if err != nil {
		return false, err
	}
	if f.status >= 500 {
		return false, errNoAnswer
	}
	if f.status != http.StatusOK {
		return false, nil
	}
	if err := read(f.body); err != nil {
		l.p.emit(Misbehaved, f.name+": "+clean(err.Error()), 0)
		return false, nil
	}
	l.bodies = append(l.bodies, f.body)
	return true, nil
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

func cloneURL(u *url.URL) *url.URL {
	c := *u
	return &c
}
