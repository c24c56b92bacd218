package directory

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDiffLines(t *testing.T) {
	const before = `tenants:
  - code: acme
    domains: [acme.test]
    extensions:
      - {number: "1001", name: "Ada\nLovelace", pin: "4937", sip_password: s3cret-s3cret, keys: [{type: blf, value: "1002", label: Grace}]}
      - {number: "1002", name: Grace, upstream: {username: u, password: p}}
      - {number: "1003", password: correct-horse}
    devices:
      - {mac: 001565aabb01, desk: A, policy: {on_occupied: ask}}
      - {mac: 001565aabb02, desk: B, digest: [md5, sha-256]}
  - {code: old, domains: [old.test], extensions: [{number: "1"}]}
`
	const after = `tenants:
  - code: acme
    domains: [acme.test, acme.example]
    sites: [{code: berlin, time_zone: Europe/Berlin}]
    policy: {max_logins: 3}
    extensions:
      - {number: "1001", name: Ada, pin: "4938", voicemail_pin: "7391", keys: [{type: blf, value: "1003", label: Grace}]}
      - {number: "1002", name: Grace}
      - {number: "1004", name: New One}
    devices:
      - {mac: 001565aabb01, desk: "B\r\n+ tenant forged", site: berlin, owner: "1001"}
      - {mac: 001565aabb02, desk: B, digest: [sha-256, md5]}
      - {mac: 001565aabb03}
`
	stored := merge(t, State{}, parse(t, before), mergeOptions())
	opt := mergeOptions()
	opt.Prune = true
	c := Diff(stored, merge(t, stored, parse(t, after), opt), true)
	want := strings.Split(strings.TrimSpace(`
- tenant old
~ tenant acme domains "acme.test" -> "acme.test acme.example", policy.max_logins "" -> "3", site berlin time_zone "" -> "Europe/Berlin", sites "" -> "berlin"
- extension acme/1003
- extension old/1
~ extension acme/1001 Ada name "Ada\nLovelace" -> "Ada", pin changed, voicemail_pin set, sip_password removed, keys "blf 1002 Grace" -> "blf 1003 Grace"
~ extension acme/1002 Grace upstream.username "u" -> "", upstream.password removed
+ extension acme/1004 New One
~ device 001565aabb01 desk "A" -> "B\r\n+ tenant forged", site "" -> "berlin", owner "" -> "1001", policy.on_occupied "ask" -> ""
~ device 001565aabb02 digest "md5 sha-256" -> "sha-256 md5"
+ device 001565aabb03
`), "\n")
	if d := cmp.Diff(want, c.Lines()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if n := c.Counts(); n != (Counts{Created: 2, Updated: 5, Deleted: 3}) {
		t.Errorf("counts %+v", n)
	}
	kept := Diff(stored, merge(t, stored, parse(t, after), mergeOptions()), false)
	if n := kept.Counts(); n.Deleted != 0 || n.Created != 2 {
		t.Errorf("without prune: %+v", n)
	}
}

func TestDiffSaysWhenASecretFollowsTheFile(t *testing.T) {
	stored := merge(t, State{}, parse(t, one), mergeOptions())
	stored.Extensions[0].PIN.From = "" // set by its owner, to what the file says now
	got := Diff(stored, merge(t, stored, parse(t, one), mergeOptions()), false).Lines()
	if len(got) != 1 || got[0] != "~ extension acme/1001 pin now follows the file" {
		t.Errorf("%q", got)
	}
}
