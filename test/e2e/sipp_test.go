package e2e

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"perch/hotdesk/trace"
)

// sippPhone is a phone played by SIPp: one scenario after the other, all from
// one UDP port, as a phone has one socket.
type sippPhone struct {
	o    *office
	port int
}

func (o *office) sippPhone() sippPhone { return sippPhone{o, freePort(o.t)} }

// sippRun is a scenario that has begun; end waits for it and gives back every
// message that SIPp saw.
type sippRun struct {
	t    testing.TB
	name string
	done chan string
}

// begin starts a scenario with the fields of its one call.
func (p sippPhone) begin(scenario string, fields ...string) sippRun {
	p.o.t.Helper()
	dir := p.o.t.TempDir()
	file, err := filepath.Abs(filepath.Join("testdata", scenario+".xml"))
	if err != nil {
		p.o.t.Fatal(err)
	}
	users := filepath.Join(dir, "users.csv")
	if err := os.WriteFile(users, []byte("SEQUENTIAL\n"+strings.Join(fields, ";")+";\n"), 0o600); err != nil {
		p.o.t.Fatal(err)
	}
	messages, errs := filepath.Join(dir, "messages"), filepath.Join(dir, "errors")
	cmd := program(
		p.o.t.Context(), p.o.t, "sipp", p.o.sip("udp"), "-sf", file, "-inf", users, "-i", "127.0.0.1", "-p", strconv.Itoa(p.port),
		"-m", "1", "-l", "1", "-timeout", "25s", "-timeout_error", "-nostdin", "-trace_msg", "-message_file", messages, "-trace_err", "-error_file", errs,
	)
	r := sippRun{p.o.t, scenario, make(chan string, 1)}
	go func() {
		defer close(r.done)
		out, err := cmd.CombinedOutput()
		seen, _ := os.ReadFile(messages)
		if err == nil {
			r.done <- string(seen)
			return
		}
		why, _ := os.ReadFile(errs)
		p.o.t.Errorf("sipp %s: %v\n%s\n%s\n%s", scenario, err, why, seen, out[max(0, len(out)-2000):])
	}()
	return r
}

func (r sippRun) end() string {
	r.t.Helper()
	seen, ok := <-r.done
	if !ok {
		r.t.Fatalf("sipp %s failed", r.name)
	}
	return seen
}

// plays is begin and end.
func (p sippPhone) plays(scenario string, fields ...string) {
	p.o.t.Helper()
	p.begin(scenario, fields...).end()
}

func credentials(user, password string) string {
	return fmt.Sprintf("[authentication username=%s password=%s]", user, password)
}

// message is one SIP request as it was on the wire.
type message struct{ line, text string }

