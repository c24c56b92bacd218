package upstream

import (
	"context"
	"crypto/rand"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"perch/hotdesk/directory"
	"perch/sip/flow"
	"perch/sip/location"
	"perch/sip/upstream/registration"
)

// maxRequests bounds the REGISTERs of one attempt: hops, challenges, intervals.
const maxRequests = 12

// attempt is one try to bring a record to what is wanted.
type attempt struct {
	c     *Client
	rec   registration.Record
	pbx   pbx
	who   account
	ask   time.Duration
	left  int // requests
	moved bool
}

// register sends the REGISTER of a record, hop after hop, and says what came of
// it (RFC 3261 section 10.2). The record it returns has the contact that was
// sent.
func (c *Client) register(ctx context.Context, rec registration.Record, secrets Secrets) (registration.Record, registration.Answer) {
	a := &attempt{c: c, rec: rec, ask: registration.Ask, left: maxRequests}
	fail := registration.Answer{Why: registration.WhyUnreachable, CSeq: rec.CSeq}
	var err error
	if a.pbx, err = parsePBX(rec.URI); err != nil {
		return rec, fail
	}
	a.who = accountOf(rec.Tenant, rec.Account, secrets)
	hops, err := c.Hops(ctx, rec.URI, false)
	if err != nil {
		return rec, fail
	}
	last := fail
	for _, hop := range hops {
		if a.left <= 0 || ctx.Err() != nil {
			break
		}
		var again bool
		if last, again = a.at(ctx, hop); !again {
			break
		}
	}
	last.CSeq = a.rec.CSeq
	return a.rec, last
}

func accountOf(t directory.TenantCode, acc registration.Account, secrets Secrets) account {
	e := directory.Extension{
		ID:       directory.ExtensionID{Tenant: t, Number: acc.Number},
		Upstream: &directory.UpstreamIdentity{Username: acc.Username, Password: acc.Password},
	}
	password, ok, err := secrets.UpstreamPassword(e)
	return account{username: acc.Username, password: password, has: ok && err == nil}
}

// at asks one hop; again: another one may do better.
func (a *attempt) at(ctx context.Context, hop flow.Hop) (ans registration.Answer, again bool) {
	ans = registration.Answer{Why: registration.WhyUnreachable, Hop: hop.String()}
	f, err := a.c.Sender.Reach(ctx, hop, 0)
	if err != nil {
		a.c.note(hop, nil, err, 0)
		return ans, true
	}
	contact := a.c.Sender.Contact(f, escapeUser(a.rec.Number))
	if contact == "" {
		return ans, true
	}
	contact += ";" + tenantParam + "=" + string(a.rec.Tenant)
	if a.rec.Wanted {
		a.rec = a.rec.Sent(contact, a.c.Now())
	}
	ans.Contact = contact
	var creds []flow.Field
	for asked := 0; a.left > 0; asked++ {
		a.left--
		res, err := a.send(ctx, hop, f, creds)
		if err != nil {
			ans.Status, ans.Why = 0, registration.WhyUnreachable
			if errors.Is(err, flow.ErrTimeout) || errors.Is(err, context.DeadlineExceeded) {
				ans.Why = registration.WhySilent
			}
			return ans, true
		}
		ans.Status, ans.RetryAfter = res.StatusCode, retryAfter(res, time.Hour)
		switch {
		case res.StatusCode/100 == 2:
			ans.Why, ans.Granted = "", granted(res, contact, a.ask)
			return ans, false
		case isChallenge(res):
			field, ok := a.who.answers(res, "REGISTER", a.pbx.registrar())
			if !ok {
				ans.Why = registration.WhyNoPassword
				return ans, false
			}
			if creds != nil && !stale(res) || asked > 2 {
				ans.Why = registration.WhyCredentials
				return ans, false
			}
			creds = []flow.Field{field}
		case res.StatusCode == sip.StatusIntervalToBrief && a.longer(res):
		case res.StatusCode == sip.StatusServiceUnavailable, res.StatusCode == sip.StatusRequestTimeout:
			ans.Why = registration.WhyRefused
			return ans, true
		case res.StatusCode == sip.StatusForbidden && creds != nil:
			ans.Why = registration.WhyCredentials
			return ans, false
		default:
			ans.Why = registration.WhyRefused
			return ans, false
		}
	}
	return ans, false
}

