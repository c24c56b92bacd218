package conformance

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"perch/internal/config"
)

// way is a transport as SIPp speaks it.
type way struct {
	name string // part of the user's name: no run sees another's contacts
	mode string // SIPp's -t
}

var ways = []way{{"udp", "u1"}, {"tcp", "t1"}, {"tls", "t1"}}

// registerScenarios lists the scenarios of the registrar; each registers users of
// its own, named by userOf.
func registerScenarios(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("register-*.xml")
	if err != nil || len(files) == 0 {
		t.Fatal("no scenarios", err)
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(f, ".xml")
	}
	return files
}

func userOf(scenario string, w way) string {
	return strings.TrimPrefix(scenario, "register-") + "-" + w.name
}

// registrarOffice is a Perch in which every scenario has its users. Those of
// register-pushout need another than the others.
func registrarOffice(t testing.TB, full string, ways []way, change ...func(*config.Config)) *office {
	t.Helper()
	users := []string{"somebody"}
	for _, s := range registerScenarios(t) {
		for _, w := range ways {
			users = append(users, userOf(s, w))
		}
	}
	return open(t, users, append(change, func(c *config.Config) {
		c.SIP.MaxContacts, c.SIP.ContactsFull, c.SIP.ServiceRoute = 3, full, "sip:edge.acme.test;lr"
	})...)
}

// play runs one scenario against host:port. It fails the test with what SIPp
// says, and with the messages that it saw.
func play(t testing.TB, scenario string, w way, at string) {
	t.Helper()
	program, err := exec.LookPath("sipp")
	if err != nil {
		t.Fatal("sipp is needed (Debian: sip-tester):", err)
	}
	file, err := filepath.Abs(scenario + ".xml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	user := userOf(scenario, w)
	fields := fmt.Sprintf("SEQUENTIAL\n%s;[authentication username=%s password=%s];\n", user, user, password)
	if err := os.WriteFile(filepath.Join(dir, "users.csv"), []byte(fields), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(
		t.Context(), program, at, "-sf", file, "-inf", "users.csv", "-t", w.mode, "-i", "127.0.0.1", "-p", freePort(t), "-m", "1", "-l", "1",
		"-timeout", "20s", "-timeout_error", "-nostdin", "-trace_err", "-error_file", "errors", "-trace_msg", "-message_file", "messages",
	)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		why, _ := os.ReadFile(filepath.Join(dir, "errors"))
		seen, _ := os.ReadFile(filepath.Join(dir, "messages"))
		t.Errorf("sipp %s over %s: %v\n%s\n%s\n%s", scenario, w.name, err, why, seen, out[max(0, len(out)-500):])
	}
}

// ports keeps two scenarios that begin at once from the same port: SIPp looks for
// one that is free, and then binds it.
var ports sync.Map

// freePort is a port that is free for TCP and UDP, given once.
func freePort(t testing.TB) string {
	t.Helper()
	for range 1000 {
		port := strconv.Itoa(22_000 + rand.IntN(10_000)) // below what the kernel gives to whoever asks for any
		l, err := net.Listen("tcp4", "127.0.0.1:"+port)
		if err != nil {
			continue
		}
		u, err := net.ListenPacket("udp4", "127.0.0.1:"+port)
		_ = l.Close()
		if err != nil {
			continue
		}
		_ = u.Close()
		if _, given := ports.LoadOrStore(port, true); !given {
			return port
		}
	}
	t.Fatal("no port is free")
	return ""
}

// TestRegister: one scenario for each rule of RFC 3261 section 10.3 and of the
// registrar's extensions, over UDP, over TCP, and over TLS through socat.
func TestRegister(t *testing.T) {
	var refusing, pushing string // certificates to trust
	refuses := registrarOffice(t, config.Refuse, ways, overTLS(&refusing))
	pushes := registrarOffice(t, config.PushOut, ways, overTLS(&pushing))
	secure := map[*office]string{refuses: tunnel(t, refuses.at("tls"), refusing), pushes: tunnel(t, pushes.at("tls"), pushing)}
	t.Run("over", func(t *testing.T) {
		for _, s := range registerScenarios(t) {
			o := refuses
			if s == "register-pushout" {
				o = pushes
			}
			for _, w := range ways {
				t.Run(w.name+"/"+s, func(t *testing.T) {
					t.Parallel()
					at := secure[o]
					if w.name != "tls" {
						at = o.at(w.name)
					}
					play(t, s, w, at)
				})
			}
		}
	})
}
