package sim

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
)

// sipAgent is the User-Agent of the brand's SIP stack.
func (p *Phone) sipAgent() string { return p.habits.sipAgent(&p.opt, p.macInUA.Load()) }

// errNothing is a fetch in which no file answered with a configuration.
var errNothing = errors.New("sim: no file of this phone is served")

// errWrongPhone refuses a file that names another phone.
var errWrongPhone = errors.New("the file is for another phone")

// load fetches and reads everything, in the brand's order. The digest covers
// the bodies in that order.
func (p *Phone) load(ctx context.Context) (*config, error) {
	p.update(func(s *State) { s.Files = nil })
	l := loader{p: p, ctx: ctx, src: p.src}
	l.src.base = cloneURL(p.src.base)
	c, err := p.habits.load(&l)
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

// firstFound asks for names in order until one is there.
func (l *loader) firstFound(names []string, read func([]byte) error, made func() *config) (*config, error) {
	if !l.src.folder() {
		_, err := l.take(l.src.base, read)
		return made(), err
	}
	for _, n := range names {
		found, err := l.take(l.src.file(n), read)
		if err != nil {
			return nil, err
		}
		if found {
			break
		}
	}
	return made(), nil
}

func cloneURL(u *url.URL) *url.URL {
	c := *u
	return &c
}
