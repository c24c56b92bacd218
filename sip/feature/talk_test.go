package feature_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/sip/feature"
	"perch/sip/handler"
	"perch/sip/media"
)

// book says every word as a sound of its own, a tenth of a second long.
type book struct{ silent bool }

func (b book) Sound(_ directory.TenantCode, language string, names ...string) (media.Sound, bool) {
	if b.silent {
		return nil, false
	}
	var sound media.Sound
	for _, name := range names {
		sound = append(sound, word(language, name))
	}
	return sound, true
}

func word(language, name string) *media.Clip {
	h := fnv.New64()
	h.Write([]byte(language + name))
	rng := rand.New(rand.NewPCG(h.Sum64(), 1))
	pcm := make([]int16, 800)
	for i := range pcm {
		pcm[i] = int16(2000 * rng.NormFloat64())
	}
	return media.NewClip(pcm)
}

// speaking is an office with prompts, patient with people.
func speaking(t *testing.T, change func(*office)) *office {
	t.Helper()
	return newOffice(t, func(o *office) {
		o.parts.Prompts = book{}
		o.parts.Patience = feature.Patience{First: time.Minute, Next: time.Minute}
		o.sits = true
		o.who = hotdesk.Who{Binding: hotdesk.Binding{Number: "1001"}}
		if change != nil {
			change(o)
		}
	})
}

// says waits for words, one after the other without a gap.
func (p *phone) says(words string) {
	p.t.Helper()
	p.saysIn("en", words)
}

func (p *phone) saysIn(language, words string) {
	p.t.Helper()
	sound, _ := book{}.Sound("acme", language, strings.Fields(words)...)
	p.listens(words, sound.Encoded(media.PCMU))
}

// up is a call that has been answered and acknowledged.
func (p *phone) up(user string) (*dial, message) {
	p.t.Helper()
	d := p.dials(user).invite()
	ok := d.answered()
	d.ack(ok)
	return d, ok
}

// ends answers the BYE of the server.
func (p *phone) ends() {
	p.t.Helper()
	p.reply(p.request("BYE"), "200 OK")
}

var audioPort = regexp.MustCompile(`m=audio (\d+)`)

func (p *phone) sendRTP(ok message, payloadType byte, marker bool, payload []byte) {
	p.t.Helper()
	p.rtpSeq++
	b := binary.BigEndian.AppendUint16([]byte{0x80, payloadType}, p.rtpSeq)
	if marker {
		b[1] |= 0x80
	}
	b = append(binary.BigEndian.AppendUint32(b, p.rtpStamp), 0, 0, 0, 9)
	port, err := strconv.Atoi(audioPort.FindStringSubmatch(ok.body)[1])
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := p.rtp.WriteTo(append(b, payload...), &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}); err != nil {
		p.t.Fatal(err)
	}
}

// presses sends keys as telephone events, as RFC 4733 has it.
func (p *phone) presses(ok message, keys string) {
	p.t.Helper()
	for _, k := range keys {
		p.rtpStamp += 4000
		event := byte(strings.IndexRune("0123456789*#ABCD", k))
		for i := range 6 {
			payload := binary.BigEndian.AppendUint16([]byte{event, 10}, uint16(160*min(i+1, 4)))
			if i >= 3 {
				payload[1] |= 0x80
			}
			p.sendRTP(ok, 101, i == 0, payload)
		}
	}
}

// whistles sends keys as tones.
func (p *phone) whistles(ok message, keys string) {
	p.t.Helper()
	for _, k := range keys {
		at := strings.IndexRune("123A456B789C*0#D", k)
		row, col := []float64{697, 770, 852, 941}[at/4], []float64{1209, 1336, 1477, 1633}[at%4]
		pcm := make([]int16, 1280)
		for i := range 640 {
			x := 2 * math.Pi * float64(i) / 8000
			pcm[i] = int16(5000*math.Sin(row*x) + 5000*math.Sin(col*x))
		}
		for frame := range slices.Chunk(media.PCMU.AppendEncoded(nil, pcm), 160) {
			p.sendRTP(ok, 0, false, frame)
			p.rtpStamp += 160
		}
	}
}

// informs sends an INFO and gives its answer.
func (d *dial) informs(ok message, kind, body string) message {
	d.p.t.Helper()
	d.cseq++
	d.bodyType = kind
	d.p.send(d.message("INFO", target(ok), fmt.Sprintf("%s-info%d", d.branch, d.cseq), d.cseq, nil, body))
	return d.p.final("INFO")
}

