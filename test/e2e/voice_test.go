package e2e

import (
	"bytes"
	octets "encoding/binary"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"perch/sip/media"
	"perch/sip/media/prompts"
)

// panasonicPassword is the device account's of panasonicDesk, for those who set
// a phone up by hand.
const panasonicPassword = "panasonic-by-hand"

// spoken is what prompts sound like on the line, in mu-law, clip after clip.
func spoken(t testing.TB, language, names string) []byte {
	t.Helper()
	sound, ok := prompts.Open("", slog.New(slog.DiscardHandler)).Sound("acme", language, strings.Fields(names)...)
	if !ok {
		t.Fatalf("the prompts %s are not built in; run scripts/prompts.sh", names)
	}
	return sound.Encoded(media.PCMU)
}

// heard asserts that a recording holds prompts whole, in this order. Of the
// silence at the end of each a few packets may be missing: whoever hears the BYE
// first reads no more sound.
func heard(t testing.TB, recording []byte, language string, sentences ...string) {
	t.Helper()
	at := 0
	for _, s := range sentences {
		want := spoken(t, language, s)
		want = want[:len(want)-480]
		i := bytes.Index(recording[at:], want)
		if i < 0 {
			t.Errorf("%q (%d bytes) is not in the %d bytes that were recorded from %d on", s, len(want), len(recording)-at, at)
			return
		}
		at += i + len(want)
	}
}

// netSIP makes one call with Net::SIP and gives what it heard.
func (o *office) netSIP(dialled string, args ...string) []byte {
	o.t.Helper()
	out := filepath.Join(o.t.TempDir(), "heard.ul")
	script, err := filepath.Abs("testdata/dial.pl")
	if err != nil {
		o.t.Fatal(err)
	}
	cmd := program(o.t.Context(), o.t, "perl", append([]string{script, strconv.Itoa(freePort(o.t)), o.sip("udp"), panasonicDesk, panasonicPassword, dialled, out}, args...)...)
	if text, err := cmd.CombinedOutput(); err != nil {
		o.t.Fatalf("Net::SIP: %v\n%s", err, text)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		o.t.Fatal(err)
	}
	return b
}

// TestNetSIPIsAsked: a client that nobody here wrote is asked for extension and
// PIN, presses the keys as telephone events, and hears every prompt bit by bit
// as it was built.
func TestNetSIPIsAsked(t *testing.T) {
	t.Parallel()
	o := open(t)
	recording := o.netSIP("*11", "8:1001#", "16:4321#")
	heard(t, recording, "en", "ask_extension", "ask_pin", "logged_in n1 n0 n0 n1")
	if got := o.redis("SMEMBERS", "{acme}:seated"); got != panasonicDesk+"/1" {
		t.Errorf("seated: %s", got)
	}
	recording = o.netSIP("*13")
	heard(t, recording, "en", "extension n1 n0 n0 n1 since_here today at")
	recording = o.netSIP("*12")
	heard(t, recording, "en", "logged_out")
	if got := o.redis("SMEMBERS", "{acme}:seated"); got != "" {
		t.Errorf("seated: %s", got)
	}
	recording = o.netSIP("*13")
	heard(t, recording, "en", "nobody_here")
	recording = o.netSIP("*14")
	heard(t, recording, "en", "reloading")
}

// TestKeysAsTones: a recording of tones that sox made, typed ahead of every
// question.
func TestKeysAsTones(t *testing.T) {
	t.Parallel()
	o := open(t)
	recording := o.netSIP("*11", "play:"+tones(t, "1001#4321#"))
	heard(t, recording, "en", "logged_in n1 n0 n0 n1")
	if got := o.redis("SMEMBERS", "{acme}:seated"); got != panasonicDesk+"/1" {
		t.Errorf("seated: %s", got)
	}
}

