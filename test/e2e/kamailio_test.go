package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"perch/portal/api"
)

// pbx is Debian's Kamailio as the upstream of a tenant. Whoever has the number N
// there has the password secret-of-N.
type pbx struct {
	t      testing.TB
	at     string
	socket string
}

// kamailio starts one with the outside at another address; it ends with the test.
func kamailio(t testing.TB, at, outside, algorithm string) pbx {
	t.Helper()
	dir := shortDir(t)
	text, err := os.ReadFile("testdata/kamailio.cfg")
	if err != nil {
		t.Fatal(err)
	}
	host, _, err := net.SplitHostPort(outside)
	if err != nil {
		t.Fatal(err)
	}
	k := pbx{t, at, filepath.Join(dir, "ctl")}
	cfg := strings.NewReplacer("ALGORITHM", algorithm, "SOCKET", k.socket, "OUTSIDE_IP", host, "OUTSIDE", outside).Replace(string(text))
	file := filepath.Join(dir, "k.cfg")
	if err := os.WriteFile(file, []byte(cfg), 0o600); err != nil {
		t.Fatal(err)
	}
	var out lockedBuffer
	cmd := program(context.WithoutCancel(t.Context()), t, "kamailio", "-f", file, "-DD", "-E", "-m", "64", "-M", "8", "-l", "udp:"+at, "-P", filepath.Join(dir, "k.pid"), "-w", dir, "-Y", dir)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt) // its children end with it; after a kill they would not
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("kamailio says:\n%s", out.String())
		}
	})
	eventually(t, "kamailio", 60*time.Second, func() bool {
		_, err := os.Stat(k.socket)
		return err == nil
	})
	return k
}

// contacts is what the PBX has registered.
func (k pbx) contacts() string {
	k.t.Helper()
	return run(k.t, "kamcmd", "-s", "unix:"+k.socket, "ul.dump")
}

// lockedBuffer takes the output of a program while a test reads it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// upstreamNow is perch upstream --json.
func (o *office) upstreamNow() (up api.Upstream) {
	o.t.Helper()
	if err := json.Unmarshal([]byte(o.admin("upstream", "--json", "--tenant", "acme")), &up); err != nil {
		o.t.Fatal(err)
	}
	return up
}

// pbxFile is officeFile behind a PBX at which 1001 and 1002 have accounts; 1002's
// password is wrong.
func pbxFile(at, trusted string) string {
	f := strings.Replace(officeFile, "    domains: [acme.test]\n", "    domains: [acme.test]\n    upstream: {uri: \"sip:"+at+"\", trusted: ["+trusted+"]}\n", 1)
	f = strings.Replace(f, `name: Ada Lovelace,`, `name: Ada Lovelace, upstream: {username: "1001", password: secret-of-1001},`, 1)
	return strings.Replace(f, `name: Grace Hopper,`, `name: Grace Hopper, upstream: {username: "1002", password: wrong},`, 1)
}

// TestKamailioSeesPeople: a PBX that challenges sees people come and go, takes
// their calls and calls them.
func TestKamailioSeesPeople(t *testing.T) {
	t.Parallel()
	for _, algorithm := range []string{"MD5", "SHA-256"} {
		t.Run(algorithm, func(t *testing.T) {
			t.Parallel()
			at, outside := trunkAddress(t, "127.0.0.3"), trunkAddress(t, "127.0.0.4")
			k := kamailio(t, at, outside, algorithm)
			o := openWith(t, pbxFile(at, "127.0.0.3"))
			if got := k.contacts(); strings.Contains(got, "1001") {
				t.Fatalf("registered before anybody came:\n%s", got)
			}
			o.admin("login", "--tenant", "acme", "--ext", "1001", "--mac", bareDesk)
			eventually(t, "1001 at the PBX", time.Minute, func() bool { return strings.Contains(k.contacts(), "sip:1001@127.0.0.1") })
			ada := o.desk(bareDesk)

			up := o.upstreamNow()
			if len(up.Registrations) != 1 || up.Registrations[0].State != "registered" || up.Registrations[0].ExpiresIn == nil || *up.Registrations[0].Hop != "udp:"+at {
				t.Errorf("perch upstream: %+v", up.Registrations)
			}
			o.hopsAre("up", 1)

			// Out: the PBX challenges, and the outside answers.
			out := dialPeerFrom(t, outside, at)
			call := ada.calls("0301234567")
			ring := out.asked("INVITE")
			if !strings.HasPrefix(ring.uri(), "sip:0301234567@") || !strings.Contains(ring.get("From"), "<sip:1001@"+at+">") {
				t.Errorf("%s\nFrom: %s", ring.line, ring.get("From"))
			}
			if ring.get("Proxy-Authorization") != "" || strings.Contains(ring.String(), "secret-of") {
				t.Error("a password or its proof reaches the outside")
			}
			out.accepts(ring, "out")
			call.answered()
			out.asked("ACK")
			call.begins("BYE")
			out.respond(out.asked("BYE"), 200, "OK", "")
			if res := ada.final(call.key("BYE")); res.status() != 200 {
				t.Errorf("BYE: %s", res.line)
			}

			// In: the PBX finds Ada at her desk.
			out.send(ask{method: "INVITE", uri: "sip:1001@" + at, from: `"Outside" <sip:0309@pbx.test>;tag=o`, callID: "in-" + algorithm, cseq: 1, body: "v=0\r\n"})
			in := ada.asked("INVITE")
			if !strings.Contains(in.get("From"), "sip:0309@pbx.test") {
				t.Errorf("Ada is called by %s", in.get("From"))
			}
			ada.respond(in, 486, "Busy Here", "a")
			if res := out.final("1 INVITE"); res.status() != 486 {
				t.Errorf("in: %s", res.line)
			}

			// A wrong password fails, and says why.
			o.admin("login", "--tenant", "acme", "--ext", "1002", "--mac", bareDesk2)
			eventually(t, "1002 refused", time.Minute, func() bool {
				for _, r := range o.upstreamNow().Registrations {
					if r.Extension == "1002" && r.State == "failed" && r.Reason != nil && *r.Reason == "credentials" {
						return true
					}
				}
				return false
			})

			o.admin("logout", "--tenant", "acme", "--ext", "1001")
			eventually(t, "1001 gone from the PBX", time.Minute, func() bool { return !strings.Contains(k.contacts(), "sip:1001@") })
			eventually(t, "no record", time.Minute, func() bool { return len(o.upstreamNow().Registrations) == 1 })
			news := o.redis("XRANGE", "{acme}:events", "-", "+")
			for _, want := range []string{"upstream.registered", "upstream.unregistered", "upstream.failed"} {
				if !strings.Contains(news, want) {
					t.Errorf("no event %s", want)
				}
			}
		})
	}
}

