package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"perch/hotdesk/directory"
	"perch/portal/api"
)

// maxAnswer bounds an answer that is read as a whole, in bytes.
const maxAnswer = 512 << 20

// Client asks one server.
type Client struct {
	base  string
	token directory.Secret
	http  *http.Client
}

// ErrNotRunning is wrapped by the error of a request that reached no server.
var ErrNotRunning = errors.New("no server answers")

// New builds a Client for the server at base, as "http://127.0.0.1:8000".
// Transport may be nil; it decides which certificate is believed.
func New(base string, token directory.Secret, transport http.RoundTripper) *Client {
	return &Client{base: strings.TrimRight(base, "/"), token: token, http: &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the token goes nowhere else
	}}
}

// Base is the URL of the server.
func (c *Client) Base() string { return c.base }

// Refused is an answer that is no success.
type Refused struct {
	Status int
	Reason string // a word for programs; may be empty
	Text   string // what to tell a person
}

// Error is the text.
func (r *Refused) Error() string { return r.Text }

// Login logs an extension in. What it returns is durable.
func (c *Client) Login(ctx context.Context, b api.LoginBody) (api.Change, error) {
	var out api.Change
	return out, c.post(ctx, "/login", b, &out)
}

// Logout logs an extension out, or whoever sits at a device.
func (c *Client) Logout(ctx context.Context, b api.LogoutBody) ([]api.Change, error) {
	var out []api.Change
	return out, c.post(ctx, "/logout", b, &out)
}

// Reload begins one reload or many.
func (c *Client) Reload(ctx context.Context, b api.ReloadBody) (api.Reloading, error) {
	var out api.Reloading
	return out, c.post(ctx, "/reload", b, &out)
}

// Filter narrows a list; empty is everything.
type Filter struct{ Tenant, Site string }

func (f Filter) query() url.Values {
	q := url.Values{}
	if f.Tenant != "" {
		q.Set("tenant", f.Tenant)
	}
	if f.Site != "" {
		q.Set("site", f.Site)
	}
	return q
}

// Mapping reads who sits where.
func (c *Client) Mapping(ctx context.Context, f Filter) ([]api.Mapping, error) {
	var out []api.Mapping
	return out, c.get(ctx, "/mapping", f.query(), &out)
}

// Devices reads the devices.
func (c *Client) Devices(ctx context.Context, f Filter) ([]api.Device, error) {
	var out []api.Device
	return out, c.get(ctx, "/devices", f.query(), &out)
}

// Registrations reads the contacts.
func (c *Client) Registrations(ctx context.Context, f Filter) ([]api.Registration, error) {
	var out []api.Registration
	return out, c.get(ctx, "/registrations", f.query(), &out)
}

// Trace reads the newest trace of a device.
func (c *Client) Trace(ctx context.Context, mac directory.MAC) (api.Trace, error) {
	var out api.Trace
	return out, c.get(ctx, "/devices/"+mac.String()+"/trace", nil, &out)
}

// Support reads what a support code of a phone's screen is about.
func (c *Client) Support(ctx context.Context, code string) (api.Support, error) {
	var out api.Support
	return out, c.get(ctx, "/support/"+url.PathEscape(code), nil, &out)
}

// Pending lists the phones that wait to be adopted.
func (c *Client) Pending(ctx context.Context) ([]api.Pending, error) {
	var out []api.Pending
	return out, c.get(ctx, "/pending", nil, &out)
}

// Adopt takes a phone into a tenant; the secret in the answer is told once.
func (c *Client) Adopt(ctx context.Context, b api.AdoptBody) (api.Adopted, error) {
	var out api.Adopted
	return out, c.post(ctx, "/adopt", b, &out)
}

// Rendering reads the file of a phone as it would get it now; with a number, as
// if that extension were logged in there.
func (c *Client) Rendering(ctx context.Context, mac directory.MAC, number string) (api.Rendering, error) {
	q := url.Values{}
	if number != "" {
		q.Set("extension", number)
	}
	var out api.Rendering
	return out, c.get(ctx, "/devices/"+mac.String()+"/rendering", q, &out)
}

// TemplateLint reads what is wrong with the templates.
func (c *Client) TemplateLint(ctx context.Context, f Filter) ([]api.TemplateFault, error) {
	var out []api.TemplateFault
	return out, c.get(ctx, "/templates/lint", f.query(), &out)
}

// Export copies the directory file to w.
func (c *Client) Export(ctx context.Context, w io.Writer) error {
	resp, err := c.do(ctx, http.MethodGet, "/export", nil, "", nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	if _, err := io.Copy(w, resp.Body); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	return nil
}

func (c *Client) get(ctx context.Context, path string, query url.Values, into any) error {
	return c.ask(ctx, http.MethodGet, path, query, nil, into)
}

func (c *Client) post(ctx context.Context, path string, body, into any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return c.ask(ctx, http.MethodPost, path, nil, bytes.NewReader(text), into)
}

func (c *Client) ask(ctx context.Context, method, path string, query url.Values, body io.Reader, into any) error {
	resp, err := c.do(ctx, method, path, query, "application/json", body)
	if err != nil {
		return err
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(into); err != nil {
		return fmt.Errorf("%s answers something else than Perch does: %w", c.base, err)
	}
	return nil
}

// do sends a request and gives an answer that is a success; everything else is
// an error.
func (c *Client) do(ctx context.Context, method, path string, query url.Values, contentType string, body io.Reader) (*http.Response, error) {
	target := c.base + api.Prefix + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+c.token.Reveal())
	if body != nil {
		r.Header.Set("Content-Type", contentType)
	}
	return c.send(r)
}

func (c *Client) send(r *http.Request) (*http.Response, error) {
	resp, err := c.http.Do(r)
	if err != nil {
		if r.Context().Err() != nil {
			return nil, r.Context().Err()
		}
		return nil, fmt.Errorf("%w at %s: %w", ErrNotRunning, c.base, errors.Unwrap(err))
	}
	if resp.StatusCode/100 == 2 {
		return resp, nil
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	return nil, refusal(resp)
}

// refusal reads a problem document; another server's error page is not shown.
func refusal(resp *http.Response) error {
	var p api.Problem
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<20)) // what came is read
	if json.Unmarshal(text, &p) != nil || p.Title == "" {
		return &Refused{Status: resp.StatusCode, Text: "the server answers " + resp.Status}
	}
	return &Refused{Status: resp.StatusCode, Reason: p.Reason, Text: problemText(p, resp.Header.Get("Retry-After"))}
}

func problemText(p api.Problem, retryAfter string) string {
	said := p.Title
	if p.Detail != "" {
		said += ": " + p.Detail
	}
	for _, e := range p.Errors {
		if e != nil {
			said += "\n  " + e.Location + ": " + e.Message
		}
	}
	if retryAfter != "" {
		said += " (Retry-After: " + retryAfter + " s)"
	}
	return Printable(said)
}

// Printable replaces what could move a terminal's cursor or end a line where it
// should not: control characters and the Unicode line ends, but for a plain line
// feed.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && (unicode.IsControl(r) || r == 0x2028 || r == 0x2029 || unicode.Is(unicode.Bidi_Control, r)) {
			return '?'
		}
		return r
	}, s)
}