// asked is what the desk was asked for at last.
func (o *office) asked(number, pin string) {
	o.t.Helper()
	o.await("logged in")
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.login.Number != number || o.login.PIN.Reveal() != pin {
		o.t.Errorf("logged in with other digits than those pressed (of %d and %d)", len(o.login.Number), len(o.login.PIN.Reveal()))
	}
}

// count tells how often an entry is in the journal.
func (o *office) count(what string) (n int) {
	for _, e := range o.entries() {
		if e == what {
			n++
		}
	}
	return n
}

// TestAsks: the whole conversation, by each way of pressing keys.
func TestAsks(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		press func(p *phone, d *dial, ok message, keys string)
	}{
		{"by RFC 4733", func(p *phone, _ *dial, ok message, keys string) { p.presses(ok, keys) }},
		{"as tones", func(p *phone, _ *dial, ok message, keys string) { p.whistles(ok, keys) }},
		{"by INFO, relay", func(_ *phone, d *dial, ok message, keys string) {
			for _, k := range keys {
				if m := d.informs(ok, "application/dtmf-relay", fmt.Sprintf("Signal=%c\r\nDuration=160\r\n", k)); m.status() != 200 {
					d.p.t.Errorf("INFO: %s", m.start)
				}
			}
		}},
		{"by INFO, plain", func(_ *phone, d *dial, ok message, keys string) {
			for _, k := range keys {
				if m := d.informs(ok, "application/dtmf", string(k)); m.status() != 200 {
					d.p.t.Errorf("INFO: %s", m.start)
				}
			}
		}},
		{"by all of them", func(p *phone, d *dial, ok message, keys string) {
			for _, k := range keys {
				p.presses(ok, string(k))
				p.whistles(ok, string(k))
				d.informs(ok, "application/dtmf-relay", fmt.Sprintf("Signal=%c", k))
			}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			o := speaking(t, nil)
			p := newPhone(t, o.at)
			d, ok := p.up("*11")
			p.says("ask_extension")
			tc.press(p, d, ok, "1001#")
			p.says("ask_pin")
			tc.press(p, d, ok, "4321#")
			p.says("logged_in n1 n0 n0 n1")
			p.ends()
			o.asked("1001", "4321")
			if diff := cmp.Diff([]string{"start", "login", "logged in", "who sits at line 1", "end"}, o.await("end")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestEntries: what is typed at once, to which code, and what came of it.
func TestEntries(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, code, keys string
		number, pin      string
		next             time.Duration // until what was typed counts as whole; 0: a minute
	}{
		{"typed ahead", "*11", "1001#4321#", "1001", "4321", 0},
		{"taken back", "*11", "99*1001#43*4321#", "1001", "4321", 0},
		{"number dialled", "*11*1001", "4321#", "1001", "4321", 0},
		{"no hash at the end", "*11*1001", "4321", "1001", "4321", 300 * time.Millisecond},
		{"keys that no phone has", "*11*1001", "4A3B2C1D#", "1001", "4321", 0},
		{"leading zeros", "*11", "0010#0000#", "0010", "0000", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			o := speaking(t, func(o *office) {
				if tc.next > 0 {
					o.parts.Patience.Next = tc.next
				}
			})
			p := newPhone(t, o.at)
			_, ok := p.up(tc.code)
			p.presses(ok, tc.keys)
			p.says("logged_in n1")
			p.ends()
			o.asked(tc.number, tc.pin)
		})
	}
}

// TestThreeTries: wrong three times is the end; keys typed ahead of a refusal
// are not the next try's.
func TestThreeTries(t *testing.T) {
	t.Parallel()
	o := speaking(t, func(o *office) { o.refusal = &hotdesk.Refused{Why: hotdesk.BadCredentials} })
	p := newPhone(t, o.at)
	_, ok := p.up("*11")
	p.says("ask_extension")
	p.presses(ok, "1001#9999#") // and what else is typed before the refusal
	p.says("bad_credentials try_again ask_extension")
	p.presses(ok, "1001#")
	p.says("ask_pin")
	p.presses(ok, "9999#")
	p.says("bad_credentials try_again ask_extension")
	p.presses(ok, "1001#9999#")
	p.says("bad_credentials goodbye")
	p.ends()
	if o.await("end"); o.count("logged in") != 3 {
		t.Errorf("%q", o.entries())
	}
	o.logged("refused")
}

// TestNothingEntered: nobody is asked for ever, and nothing is no PIN.
func TestNothingEntered(t *testing.T) {
	t.Parallel()
	o := speaking(t, func(o *office) { o.parts.Patience.First = 50 * time.Millisecond })
	p := newPhone(t, o.at)
	p.up("*11")
	p.says("ask_extension")
	p.says("nothing_entered try_again ask_extension")
	p.says("nothing_entered try_again ask_extension")
	p.says("nothing_entered goodbye")
	p.ends()
	if diff := cmp.Diff([]string{"start", "end"}, o.await("end")); diff != "" {
		t.Error(diff)
	}
}

// TestRefusalsAreSaid: each with what there is to do about it, once.
func TestRefusalsAreSaid(t *testing.T) {
	t.Parallel()
	for words, err := range map[string]error{
		"locked try_in n15 minutes": &hotdesk.Refused{Why: hotdesk.Locked, RetryAfter: 15 * time.Minute},
		"elsewhere":                 &hotdesk.Refused{Why: hotdesk.Elsewhere},
		"desk_taken":                &hotdesk.Refused{Why: hotdesk.DeskTaken, Occupant: "1002"},
		"site_forbidden":            &hotdesk.Refused{Why: hotdesk.SiteForbidden},
		"unavailable try_later":     fmt.Errorf("store: %w", hotdesk.ErrUnavailable),
		"error":                     errDefect,
	} {
		t.Run(words, func(t *testing.T) {
			t.Parallel()
			o := speaking(t, func(o *office) { o.refusal = err })
			p := newPhone(t, o.at)
			_, ok := p.up("*11")
			p.presses(ok, "1001#4321#")
			p.says(words)
			p.ends()
			if o.await("end"); o.count("logged in") != 1 {
				t.Errorf("%q", o.entries())
			}
		})
	}
}

// TestTakeOver: at a desk that asks, 1 logs in all the same and nothing else
// does.
func TestTakeOver(t *testing.T) {
	t.Parallel()
	since := time.Now().Add(-time.Minute)
	for _, tc := range []struct {
		name, code, keys, words string
		confirmed               bool
	}{
		{"asked for", "*11", "1001#4321#", "logged_in n1 n0 n0 n1", true},
		{"dialled whole", "*11*1001*4321", "", "logged_in n1 n0 n0 n1", true},
		{"another key", "*11*1001*4321", "", "unchanged goodbye", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			o := speaking(t, func(o *office) {
				o.refuseOnce = &hotdesk.Refused{Why: hotdesk.AskFirst, Occupant: "1002", Since: since}
			})
			p := newPhone(t, o.at)
			_, ok := p.up(tc.code)
			p.presses(ok, tc.keys)
			p.says("extension n1 n0 n0 n2 since_here")
			if tc.confirmed {
				p.presses(ok, "1#")
			} else {
				p.presses(ok, "2#")
			}
			p.says(tc.words)
			p.ends()
			o.await("end")
			if o.mu.Lock(); o.login.Confirmed != tc.confirmed {
				t.Errorf("confirmed: %v", o.login.Confirmed)
			}
			o.mu.Unlock()
		})
	}
}

// TestOtherCodesSpeak: in the language of who sits there, by the clock of the
// desk's site.
func TestOtherCodesSpeak(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 7, 14, 12, 45, 0, 0, time.UTC) // 14:45 in Berlin
	for _, tc := range []struct {
		name, code, language, words string
		change                      func(*office)
	}{
		{"who is here", "*13", "en", "extension n1 n0 n0 n1 since_here today at n14 n30", nil},
		{"who is here, in German", "*13", "de", "extension n1 n0 n0 n1 since_here today n14 uhr n30", func(o *office) { o.who.Language = "de" }},
		{"the tenant's language", "*14", "de", "reloading", func(o *office) { o.identity.Tenant.Language = "de" }},
		{"nobody is here", "*13", "en", "nobody_here", func(o *office) { o.sits = false }},
		{"logout", "*12", "en", "logged_out", nil},
		{"logout of a German", "*12", "de", "logged_out", func(o *office) { o.who.Language = "de" }},
		{"reload", "*14", "en", "reloading", nil},
		{"no form of a code", "*12*1", "en", "malformed", nil},
		{"a contact without a desk", "*13", "en", "no_device", func(o *office) {
			o.identity = handler.Identity{Kind: handler.Static, Tenant: o.identity.Tenant, Number: "1005"}
		}},
		{"a contact without a desk that would log in", "*11", "en", "no_device", func(o *office) {
			o.identity = handler.Identity{Kind: handler.Static, Tenant: o.identity.Tenant, Number: "1005"}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			o := speaking(t, func(o *office) {
				o.identity.Tenant.Sites = []directory.Site{{Code: "berlin", TimeZone: "Europe/Berlin"}}
				o.identity.Device.Site = "berlin"
				o.who.Binding.Since = now.Add(-15 * time.Minute).UnixMilli()
				o.parts.Now = func() time.Time { return now }
				if tc.change != nil {
					tc.change(o)
				}
			})
			p := newPhone(t, o.at)
			p.up(tc.code)
			p.saysIn(tc.language, tc.words)
			p.ends()
		})
	}
}