// tones has sox play keys, as raw mu-law: 80 ms each, 80 ms apart, with noise.
func tones(t testing.TB, keys string) string {
	t.Helper()
	dir := t.TempDir()
	pitch := map[rune][2]string{
		'1': {"697", "1209"}, '2': {"697", "1336"}, '3': {"697", "1477"}, '4': {"770", "1209"}, '5': {"770", "1336"}, '6': {"770", "1477"},
		'7': {"852", "1209"}, '8': {"852", "1336"}, '9': {"852", "1477"}, '*': {"941", "1209"}, '0': {"941", "1336"}, '#': {"941", "1477"},
	}
	sox := func(args ...string) {
		if out, err := exec.CommandContext(t.Context(), "sox", args...).CombinedOutput(); err != nil {
			t.Fatalf("sox: %v\n%s", err, out)
		}
	}
	var parts []string
	for i, k := range keys {
		name := filepath.Join(dir, string(rune('a'+i))+".wav")
		sox("-n", "-r", "8000", "-c", "1", "-b", "16", name, "synth", "0.08", "sine", pitch[k][0], "synth", "0.08", "sine", "mix", pitch[k][1], "vol", "0.3", "pad", "0", "0.08")
		parts = append(parts, name)
	}
	out := filepath.Join(dir, "keys.ul")
	sox(append(parts, "-t", "raw", "-e", "mu-law", "-r", "8000", "-c", "1", out, "pad", "0.5", "1")...)
	return out
}

// TestBaresipIsAsked: baresip presses its keys while it is being spoken to, and
// records what it decoded.
func TestBaresipIsAsked(t *testing.T) {
	t.Parallel()
	o := open(t)
	dir := t.TempDir()
	silence := filepath.Join(dir, "silence.wav")
	if out, err := exec.CommandContext(t.Context(), "sox", "-n", "-r", "8000", "-c", "1", "-b", "16", silence, "trim", "0", "120").CombinedOutput(); err != nil {
		t.Fatalf("sox: %v\n%s", err, out)
	}
	s := baresip(t, o.yealinkFile(bareDesk), o.sip("udp"),
		"module aubridge.so", "module aufile.so", "module sndfile.so", "snd_path "+dir,
		"audio_player aubridge,heard", "audio_source aufile,"+silence, "audio_alert aubridge,alert")
	s.registers(bareDesk)
	s.does("dial", "*11")
	s.reports("CALL_ESTABLISHED")
	recorded := func() []int16 {
		names, _ := filepath.Glob(filepath.Join(dir, "*-dec.wav"))
		if len(names) != 1 {
			return nil
		}
		b, _ := os.ReadFile(names[0])
		pcm := make([]int16, max(0, len(b)-44)/2)
		for i := range pcm {
			pcm[i] = int16(octets.LittleEndian.Uint16(b[44+2*i:]))
		}
		return pcm
	}
	wait := func(names string) {
		t.Helper()
		eventually(t, "baresip hears "+names, time.Minute, func() bool { return mostly(recorded(), spoken(t, "en", names)) })
	}
	wait("ask_extension")
	s.does("sndcode", "1001#")
	wait("ask_pin")
	s.does("sndcode", "4321#")
	s.reports("CALL_CLOSED")
	wait("logged_in n1 n0 n0 n1")
	if got := o.redis("SMEMBERS", "{acme}:seated"); got != bareDesk+"/1" {
		t.Errorf("seated: %s", got)
	}
}

// mostly tells whether a recording holds a sound, in pieces of 20 ms of which a
// tenth may be missing: a jitter buffer drops and repeats. The two codes of
// silence are one, as decoders differ in what they make of them.
func mostly(recording []int16, sound []byte) bool {
	one := func(b []byte) []byte { return bytes.ReplaceAll(b, []byte{0x7f}, []byte{0xff}) }
	heard, at := one(media.PCMU.AppendEncoded(nil, recording)), 0
	found, all := 0, 0
	for piece := range slices.Chunk(one(sound), 160) {
		all++
		if i := bytes.Index(heard[at:], piece); i >= 0 && i < 8000 {
			found++
			at += i
		} else if found == 0 && i >= 0 {
			found, at = 1, i
		}
	}
	return found*10 >= all*9
}

