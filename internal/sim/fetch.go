package sim

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"perch/hotdesk/directory"
)

// source is where a phone's configuration comes from now: what it was started
// with, until a configuration brings something else. It survives a reboot.
type source struct {
	base     *url.URL
	user     string
	password directory.Secret
}

// fetched is one file as the server answered it.
type fetched struct {
	name   string
	status int
	body   []byte
}

var errNoAnswer = errors.New("sim: the provisioning server did not answer")

// get asks for one file, answering a 401 with Digest if that is offered, else
// with Basic. Any status is an answer; the error is for none.
func (p *Phone) get(ctx context.Context, src source, u *url.URL) (fetched, error) {
	name := path.Base(u.Path)
	f, err := p.request(ctx, u, "")
	if err == nil && f.status == http.StatusUnauthorized {
		if auth := src.authorization(f.challenges, u.RequestURI()); auth != "" {
			f, err = p.request(ctx, u, auth)
		}
	}
	if err != nil {
		f.status = 0
	}
	p.update(func(s *State) {
		s.Files = append(s.Files, File{Name: name, Status: f.status, Bytes: len(f.body)})
		if f.status != 0 {
			s.Fetches++
		}
	})
	p.emit(Fetched, name, f.status)
	if err != nil {
		return fetched{}, fmt.Errorf("%w: %s", errNoAnswer, name)
	}
	return fetched{name: name, status: f.status, body: f.body}, nil
}

// httpAnswer is one response.
type httpAnswer struct {
	status     int
	body       []byte
	challenges []string
}

func (p *Phone) request(ctx context.Context, u *url.URL, auth string) (httpAnswer, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return httpAnswer{}, err
	}
	req.Header.Set("User-Agent", p.habits.httpAgent(&p.opt))
	req.Header.Set("Accept", "*/*")
	if auth != "" {
		req.Header.Set("Authorization", auth)
	}
	res, err := p.http.Do(req)
	if err != nil {
		return httpAnswer{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxFile+1))
	if err != nil {
		return httpAnswer{}, err
	}
	if len(body) > maxFile {
		return httpAnswer{}, fmt.Errorf("file above %d bytes", maxFile)
	}
	return httpAnswer{status: res.StatusCode, body: body, challenges: res.Header.Values("WWW-Authenticate")}, nil
}

// authorization answers the challenges of a 401 for one GET.
func (s source) authorization(challenges []string, uri string) string {
	if s.user == "" {
		return ""
	}
	if c, ok := pickChallenge(challenges); ok {
		return answer{challenge: c, user: s.user, password: s.password, method: http.MethodGet, uri: uri, nc: 1, cnonce: token(8)}.header()
	}
	for _, c := range challenges {
		if len(c) >= 5 && strings.EqualFold(c[:5], "Basic") {
			return "Basic " + base64.StdEncoding.EncodeToString([]byte(s.user+":"+s.password.Reveal()))
		}
	}
	return ""
}

// file resolves a file name, or what an include or setting-files entry names,
// against the provisioning folder.
func (s source) file(name string) *url.URL {
	ref, err := url.Parse(name)
	if err != nil {
		ref = &url.URL{Path: name}
	}
	return s.base.ResolveReference(ref)
}

// newSource reads a provisioning URL as a phone keeps it. Macros for the MAC
// are filled in; a URL with credentials brings them along.
func newSource(raw string, o *Options, user string, password directory.Secret) (source, error) {
	mac := o.MAC.String()
	if h, ok := habitsOf(o.Brand); ok && h.upper {
		mac = strings.ToUpper(mac)
	}
	raw = strings.NewReplacer("{mac}", mac, "$MAC", mac, "$mac", mac, "$MA", mac).Replace(raw)
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return source{}, errors.New("sim: a provisioning URL must be http or https with a host")
	}
	if u.User != nil && user == "" {
		user = u.User.Username()
		pw, _ := u.User.Password()
		password = directory.Secret(pw)
	}
	u.User = nil
	return source{base: u, user: user, password: password}, nil
}

// folder tells a URL to put file names behind from one that is itself a file,
// and gives the former its closing slash.
func (s *source) folder() bool {
	last := s.base.Path[strings.LastIndexByte(s.base.Path, '/')+1:]
	if strings.Contains(last, ".") {
		return false
	}
	if !strings.HasSuffix(s.base.Path, "/") {
		s.base.Path += "/"
	}
	return true
}