// TestNothingToSpeakWith: without prompts there are the melodies, and no
// questions.
func TestNothingToSpeakWith(t *testing.T) {
	t.Parallel()
	o := speaking(t, func(o *office) { o.parts.Prompts = book{silent: true} })
	p := newPhone(t, o.at)
	p.up("*11")
	p.hears(media.No())
	p.ends()
	p.up("*14")
	p.hears(media.Yes())
	p.ends()
}

// TestConversationIsBounded: a person who goes on pressing keys is hung up on,
// and one who hangs up is not waited for.
func TestConversationIsBounded(t *testing.T) {
	t.Parallel()
	t.Run("in time", func(t *testing.T) {
		t.Parallel()
		o := speaking(t, func(o *office) { o.parts.Patience.Whole = 300 * time.Millisecond })
		p := newPhone(t, o.at)
		p.up("*11")
		p.ends()
		o.await("end")
		o.logged("abandoned")
	})
	t.Run("hung up", func(t *testing.T) {
		t.Parallel()
		o := speaking(t, nil)
		p := newPhone(t, o.at)
		d, ok := p.up("*11")
		p.says("ask_extension")
		if m := d.hangUp(ok); m.status() != 200 {
			t.Errorf("BYE: %s", m.start)
		}
		o.await("end")
		o.logged("abandoned")
	})
	t.Run("in length", func(t *testing.T) {
		t.Parallel()
		o := speaking(t, func(o *office) { o.sits = false })
		p := newPhone(t, o.at)
		_, ok := p.up("*11")
		p.presses(ok, strings.Repeat("1", 40)+"#4321#")
		p.says("bad_credentials try_again ask_extension")
		if n := o.count("login"); n != 0 {
			t.Errorf("%d logins with 40 digits", n)
		}
	})
}

