package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// softphone is a running baresip without sound card and without screen,
// told what to do and asked what it saw over its control connection.
type softphone struct {
	t      testing.TB
	conn   net.Conn
	events chan softphoneEvent
	out    *journal
}

type softphoneEvent struct {
	Event bool
	Type  string // REGISTER_OK, CALL_ESTABLISHED, CALL_CLOSED, ...
	Param string
}

// baresip starts one with an account, and with further lines of configuration.
func baresip(t testing.TB, a account, proxy string, more ...string) *softphone {
	t.Helper()
	dir := t.TempDir()
	control := net.JoinHostPort("127.0.0.1", strconv.Itoa(freePort(t)))
	for name, text := range map[string]string{
		"config": strings.Join(append([]string{
			"sip_listen 127.0.0.1:0", "net_interface 127.0.0.1", "module_path /usr/lib/baresip/modules",
			"module g711.so", "module_tmp uuid.so", "module_tmp account.so",
			"module_app menu.so", "module_app ctrl_tcp.so", "ctrl_tcp_listen " + control, "",
		}, more...), "\n") + "\n",
		"accounts": fmt.Sprintf("<sip:%s@%s;transport=udp>;auth_user=%s;auth_pass=%s;outbound=\"sip:%s\";regint=600\n",
			a.user, a.host, a.auth, a.password, proxy),
		"contacts": "",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := &softphone{t: t, events: make(chan softphoneEvent, 256), out: &journal{}}
	cmd := program(t.Context(), t, "baresip", "-4", "-s", "-f", dir)
	cmd.Stdout, cmd.Stderr = s.out, s.out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // its context has ended: it was killed
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("baresip:\n%s", s.out)
		}
	})
	eventually(t, "baresip's control connection", 10*time.Second, func() (ok bool) {
		c, err := net.Dial("tcp", control)
		s.conn = c
		return err == nil
	})
	go s.listen()
	return s
}

// listen reads netstrings of JSON until the connection ends.
func (s *softphone) listen() {
	defer close(s.events)
	r := bufio.NewReader(s.conn)
	for {
		size, err := r.ReadString(':')
		if err != nil {
			return
		}
		n, err := strconv.Atoi(strings.TrimSuffix(size, ":"))
		if err != nil || n > 1<<16 {
			return
		}
		body := make([]byte, n+1) // and the comma
		if _, err := io.ReadFull(r, body); err != nil {
			return
		}
		var e softphoneEvent
		if json.Unmarshal(body[:n], &e) == nil && e.Event {
			s.events <- e
		}
	}
}

// does gives it a command, as typed after a slash at its prompt.
func (s *softphone) does(command, params string) {
	s.t.Helper()
	body, err := json.Marshal(map[string]string{"command": command, "params": params})
	_, werr := fmt.Fprintf(s.conn, "%d:%s,", len(body), body)
	if err := errors.Join(err, werr); err != nil {
		s.t.Fatal(err)
	}
}

// reports waits for an event.
func (s *softphone) reports(kind string) softphoneEvent {
	s.t.Helper()
	end := time.NewTimer(15 * time.Second)
	defer end.Stop()
	var seen []string
	for {
		select {
		case e, ok := <-s.events:
			if !ok {
				s.t.Fatalf("baresip ended before %s; it reported %v", kind, seen)
			}
			if e.Type == kind {
				return e
			}
			seen = append(seen, e.Type+" "+e.Param)
		case <-end.C:
			s.t.Fatalf("baresip never reported %s, but %v", kind, seen)
		}
	}
}

// registers waits for baresip's own word that it is registered: it may be so
// before anybody could connect to hear of it.
func (s *softphone) registers(user string) {
	s.t.Helper()
	eventually(s.t, "baresip's registration as "+user, 15*time.Second, func() bool {
		return strings.Contains(s.out.String(), user+"@acme.test: {0/UDP/v4} 200 OK (Perch) [1 binding]")
	})
}

// TestBaresipLogsIn: a softphone that nobody here wrote takes a desk's account
// from the desk's own file, registers, and dials a person's login.
func TestBaresipLogsIn(t *testing.T) {
	t.Parallel()
	o := open(t)
	idle := o.yealinkFile(bareDesk)
	if idle.user != bareDesk || idle.host != "acme.test" {
		t.Fatalf("the idle desk is told to be %s@%s", idle.user, idle.host)
	}
	s := baresip(t, idle, o.sip("udp"))
	s.registers(bareDesk)
	if got := o.redis("HGET", "{acme}:contacts", bareDesk); !strings.Contains(got, `"uri":"sip:`+bareDesk) {
		t.Errorf("redis-cli shows no contact of the desk: %s", got)
	}
	if got := o.redis("HGET", "{acme}:seats", bareDesk); strings.Contains(got, "1001") {
		t.Errorf("redis-cli shows a binding before the login: %s", got)
	}

	s.does("dial", "*11*1001*4321")
	s.reports("CALL_ESTABLISHED")
	s.reports("CALL_CLOSED")

	var seats struct {
		Bindings []struct {
			Number, Door string
			Line         int
		}
	}
	text := o.redis("HGET", "{acme}:seats", bareDesk)
	if err := json.Unmarshal([]byte(text), &seats); err != nil || len(seats.Bindings) != 1 ||
		seats.Bindings[0].Number != "1001" || seats.Bindings[0].Line != 1 || seats.Bindings[0].Door != "feature-code" {
		t.Errorf("redis-cli shows %s, %v", text, err)
	}
	if got := o.redis("SMEMBERS", "{acme}:seated"); got != bareDesk+"/1" {
		t.Errorf("seated: %s", got)
	}
	bound := o.yealinkFile(bareDesk)
	if bound.user != "1001" || bound.password == idle.password {
		t.Errorf("the desk is told to be %s; its password is new: %v", bound.user, bound.password != idle.password)
	}
	status, _ := curl(t, "--digest", "--user", bareDesk+":"+secretOf(bareDesk).Reveal(), httpURL(o.Addresses().Provisioning)+"/acme/"+bareDesk+".cfg")
	if status != 200 {
		t.Errorf("Digest and the tenant's folder: %d", status)
	}
	again := baresip(t, bound, o.sip("udp"))
	again.registers("1001")
	if got := o.redis("HGET", "{acme}:contacts", bareDesk); strings.Contains(got, "sip:") {
		t.Errorf("the device account still has a contact: %s", got)
	}
}