// ear is where the sound of one call goes. It keeps what it hears, and says it
// back to whom it came from.
type ear struct {
	conn    *net.UDPConn
	echoes  bool
	done    chan struct{}
	sound   []byte
	lost    int // packets that are missing or came twice
	between []time.Duration
}

func listening(t testing.TB, echoes bool) *ear {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	e := &ear{conn: conn, echoes: echoes, done: make(chan struct{})}
	go e.listen()
	t.Cleanup(func() { e.stop() })
	return e
}

func (e *ear) port() string { return strconv.Itoa(e.conn.LocalAddr().(*net.UDPAddr).Port) }

func (e *ear) listen() {
	defer close(e.done)
	buf := make([]byte, 2000)
	var last time.Time
	var seq uint16
	for {
		n, from, err := e.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		if n < 12 || buf[1]&0x7f != 0 {
			continue
		}
		now, this := time.Now(), octets.BigEndian.Uint16(buf[2:])
		if len(e.sound) > 0 {
			e.between = append(e.between, now.Sub(last))
			e.lost += int(int16(this-seq)) - 1
		}
		last, seq = now, this
		e.sound = append(e.sound, buf[12:n]...)
		if e.echoes {
			_, _ = e.conn.WriteToUDPAddrPort(buf[:n], from)
		}
	}
}

// stop ends it; what it heard may be looked at then.
func (e *ear) stop() {
	_ = e.conn.Close()
	<-e.done
}