// TestStrangersPressNothing: events from elsewhere, and with payload types that
// were not agreed on.
func TestStrangersPressNothing(t *testing.T) {
	t.Parallel()
	o := speaking(t, nil)
	p := newPhone(t, o.at)
	_, ok := p.up("*11*1001")
	p.says("ask_pin")
	stranger, err := net.ListenPacket("udp4", "127.0.0.9:0")
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	mine := p.rtp
	p.rtp = stranger
	p.presses(ok, "9999#")
	p.rtp = mine
	p.sendRTP(ok, 96, true, []byte{9, 0x80, 0, 160})
	p.presses(ok, "4321#")
	p.says("logged_in")
	p.ends()
	o.asked("1001", "4321")
}

// TestInfoIsRefused: each by its own status, and it presses nothing.
func TestInfoIsRefused(t *testing.T) {
	t.Parallel()
	o := speaking(t, nil)
	p := newPhone(t, o.at)
	d, ok := p.up("*11*1001")
	for _, tc := range []struct {
		kind, body string
		status     int
	}{
		{"text/plain", "4", 415},
		{"application/dtmf-relay", "Signal=x", 400},
		{"application/dtmf-relay", "Signal=4\r\n" + strings.Repeat("X", 300), 400},
		{"application/dtmf", "4 3 2 1", 400},
		{"application/dtmf-relay", "", 200},
		{"application/dtmf-relay", "Signal=16", 200}, // hook flash
	} {
		if m := d.informs(ok, tc.kind, tc.body); m.status() != tc.status {
			t.Errorf("%s: %s, want %d", tc.kind, m.start, tc.status)
		}
	}
	d.cseq++
	d.bodyType = "application/dtmf"
	d.p.send(d.message("INFO", target(ok), d.branch+"-package", d.cseq, []string{"Info-Package: dtmf"}, "9"))
	if m := p.final("INFO"); m.status() != 469 {
		t.Errorf("a package: %s", m.start)
	}
	d.cseq++
	for i := range 3 { // what outlived its transaction, in a new one
		p.send(d.message("INFO", target(ok), fmt.Sprintf("%s-again%d", d.branch, i), d.cseq, nil, "4321#"))
		if m := p.final("INFO"); m.status() != 200 {
			t.Errorf("copy %d: %s", i, m.start)
		}
	}
	p.says("logged_in")
	p.ends()
	o.asked("1001", "4321")
	if m := d.informs(ok, "application/dtmf", "1"); m.status() != 481 {
		t.Errorf("after the call: %s", m.start)
	}
}