func (m message) header(name string) string {
	for l := range strings.Lines(m.text) {
		if k, v, ok := strings.Cut(l, ":"); ok && strings.EqualFold(strings.TrimSpace(k), name) {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// received gives the requests of a method in SIPp's message file.
func received(file, method string) (all []message) {
	for _, part := range strings.Split(file, "\n-----") {
		if !strings.Contains(part, "message received") {
			continue
		}
		if i := strings.Index(part, "\n"+method+" "); i >= 0 {
			line, _, _ := strings.Cut(part[i+1:], "\n")
			all = append(all, message{strings.TrimSpace(line), part[i+1:]})
		}
	}
	return all
}

var parameter = regexp.MustCompile(`(\w+)=(?:"([^"]*)"|([^\s,]+))`)

// proves checks a digest with MD5 and qop auth by the letter of RFC 2617
// section 3.2.2, without a line that Perch itself uses.
func proves(t testing.TB, m message, user, realm, password, nonce string) {
	t.Helper()
	p := map[string]string{}
	for _, f := range parameter.FindAllStringSubmatch(m.header("Authorization"), -1) {
		p[f[1]] = f[2] + f[3]
	}
	hash := func(parts ...string) string {
		sum := md5.Sum([]byte(strings.Join(parts, ":")))
		return hex.EncodeToString(sum[:])
	}
	_, rest, _ := strings.Cut(m.line, " ")
	uri, _, _ := strings.Cut(rest, " ")
	for _, w := range [][3]string{
		{"username", p["username"], user},
		{"realm", p["realm"], realm},
		{"nonce", p["nonce"], nonce},
		{"qop", p["qop"], "auth"},
		{"uri", p["uri"], uri},
		{"response", p["response"], hash(hash(user, realm, password), nonce, p["nc"], p["cnonce"], "auth", hash("NOTIFY", uri))},
	} {
		if w[1] != w[2] {
			t.Errorf("Authorization: %s is %q, want %q", w[0], w[1], w[2])
		}
	}
}

// TestSIPpIsBound: an administrator logs somebody in at a phone played by
// SIPp, which is told so, asks who says it, becomes the extension, and is
// nothing any more when the person is logged out.
func TestSIPpIsBound(t *testing.T) {
	t.Parallel()
	o := open(t)
	p := o.sippPhone()
	contact := fmt.Sprintf("@127.0.0.1:%d", p.port)

	idle := o.yealinkFile(bareDesk2)
	p.plays("register", idle.user, credentials(idle.auth, idle.password))

	told := p.begin("notified", idle.auth, idle.password)
	o.admin("login", "--tenant", "acme", "--ext", "1002", "--mac", bareDesk2)
	notifies := received(told.end(), "NOTIFY")
	first, second := notifies[0], notifies[len(notifies)-1]
	if want := "NOTIFY sip:" + bareDesk2 + contact; !strings.HasPrefix(first.line, want) || second.line != first.line {
		t.Errorf("told as %q and %q, want %s", first.line, second.line, want)
	}
	if id := first.header("Call-ID"); id == "" || id != second.header("Call-ID") {
		t.Errorf("Call-ID %q and %q", id, second.header("Call-ID"))
	}
	if a, b := cseq(t, first), cseq(t, second); b != a+1 {
		t.Errorf("CSeq %d, then %d", a, b)
	}
	if first.header("From") != second.header("From") || !strings.Contains(first.header("From"), "sip:perch@acme.test>;tag=") {
		t.Errorf("From %q and %q", first.header("From"), second.header("From"))
	}
	if strings.Contains(second.header("To"), "tag=") || first.header("Via") == second.header("Via") {
		t.Errorf("To %q, Via %q and %q", second.header("To"), first.header("Via"), second.header("Via"))
	}
	proves(t, second, bareDesk2, "this very desk", idle.password, "5f3c1c7b9a")

	bound := o.yealinkFile(bareDesk2)
	if bound.user != "1002" || bound.password == idle.password {
		t.Fatalf("the desk is told to be %s", bound.user)
	}
	p.plays("register", bound.user, credentials(bound.auth, bound.password))
	o.trace(bareDesk2, "has registered", func(tr trace.Trace) bool { return tr.Has(trace.Registered) && tr.Number == "1002" })
	if got := o.redis("HGET", "{acme}:contacts", "1002"); !strings.Contains(got, contact) {
		t.Errorf("redis-cli shows no contact of 1002: %s", got)
	}

	o.admin("logout", "--tenant", "acme", "--mac", bareDesk2)
	p.plays("refused", bound.user, credentials(bound.auth, bound.password))
	for _, r := range o.registrations() {
		if r.AOR == "sip:1002@acme.test" {
			t.Errorf("the old contact is still there: %+v", r)
		}
	}
	if got := o.redis("HGET", "{acme}:seats", bareDesk2); strings.Contains(got, `"bindings"`) {
		t.Errorf("redis-cli shows %s", got)
	}
	after := o.yealinkFile(bareDesk2)
	p.plays("register", after.user, credentials(after.auth, after.password))
	if got := o.redis("HGET", "{acme}:contacts", "1002"); strings.Contains(got, contact) {
		t.Errorf("redis-cli still shows the old contact: %s", got)
	}
}

func cseq(t testing.TB, m message) int {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimSuffix(m.header("CSeq"), " NOTIFY"))
	if err != nil {
		t.Fatalf("CSeq %q", m.header("CSeq"))
	}
	return n
}

// TestSIPpBrandWithoutTemplates: a phone of a brand that Perch cannot write
// configurations for registers by hand and is logged in; what cannot come is
// skipped, and says why.
func TestSIPpBrandWithoutTemplates(t *testing.T) {
	t.Parallel()
	o := open(t)
	p := o.sippPhone()
	p.plays("register", panasonicDesk, credentials(panasonicDesk, "panasonic-by-hand"))
	o.admin("login", "--tenant", "acme", "--ext", "1003", "--mac", panasonicDesk)
	tr := o.trace(panasonicDesk, "skips what cannot come", func(tr trace.Trace) bool {
		s, ok := tr.Step(trace.Fetched)
		return ok && s.Skipped && s.Detail != ""
	})
	if !tr.Has(trace.Bound) || tr.State == trace.Failed {
		t.Errorf("%+v", tr)
	}
	status, _ := curl(t, "--user", panasonicDesk+":"+secretOf(panasonicDesk).Reveal(), httpURL(o.Addresses().Provisioning)+"/Config"+strings.ToUpper(panasonicDesk)+".cfg")
	if status != 404 {
		t.Errorf("its file: %d", status)
	}
}

// registration is a row of the API's list.
type registration struct {
	AOR, Contact, Source string
	MAC                  *string
}

func (o *office) registrations() (all []registration) {
	o.t.Helper()
	o.rest().list(o.t, "/registrations", &all)
	return all
}
