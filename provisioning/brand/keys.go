package brand

import (
	"cmp"
	"slices"
	"strings"

	"perch/hotdesk/directory"
)

// Types of key in the directory.
const (
	KeyBLF       = "blf"
	KeySpeedDial = "speeddial"
	KeyPark      = "park"
	KeyPickup    = "pickup"
	KeyVoicemail = "voicemail"
	KeyLine      = "line"
	KeyDTMF      = "dtmf"
	KeyURL       = "url"
	KeyLogin     = "login"  // opens the phone's own screen, else dials the tenant's code for it
	KeyLogout    = "logout" // likewise
	KeyScreen    = "screen" // a page of the phone's own screen: what login and logout become
)

// Layout is where a model has keys.
type Layout struct {
	Known     bool // the model is in the brand's table; else Keys is a guess
	Keys      int  // on the phone, the first of them being the line
	Modules   int  // that can be attached
	PerModule int  // keys on each
}

// Slot is one place for a key, filled or not.
type Slot struct {
	Module int // 0 is the phone itself
	Index  int // counts from 1 on its module or phone
	Key    directory.Key
	Used   bool
	Target string // of a BLF key: the user part it subscribes to
}

// Text is what the key dials or opens: the target of a BLF key, else its value.
func (s Slot) Text() string {
	if s.Target != "" {
		return s.Target
	}
	return s.Key.Value
}

// Place puts keys on a model's slots, in order, after the first, which is the
// line. Where there are more keys than slots, the least important stay away
// and the others close up. Keys that show nothing valid or find no slot are
// dropped; one on an expansion module that the phone says it does not have is
// absent. The slots hold all places of the model, so that a file can clear what
// is not used. The key to log in and out stands on the last slot of the phone
// itself if that is free: it moves nobody's keys.
func Place(d Desk, l Layout, can func(directory.Key) bool) ([]Slot, Rendered) {
	slots := l.slots()
	var r Rendered
	fits := make([]bool, len(d.Keys))
	room := len(slots)
	for _, i := range byPriority(d.Keys) {
		k, ok := d.dials(d.Keys[i], can)
		if _, valid := d.fit(k); ok && valid && room > 0 && can(k) {
			fits[i] = true
			room--
		}
	}
	next := 0
	for i, k := range d.Keys {
		if !fits[i] {
			r.Dropped = append(r.Dropped, k)
			continue
		}
		s := &slots[next]
		next++
		s.Key, _ = d.dials(k, can)
		s.Target, _ = d.fit(s.Key)
		s.Used = true
		if s.Module > 0 && d.Modules.Known && s.Module > d.Modules.Count {
			r.Absent = append(r.Absent, k)
		}
	}
	d.door(slots, l, can, &r)
	for _, s := range slots {
		switch {
		case s.Target == "":
		case l.certain(s, d.Modules):
			r.Keys = append(r.Keys, s.Target)
		default:
			r.Optional = append(r.Optional, s.Target)
		}
	}
	r.Keys = distinct(r.Keys)
	r.Optional = slices.DeleteFunc(distinct(r.Optional), func(t string) bool { return slices.Contains(r.Keys, t) })
	return slots, r
}

// byPriority gives the indexes of keys, the most important first; among equals
// the first first.
func byPriority(keys []directory.Key) []int {
	order := make([]int, len(keys))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(keys[a].Rank(), keys[b].Rank()) })
	return order
}

// door puts the key to log in or out on the last slot of the phone itself. It
// gives way to a person's key.
func (d Desk) door(slots []Slot, l Layout, can func(directory.Key) bool, r *Rendered) {
	if !d.DoorKey {
		return
	}
	asked := directory.Key{Type: KeyLogin}
	if d.Bound {
		asked.Type = KeyLogout
	}
	k, ok := d.dials(asked, can)
	last := l.Keys - 2 // the line has no slot
	if !ok || last < 0 || slots[last].Used || !can(k) {
		r.Dropped = append(r.Dropped, asked)
		return
	}
	slots[last].Key, slots[last].Used = k, true
}

// dials makes of a key to log in or out what a phone can have: its screen's
// menu, or a number to dial. Other keys stay as they are.
func (d Desk) dials(k directory.Key, can func(directory.Key) bool) (directory.Key, bool) {
	var code, label string
	switch k.Type {
	case KeyLogin:
		code, label = d.FeatureCodes.Login, "Log in"
	case KeyLogout:
		code, label = d.FeatureCodes.Logout, "Log out"
	default:
		return k, true
	}
	if k.Value == "" && d.ScreenURL != "" && can(directory.Key{Type: KeyScreen, Value: d.ScreenURL}) {
		k.Type, k.Value, k.Label = KeyScreen, d.ScreenURL, cmp.Or(k.Label, label)
		return k, true
	}
	k.Type, k.Value, k.Label = KeySpeedDial, cmp.Or(k.Value, code), cmp.Or(k.Label, label)
	return k, k.Value != ""
}

// slots are the places after the line key, the phone's before the modules'.
func (l Layout) slots() []Slot {
	var out []Slot
	for i := 2; i <= l.Keys; i++ {
		out = append(out, Slot{Index: i})
	}
	for m := 1; m <= l.Modules; m++ {
		for i := 1; i <= l.PerModule; i++ {
			out = append(out, Slot{Module: m, Index: i})
		}
	}
	return out
}

// certain tells whether the phone has this slot for sure.
func (l Layout) certain(s Slot, m Modules) bool {
	if s.Module == 0 {
		return l.Known
	}
	return m.Known && s.Module <= m.Count
}

// fit checks a key's value and gives the target of a BLF key.
func (d Desk) fit(k directory.Key) (target string, ok bool) {
	switch k.Type {
	case KeyBLF:
		target = d.userPart(k.Value)
		return target, dialable(target)
	case KeyLine:
		return "", true
	case KeyURL, KeyScreen:
		u := strings.ToLower(k.Value)
		plain := strings.IndexFunc(k.Value, func(c rune) bool { return c <= ' ' || c >= 0x7f || c == '|' || c == '"' }) < 0
		return "", plain && len(u) <= maxText && (strings.HasPrefix(u, "http://") || strings.HasPrefix(u, "https://"))
	case KeyVoicemail:
		return "", k.Value == "" || dialable(k.Value)
	default:
		return "", dialable(k.Value)
	}
}

// userPart takes the number out of "1002", "sip:1002@acme.test" and
// "1002@acme.test"; another domain's address is not for this phone.
func (d Desk) userPart(v string) string {
	v = strings.TrimSpace(v)
	if len(v) > 4 && strings.EqualFold(v[:4], "sip:") {
		v = v[4:]
	}
	user, domain, has := strings.Cut(v, "@")
	if has && !strings.EqualFold(domain, d.Domain) {
		return ""
	}
	return user
}

// dialable is what a keypad or a number of the directory can hold.
func dialable(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for _, c := range []byte(s) {
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', strings.IndexByte("*#+._-", c) >= 0:
		default:
			return false
		}
	}
	return true
}

func distinct(in []string) []string {
	var out []string
	for _, s := range in {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