// TestSupervisor: *16 asks for somebody's extension and for a supervisor's PIN.
func TestSupervisor(t *testing.T) {
	t.Parallel()
	o := speaking(t, nil)
	p := newPhone(t, o.at)
	_, ok := p.up("*16")
	p.says("ask_extension")
	p.presses(ok, "1001#")
	p.says("ask_supervisor_pin")
	p.presses(ok, "4321#")
	p.says("logged_in n1 n0 n0 n1")
	p.ends()
	o.asked("1001", "4321")
	if o.mu.Lock(); !o.login.Supervisor {
		t.Error("it is not said to be a supervisor's PIN")
	}
	o.mu.Unlock()
}

// book of PINs: one person, whose PIN is 4321.
type changer struct {
	*office
	changed string
}

func (c *changer) CheckPIN(_ context.Context, r hotdesk.PINChange) error {
	c.write("check")
	if r.Old != "4321" || r.Extension.Number != "1001" || r.Device != desk || r.Source != "device:001565aabb01" {
		return &hotdesk.Refused{Why: hotdesk.BadCredentials}
	}
	return nil
}

func (c *changer) ChangePIN(ctx context.Context, r hotdesk.PINChange) error {
	if err := c.CheckPIN(ctx, r); err != nil {
		return err
	}
	if r.New == "9999" {
		return &hotdesk.Refused{Why: hotdesk.WeakPIN}
	}
	c.changed = r.New.Reveal()
	c.write("changed")
	return nil
}

// TestChangePIN: *15 asks for the old PIN and twice for a new one, at an idle
// desk for the extension as well.
func TestChangePIN(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		sits  bool
		steps [][2]string // words, and keys behind them
		want  string
	}{
		{"somebody sits here", true, [][2]string{{"ask_old_pin", "4321#"}, {"ask_new_pin", "8642#"}, {"ask_pin_again", "8642#"}, {"pin_changed", ""}}, "8642"},
		{"nobody does", false, [][2]string{{"ask_extension", "1001#"}, {"ask_old_pin", "4321#"}, {"ask_new_pin", "8642#"}, {"ask_pin_again", "8642#"}, {"pin_changed", ""}}, "8642"},
		{"wrong, weak, mistyped", true, [][2]string{
			{"ask_old_pin", "1111#"},
			{"bad_credentials try_again ask_old_pin", "4321#"},
			{"ask_new_pin", "9999#9999#"},
			{"weak_pin try_again ask_new_pin", "8642#8624#"},
			{"pin_mismatch try_again ask_new_pin", "8642#8642#"},
			{"pin_changed", ""},
		}, "8642"},
		{"three times wrong", true, [][2]string{{"ask_old_pin", "1#"}, {"bad_credentials try_again ask_old_pin", "2#"}, {"bad_credentials try_again ask_old_pin", "3#"}, {"bad_credentials goodbye", ""}}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := &changer{}
			o := speaking(t, func(o *office) {
				c.office = o
				o.parts.PINs = c
				if o.sits = tc.sits; !tc.sits {
					o.who = hotdesk.Who{}
				}
			})
			p := newPhone(t, o.at)
			_, ok := p.up("*15")
			for _, step := range tc.steps {
				p.says(step[0])
				p.presses(ok, step[1])
			}
			p.ends()
			if o.await("end"); c.changed != tc.want {
				t.Errorf("changed to %d digits", len(c.changed))
			}
		})
	}
	t.Run("where nobody can", func(t *testing.T) {
		t.Parallel()
		o := speaking(t, nil)
		p := newPhone(t, o.at)
		p.up("*15")
		p.says("pin_fixed")
		p.ends()
	})
}