// byInfo is the scenario ask.xml with INFOs put in: each a pause in ms before
// it, a content type and a body.
func byInfo(t testing.TB, infos ...[3]string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/ask.xml")
	if err != nil {
		t.Fatal(err)
	}
	var steps strings.Builder
	for i, info := range infos {
		fmt.Fprintf(&steps, `<pause milliseconds="%s"/>
  <send retrans="500">
    <![CDATA[
INFO [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
[last_From:]
[last_To:]
Call-ID: [call_id]
CSeq: %d INFO
Max-Forwards: 70
Content-Type: %s
Content-Length: [len]

%s
    ]]>
  </send>
  <recv response="200"></recv>
  `, info[0], 3+i, info[1], info[2])
	}
	name := filepath.Join(t.TempDir(), "ask.xml")
	if err := os.WriteFile(name, []byte(strings.Replace(string(b), "<!-- KEYS -->", steps.String(), 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// sippCalls plays a scenario once for each line of users, all at once.
func (o *office) sippCalls(scenario, dialled string, users []string) {
	o.t.Helper()
	dir := o.t.TempDir()
	file := filepath.Join(dir, "users.csv")
	if err := os.WriteFile(file, []byte("SEQUENTIAL\n"+strings.Join(users, "\n")+"\n"), 0o600); err != nil {
		o.t.Fatal(err)
	}
	n, errs := strconv.Itoa(len(users)), filepath.Join(dir, "errors")
	cmd := program(o.t.Context(), o.t, "sipp", o.sip("udp"), "-sf", scenario, "-inf", file, "-s", dialled, "-i", "127.0.0.1",
		"-p", strconv.Itoa(freePort(o.t)), "-m", n, "-l", n, "-r", "100", "-timeout", "120s", "-timeout_error", "-nostdin", "-trace_err", "-error_file", errs)
	if out, err := cmd.CombinedOutput(); err != nil {
		why, _ := os.ReadFile(errs)
		o.t.Fatalf("sipp: %v\n%s\n%s", err, why[:min(len(why), 4000)], out[max(0, len(out)-3000):])
	}
}

// TestKeysByInfo: SIPp presses keys by INFO, in both forms, and sends no RTP at
// all.
func TestKeysByInfo(t *testing.T) {
	t.Parallel()
	const relay, plain = "application/dtmf-relay", "application/dtmf"
	for name, form := range map[string]func(key rune) [3]string{
		"relay": func(k rune) [3]string { return [3]string{"50", relay, fmt.Sprintf("Signal=%c\nDuration=160", k)} },
		"plain": func(k rune) [3]string { return [3]string{"50", plain, string(k)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, e := open(t), listening(t, false)
			infos := [][3]string{{"8000", relay, "Signal=9"}, {"10", relay, "Signal=*"}} // mistyped, taken back
			for _, k := range "1001#" {
				infos = append(infos, form(k))
			}
			infos = append(infos, [3]string{"7000", plain, "4"})
			for _, k := range "321#" {
				infos = append(infos, form(k))
			}
			o.sippCalls(byInfo(t, infos...), "*11", []string{panasonicDesk + ";" + credentials(panasonicDesk, panasonicPassword) + ";" + e.port() + ";"})
			e.stop()
			heard(t, e.sound, "en", "ask_extension", "ask_pin", "logged_in n1 n0 n0 n1")
			if got := o.redis("SMEMBERS", "{acme}:seated"); got != panasonicDesk+"/1" || e.lost != 0 {
				t.Errorf("seated: %s; %d packets lost", got, e.lost)
			}
			o.maskedKeys("4321")
		})
	}
}

// maskedKeys looks for what was pressed in the log: no INFO is shown there.
func (o *office) maskedKeys(pin string) {
	o.t.Helper()
	for _, secret := range []string{"Signal=", pin + "#", `"` + pin + `"`} {
		if strings.Contains(o.log.String(), secret) {
			o.t.Errorf("%q is in the log", secret)
		}
	}
}

// TestTwoHundredCalls: 200 people log in by voice at the same time, each hears
// every prompt whole, and no packet is missing in any call. It runs while no
// other test of this package does, and people wait long after each question: a
// key that came while a busy machine still speaks would cut it off.
func TestTwoHundredCalls(t *testing.T) {
	const calls = 200
	var file strings.Builder
	file.WriteString("tenants:\n  - code: acme\n    domains: [acme.test]\n    language: de\n    extensions:\n")
	for i := range calls {
		fmt.Fprintf(&file, "      - {number: \"%d\", pin: \"%d\"}\n", 2000+i, 735100+i)
	}
	file.WriteString("    devices:\n")
	for i := range calls {
		fmt.Fprintf(&file, "      - {mac: \"bcc3420000%02x\", brand: panasonic, sip_secret: by-hand-%d}\n", i, i)
	}
	o := openWith(t, file.String())
	var users []string
	var ears []*ear
	for i := range calls {
		e := listening(t, true)
		ears = append(ears, e)
		mac := fmt.Sprintf("bcc3420000%02x", i)
		users = append(users, strings.Join([]string{mac, credentials(mac, fmt.Sprintf("by-hand-%d", i)), e.port(), fmt.Sprintf("%d#", 2000+i), fmt.Sprintf("%d#", 735100+i), ""}, ";"))
	}
	o.sippCalls(byInfo(t, [3]string{"9000", "application/dtmf", "[field3]"}, [3]string{"8500", "application/dtmf", "[field4]"}), "*11", users)
	var between []time.Duration
	for i, e := range ears {
		e.stop()
		number := strings.Join(strings.Split(strconv.Itoa(2000+i), ""), " n")
		heard(t, e.sound, "de", "ask_extension", "ask_pin", "logged_in n"+number)
		if e.lost != 0 {
			t.Errorf("call %d: %d packets lost or doubled", i, e.lost)
		}
		between = append(between, e.between...)
	}
	if n := len(strings.Fields(o.redis("SMEMBERS", "{acme}:seated"))); n != calls {
		t.Errorf("%d people are logged in", n)
	}
	slices.Sort(between)
	at := func(part float64) time.Duration {
		return between[int(part*float64(len(between)-1))].Round(100 * time.Microsecond)
	}
	t.Logf("%d packets in %d calls; between two of a call: p1 %v, p50 %v, p99 %v, p99.9 %v, longest %v",
		len(between), calls, at(0.01), at(0.5), at(0.99), at(0.999), at(1))
}