// send makes and sends one REGISTER, with a number of its own.
func (a *attempt) send(ctx context.Context, hop flow.Hop, f location.Flow, creds []flow.Field) (*sip.Response, error) {
	aor := a.pbx.identity(a.rec.Username)
	d := flow.Draft{
		Method: "REGISTER", URI: a.pbx.registrar(), From: "<" + aor + ">;tag=" + rand.Text()[:12], To: "<" + aor + ">",
		CallID: a.rec.CallID, CSeq: a.rec.CSeq, Contact: a.contacts(), Headers: creds,
	}
	a.rec.CSeq++
	if a.rec.Wanted {
		d.Headers = append(d.Headers[:len(d.Headers):len(d.Headers)], flow.Field{Name: "Expires", Value: seconds(a.ask)})
	}
	d.Headers = append(d.Headers[:len(d.Headers):len(d.Headers)], flow.Field{Name: "User-Agent", Value: "Perch"})
	req, err := d.Build()
	if err != nil {
		return nil, err
	}
	return a.c.once(ctx, hop, f, req)
}

// contacts writes what the PBX shall hold and what it shall forget.
func (a *attempt) contacts() string {
	var all []string
	for i, c := range a.rec.Contacts {
		expires := "0"
		if i == 0 && a.rec.Wanted {
			expires = seconds(a.ask)
		}
		all = append(all, "<"+c.URI+">;expires="+expires)
	}
	return strings.Join(all, ", ")
}

// longer takes the interval that a 423 asks for (RFC 3261 section 10.2.8).
func (a *attempt) longer(res *sip.Response) bool {
	h := res.GetHeader("Min-Expires")
	if h == nil || a.moved {
		return false
	}
	n, err := strconv.Atoi(strings.TrimSpace(h.Value()))
	wish := time.Duration(n) * time.Second
	if err != nil || n <= 0 || n > 7*24*3600 || wish <= a.ask {
		return false
	}
	a.ask, a.moved = wish, true
	return true
}

// granted is how long the PBX holds our contact: what it says of that contact,
// else of all, else what was asked for (RFC 3261 section 10.2.4).
func granted(res *sip.Response, contact string, asked time.Duration) time.Duration {
	ours, _ := location.ParseURI(contact)
	for _, h := range res.GetHeaders("Contact") {
		for _, v := range splitContacts(h.Value()) {
			uri, params := v[0], v[1]
			u, err := location.ParseURI(uri)
			if err != nil || u.User != ours.User || u.Host != ours.Host || u.Port != ours.Port {
				continue
			}
			if n, ok := expiresParam(params); ok {
				return time.Duration(n) * time.Second
			}
		}
	}
	if h := res.GetHeader("Expires"); h != nil {
		if n, err := strconv.Atoi(strings.TrimSpace(h.Value())); err == nil && n > 0 && n < 1<<30 {
			return time.Duration(n) * time.Second
		}
	}
	return asked
}

// maxListed bounds the contacts of a 200 that are looked at.
const maxListed = 64

// splitContacts takes a Contact value apart: each with its URI and parameters.
func splitContacts(v string) [][2]string {
	var out [][2]string
	for v != "" && len(out) < maxListed {
		_, rest, ok := strings.Cut(v, "<")
		if !ok {
			break
		}
		uri, rest, ok := strings.Cut(rest, ">")
		if !ok {
			break
		}
		params, next, _ := strings.Cut(rest, ",")
		out, v = append(out, [2]string{uri, params}), next
	}
	return out
}

func expiresParam(params string) (int, bool) {
	for p := range strings.SplitSeq(params, ";") {
		name, v, _ := strings.Cut(p, "=")
		if strings.EqualFold(strings.TrimSpace(name), "expires") {
			n, err := strconv.Atoi(strings.Trim(strings.TrimSpace(v), `"`))
			return n, err == nil && n > 0 && n < 1<<30
		}
	}
	return 0, false
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }

// tenantParam names the tenant in the contacts that PBXs hold: several tenants
// may have the same PBX and the same numbers.
const tenantParam = "perch-tenant"
