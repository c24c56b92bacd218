package e2e

import (
	"strings"
	"testing"
)

// TestVoiceTakesOver: at a desk that asks first, the voice says who sits there;
// 1 takes over, and nothing else does.
func TestVoiceTakesOver(t *testing.T) {
	t.Parallel()
	o := openWith(t, strings.Replace(officeFile, "sip_secret: panasonic-by-hand", "sip_secret: panasonic-by-hand, policy: {on_occupied: ask}", 1))
	heard(t, o.netSIP("*11*1002*8642"), "en", "logged_in n1 n0 n0 n2")
	recording := o.netSIP("*11*1001*4321", "9:2#")
	heard(t, recording, "en", "extension n1 n0 n0 n2 since_here today at", "unchanged goodbye")
	recording = o.netSIP("*11", "1:1001#4321#", "12:1#")
	heard(t, recording, "en", "extension n1 n0 n0 n2 since_here today at", "logged_in n1 n0 n0 n1")
	heard(t, o.netSIP("*13"), "en", "extension n1 n0 n0 n1 since_here")
}

// TestVoiceChangesPIN: *15 at the own desk; the new PIN logs in and the old one
// does not, and neither is in the log.
func TestVoiceChangesPIN(t *testing.T) {
	t.Parallel()
	o := open(t)
	heard(t, o.netSIP("*11*1001*4321"), "en", "logged_in n1 n0 n0 n1")
	recording := o.netSIP("*15", "1:4321#739164#739164#")
	heard(t, recording, "en", "pin_changed")
	heard(t, o.netSIP("*12"), "en", "logged_out")
	heard(t, o.netSIP("*11*1001*4321"), "en", "bad_credentials")
	recording = o.netSIP("*11*1001", "1:739164#")
	heard(t, recording, "en", "logged_in n1 n0 n0 n1")
	o.maskedKeys("739164")
}

// TestVoiceOfASupervisor: *16 logs somebody in with a supervisor's PIN, where
// the policy lets it.
func TestVoiceOfASupervisor(t *testing.T) {
	t.Parallel()
	o := openWith(t, strings.Replace(officeFile, "domains: [acme.test]\n", "domains: [acme.test]\n    language: de\n    supervisors: [{name: frontdesk, pin: \"826513\"}]\n    policy: {supervisors: true}\n", 1))
	recording := o.netSIP("*16", "1:1003#826513#")
	heard(t, recording, "de", "logged_in n1 n0 n0 n3")
	if got := o.redis("HGET", "{acme}:seats", panasonicDesk); !strings.Contains(got, "supervisor:frontdesk") {
		t.Errorf("redis-cli shows %s", got)
	}
	heard(t, o.netSIP("*11*1003*826513"), "de", "bad_credentials")
}
