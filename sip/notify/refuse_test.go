package notify_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"perch/sip/presence"
)

// What is wrong with its form is refused before anybody is asked who they are.
func TestRefusals(t *testing.T) {
	o := open(t)
	for _, tc := range []struct {
		name  string
		toTag string
		lines []string
		code  int
		with  string // header that the response has
	}{
		{"another package", "", []string{"Event: presence"}, 489, "Allow-Events: dialog"},
		{"another package by its compact name", "", []string{"o: message-summary"}, 489, "Allow-Events: dialog"},
		{"no package", "", nil, 489, "Allow-Events: dialog"},
		{"a template of the package", "", []string{"Event: dialog.winfo"}, 489, "Allow-Events: dialog"},
		{"an id that is none", "", []string{"Event: dialog;id=a b"}, 400, ""},
		{"an unknown dialog", "nowhere", []string{event}, 481, ""},
		{"an unknown dialog of another package", "nowhere", []string{"Event: presence"}, 481, ""},
		{"an unknown dialog without a package", "nowhere", nil, 481, ""},
		{"another document", "", []string{event, "Accept: application/pidf+xml"}, 406, "Accept: application/dialog-info+xml"},
		{"no document", "", []string{event, "Accept: "}, 406, ""},
		{"our document refused", "", []string{event, "Accept: application/dialog-info+xml;q=0.0"}, 406, ""},
		{"too brief", "", []string{event, "Expires: 59"}, 423, "Min-Expires: 60"},
		{"a list", "", []string{event, "Require: eventlist"}, 420, "Unsupported: eventlist"},
		{"no credentials", "", []string{event}, 401, `WWW-Authenticate: Digest realm="acme.test"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := o.device("udp", desk1)
			p.toTag = tc.toTag
			res := p.once(grace, tc.lines...)
			want(t, res, tc.code)
			if !strings.Contains(res.text, tc.with) {
				t.Errorf("no %q in\n%s", tc.with, res.text)
			}
		})
	}
	if l := o.of(desk1.MAC.String()); len(l) != 0 {
		t.Errorf("stored %+v", l)
	}
}

func TestAcceptedForms(t *testing.T) {
	o := open(t)
	for _, tc := range []struct {
		name    string
		lines   []string
		expires string
	}{
		{"nothing but the package", []string{event}, "3600"},
		{"compact", []string{"o: dialog"}, "3600"},
		{"parameters that are left aside", []string{"Event: dialog;sla;include-session-description"}, "3600"},
		{"several documents", []string{event, "Accept: multipart/related, application/rlmi+xml", "Accept: application/dialog-info+xml"}, "3600"},
		{"any document", []string{event, "Accept: */*"}, "3600"},
		{"the least", []string{event, "Expires: 60"}, "60"},
		{"too long", []string{event, "Expires: 86400"}, "7200"},
		{"nonsense", []string{event, "Expires: soon"}, "3600"},
		{"far too long", []string{event, "Expires: 4294967295"}, "7200"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := o.device("udp", desk1)
			res := p.subscribe(grace, tc.lines...)
			want(t, res, 200)
			if got := res.get("expires"); got != tc.expires {
				t.Errorf("Expires %s, want %s", got, tc.expires)
			}
			m := p.request()
			checkNotify(t, m, "0", grace, "active;expires="+tc.expires)
			p.reply(m, "200 OK")
		})
	}
}

// The id of the Event header is the subscription's, and every NOTIFY repeats it.
func TestEventID(t *testing.T) {
	o := open(t)
	p := o.device("udp", desk1)
	want(t, p.subscribe(grace, "Event: dialog;id=k7"), 200)
	m := p.request()
	if got := m.get("event"); got != "dialog;id=k7" {
		t.Errorf("Event %q", got)
	}
	p.reply(m, "200 OK")
	want(t, p.once(grace, event), 481)
	want(t, p.once(grace, "Event: presence"), 489)
	want(t, p.once(grace, "Event: dialog;id=k7", "Accept: text/plain"), 406)
	want(t, p.once(grace, "Event: dialog;id=k7", "Expires: 5"), 423)
	want(t, p.once(grace, "Event: dialog;id=k7"), 200)
}

// A fetch leaves nothing behind (RFC 6665 section 4.4.3).
func TestFetch(t *testing.T) {
	o := open(t)
	p := o.device("tcp", desk1)
	res := p.subscribe(grace, event, "Expires: 0")
	want(t, res, 200)
	if res.get("expires") != "0" {
		t.Errorf("Expires %q", res.get("expires"))
	}
	m := p.request()
	checkNotify(t, m, "0", grace, "terminated;reason=timeout")
	p.reply(m, "200 OK")
	if l := o.of(desk1.MAC.String()); len(l) != 0 {
		t.Errorf("stored %+v", l)
	}
}

// Whoever asks for somebody who does not exist, or who is somebody else's, is
// answered as for somebody who is never there: the same bytes but for the name
// that was asked for and what is random.
func TestUnknownTargetLooksAlike(t *testing.T) {
	o := open(t)
	seen := map[string]string{}
	for _, who := range []string{"1002@acme.test", "9999@acme.test", "2001@globex.test", "1002@example.org", "1002@127.0.0.1"} {
		p := o.device("udp", desk1)
		res := p.subscribe("sip:"+who, event)
		want(t, res, 200)
		m := p.request()
		p.reply(m, "200 OK")
		text := res.text + m.text
		for _, change := range []string{p.callID, p.toTag, p.conn.LocalAddr().String(), "sip:" + who} {
			text = strings.ReplaceAll(text, change, "*")
		}
		text = mask(text, "branch=", "\r;")
		text = mask(text, "rport=", "\r;")
		text = mask(text, "CSeq: ", " ")
		text = mask(text, "Content-Length: ", "\r") // the name's length
		seen[text] = who
	}
	if len(seen) != 1 {
		t.Errorf("answers differ: %v", seen)
	}
}

// mask replaces what follows each occurrence of key, up to one of end.
func mask(text, key, end string) string {
	parts := strings.Split(text, key)
	for i := 1; i < len(parts); i++ {
		if j := strings.IndexAny(parts[i], end); j >= 0 {
			parts[i] = "*" + parts[i][j:]
		}
	}
	return strings.Join(parts, key)
}

// The state of another tenant's extension is never looked up.
func TestForeignTargetIsNotWatched(t *testing.T) {
	o := open(t, func(opts *notifyOptions) { opts.Lamps = busy{} })
	p := o.device("udp", desk1)
	want(t, p.subscribe("sip:2001@globex.test", event), 200)
	m := p.request()
	p.reply(m, "200 OK")
	if d := documentOf(t, m); d.Dialogs[0].State != "terminated" || d.Entity != "sip:2001@globex.test" {
		t.Errorf("%+v", d)
	}
	q := o.device("udp", desk1)
	want(t, q.subscribe("sip:1002@acme.test", event), 200)
	m = q.request()
	q.reply(m, "200 OK")
	if d := documentOf(t, m); d.Dialogs[0].State != "confirmed" {
		t.Errorf("%+v", d)
	}
}

// A phone has one subscription for each target: the newest.
func TestTwins(t *testing.T) {
	o := open(t)
	p, q := o.device("udp", desk1), o.device("udp", desk1)
	for _, x := range []*phone{p, q} {
		want(t, x.subscribe(grace, event), 200)
		x.reply(x.request(), "200 OK")
	}
	list := o.of(desk1.MAC.String())
	if len(list) != 1 {
		t.Fatalf("%d subscriptions", len(list))
	}
	want(t, p.once(grace, event), 481)
	want(t, q.once(grace, event), 200)
	q.reply(q.request(), "200 OK")
	p.silent()
}

func TestTooManySubscriptions(t *testing.T) {
	o := open(t)
	for i := range 400 {
		o.must(o.store.SaveSubscription(t.Context(), presence.Subscription{
			ID: fmt.Sprint(i), Tenant: "acme", Event: "dialog", Target: fmt.Sprint(2000 + i), MAC: desk1.MAC.String(),
			Expires: time.Now().Add(time.Hour).UnixMilli(), Dialog: []byte("{}"),
		}))
	}
	res := o.device("udp", desk1).subscribe(grace, event)
	want(t, res, 480)
	if res.get("retry-after") == "" {
		t.Error("no Retry-After")
	}
	want(t, o.device("udp", desk1).subscribe("sip:2000@acme.test", event), 200) // takes the place of one
}

func TestBadDialogs(t *testing.T) {
	o := open(t)
	for name, contact := range map[string]string{
		"none":            "Contact:",
		"no URI":          "Contact: <>",
		"not a SIP URI":   "Contact: <http://192.0.2.1/>",
		"a broken record": "Contact: <sip:a@h>\r\nRecord-Route: <sip:p",
	} {
		t.Run(name, func(t *testing.T) {
			want(t, o.device("udp", desk1).subscribe(grace, event, contact), 400)
		})
	}
	want(t, o.device("udp", desk1).subscribe("sip:acme.test", event), 400) // nobody is asked for
}

// RFC 3261 section 12.2.2: a lower CSeq is out of order.
func TestOutOfOrder(t *testing.T) {
	o := open(t)
	p := o.device("udp", desk1)
	want(t, p.subscribe(grace, event), 200)
	p.reply(p.request(), "200 OK")
	p.cseq -= 2
	want(t, p.once(grace, event), 500)
	p.cseq += 2
	want(t, p.once(grace, event), 200)
}
