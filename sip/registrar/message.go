package registrar

import (
	"errors"
	"strconv"
	"time"

	"github.com/emiago/sipgo/sip"

	"perch/hotdesk/directory"
	"perch/metrics"
	"perch/sip/handler"
	"perch/sip/location"
)

const maxUserAgent = 200 // bytes

// update reads the message (RFC 3261 section 10.3 steps 4 and 5).
func (g *Registrar) update(r *handler.Request) (location.Update, error) {
	aor, err := g.aor(r)
	if err != nil {
		return location.Update{}, err
	}
	contacts, star, err := location.ParseContacts(r.Values("contact"))
	if err != nil {
		return location.Update{}, refusal(err)
	}
	id := &r.Identity
	u := location.Update{
		Tenant: id.Tenant.Code, AOR: aor, Contacts: contacts, Star: star,
		Expires: location.ParseSeconds(r.Header("expires")),
		CallID:  r.CallID(), CSeq: r.SIP.CSeq().SeqNo, Flow: r.Flow,
		UserAgent: handler.Clipped(r.Header("user-agent"), maxUserAgent),
	}
	if id.HasDevice() {
		u.Device, u.Line, u.Session = id.Device.ID, id.Line, id.Session
	}
	err = way(r, &u)
	return u, err
}

// aor is steps 4 and 5: the address of record must be the one that the
// credential is for. Its domain is the tenant's or our own address, or the
// request would have been challenged under another realm.
func (g *Registrar) aor(r *handler.Request) (directory.AOR, error) {
	to := r.SIP.To().Address
	aor, err := location.NewAOR(to.User, to.Host)
	if err != nil {
		return aor, refusal(err)
	}
	if mac, err := directory.ParseMAC(aor.User); err == nil && len(aor.User) == 12 {
		aor.User = mac.String()
	}
	if aor.User != r.Identity.AOR.User {
		g.digest.DigestFailure(metrics.DigestForeign)
		return aor, handler.Refuse(sip.StatusForbidden, "foreign")
	}
	return aor, nil
}

// refusal gives what location refuses its status.
func refusal(err error) error {
	if brief, ok := errors.AsType[*location.TooBrief](err); ok {
		s := handler.Refuse(sip.StatusIntervalToBrief, "too_brief")
		s.Headers = []sip.Header{handler.Header("Min-Expires", strconv.Itoa(brief.Min))}
		return s
	}
	switch {
	case errors.Is(err, location.ErrOutOfOrder):
		return &handler.Status{Code: sip.StatusInternalServerError, Reason: "Request Out of Order", Why: "out_of_order"}
	case errors.Is(err, location.ErrTooMany):
		return &handler.Status{Code: sip.StatusForbidden, Reason: "Too Many Contacts", Why: "too_many"}
	case errors.Is(err, location.ErrLoop):
		return &handler.Status{Code: sip.StatusForbidden, Reason: "Contact Is the Address of Record", Why: "loop"}
	case errors.Is(err, location.ErrMalformed):
		return &handler.Status{Code: sip.StatusBadRequest, Reason: "Bad Contact", Why: "malformed"}
	}
	return err
}

// accept sends the 200 with every current contact (step 8).
func (g *Registrar) accept(r *handler.Request, u location.Update, d location.Decision) error {
	headers := make([]sip.Header, 0, len(d.Contacts)+len(u.Path)+6)
	gruu := supports(r, tagGRUU)
	for _, c := range d.Contacts {
		value := contactValue(c)
		if uri := g.gruu(r, c); gruu && uri != "" {
			value += `;pub-gruu="` + uri + `"` // RFC 5627 section 5.3
		}
		headers = append(headers, handler.Header("Contact", value))
	}
	headers = append(headers, g.extensions(r, u)...)
	headers = append(headers, handler.Header("Date", g.now().UTC().Format(time.RFC1123[:len(time.RFC1123)-3]+"GMT")))
	return r.Respond(sip.StatusOK, "", headers...)
}

// gruu is the public GRUU of a contact's instance. It names the tenant's domain,
// under which requests to it arrive, also where the phone registered with an
// address of ours.
func (g *Registrar) gruu(r *handler.Request, c location.Contact) string {
	aor := c.AOR
	if domain := r.Identity.Tenant.Domain(); domain != "" {
		aor.Domain = domain
	}
	return location.PublicGRUU(aor, c.Instance)
}

// contactValue writes a contact with the seconds it has left.
func contactValue(c location.Contact) string {
	b := make([]byte, 0, len(c.URI)+64)
	b = append(append(append(b, '<'), c.URI...), ">;expires="...)
	b = strconv.AppendInt(b, int64(c.Granted), 10)
	if c.Q != 1000 {
		b = append(b, ";q="...)
		b = strconv.AppendFloat(b, float64(c.Q)/1000, 'f', -1, 64)
	}
	if c.Instance != "" {
		b = append(append(append(b, `;+sip.instance="`...), c.Instance...), '"')
	}
	if c.RegID != 0 {
		b = strconv.AppendInt(append(b, ";reg-id="...), int64(c.RegID), 10)
	}
	return string(b)
}