// TestKamailioToSIPp: a number outside, answered by SIPp behind a PBX that
// challenges.
func TestKamailioToSIPp(t *testing.T) {
	t.Parallel()
	at, outside := trunkAddress(t, "127.0.0.3"), trunkAddress(t, "127.0.0.4")
	kamailio(t, at, outside, "MD5")
	host, port, err := net.SplitHostPort(outside)
	if err != nil {
		t.Fatal(err)
	}
	o := openWith(t, pbxFile(at, "127.0.0.3"))
	o.admin("login", "--tenant", "acme", "--ext", "1001", "--mac", bareDesk)
	ada := o.desk(bareDesk)
	scenario, err := filepath.Abs("testdata/outside.xml")
	if err != nil {
		t.Fatal(err)
	}
	sipp := program(t.Context(), t, "sipp", "-sf", scenario, "-i", host, "-p", port, "-m", "1", "-timeout", "120s", "-timeout_error", "-nostdin")
	ended := make(chan error, 1)
	go func() {
		out, err := sipp.CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%w\n%s", err, out[max(0, len(out)-2000):])
		}
		ended <- err
	}()
	call := ada.calls("0301234567")
	call.answered()
	if res := call.asks("BYE"); res.status() != 200 {
		t.Errorf("BYE: %s", res.line)
	}
	if err := <-ended; err != nil {
		t.Errorf("sipp: %v", err)
	}
}

// TestRegistrationSurvivesCrash: what was to be done at the PBX is done after a
// kill -9, and what was done is not done twice: one contact, the same Call-ID.
func TestRegistrationSurvivesCrash(t *testing.T) {
	t.Parallel()
	at := trunkAddress(t, "127.0.0.3")
	k := kamailio(t, at, trunkAddress(t, "127.0.0.4"), "MD5")
	s := serve(t, pbxFile(at, "127.0.0.3"))
	if status := s.rest().login(t.Context(), "1001", bareDesk); status != 200 {
		t.Fatal(status)
	}
	s.kill() // perhaps before the first REGISTER
	s.start()
	registered := func() bool { return strings.Count(k.contacts(), "sip:1001@127.0.0.1") == 1 }
	eventually(t, "1001 at the PBX", time.Minute, registered)
	before := callID.FindString(k.contacts())
	s.kill()
	s.start()
	if status, _ := s.rest().ask(t.Context(), "POST", "/logout", map[string]string{"tenant": "acme", "extension": "1001"}); status != 200 {
		t.Fatal(status)
	}
	eventually(t, "1001 gone", time.Minute, func() bool { return !strings.Contains(k.contacts(), "sip:1001@") })
	if status := s.rest().login(t.Context(), "1001", bareDesk); status != 200 {
		t.Fatal(status)
	}
	eventually(t, "1001 back", time.Minute, registered)
	if before == "" {
		t.Error("no Call-ID in ul.dump")
	}
}

var callID = regexp.MustCompile(`Call-ID: \S+`)
