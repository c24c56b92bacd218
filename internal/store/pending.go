package store

import (
	"cmp"
	"context"
	_ "embed" // the script
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/redis/go-redis/v9"

	"perch/hotdesk/directory"
)

//go:embed lua/pending.lua
var luaPending string

var pendingScript = redis.NewScript(luaPending)

// Strangers are bounded: anybody can invent MACs.
const (
	pendingMost = 1000
	pendingFor  = 7 * 24 * time.Hour
	pendingText = 200 // bytes of each text that a stranger sends
)

// Pending is a phone that asked for its configuration and is in no directory:
// an admin may adopt it. Its texts are the phone's own words.
type Pending struct {
	MAC       directory.MAC `json:"mac"`
	Brand     string        `json:"brand,omitempty"`
	Model     string        `json:"model,omitempty"`
	Firmware  string        `json:"firmware,omitempty"`
	UserAgent string        `json:"user_agent,omitempty"`
	Source    string        `json:"source,omitempty"` // address it asked from
	First     int64         `json:"first"`            // Unix ms
	Last      int64         `json:"last"`
}

// AddPending remembers an unknown phone; of more than 1,000 the newest are
// kept, none longer than 7 days after it was last seen.
func (s *Store) AddPending(ctx context.Context, mac directory.MAC, source string, p directory.Phone, now time.Time) error {
	v := Pending{
		MAC: mac, Brand: plain(p.Brand), Model: plain(p.Model), Firmware: plain(p.Firmware), UserAgent: plain(p.UserAgent),
		Source: plain(source), First: now.UnixMilli(), Last: now.UnixMilli(),
	}
	_, err := s.run(ctx, "pending", pendingScript, []string{kPending, kPendingSeen},
		ms(now), mac.String(), asJSON{v}, pendingMost, pendingFor.Milliseconds())
	return err
}

// AllPending lists the unknown phones, the newest first.
func (s *Store) AllPending(ctx context.Context, now time.Time) ([]Pending, error) {
	var all []Pending
	err := s.fields(ctx, "pending", kPending, func(_, text string) error {
		var v Pending
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			return err
		}
		if now.Sub(time.UnixMilli(v.Last)) < pendingFor {
			all = append(all, v)
		}
		return nil
	})
	slices.SortFunc(all, func(a, b Pending) int {
		return cmp.Or(cmp.Compare(b.Last, a.Last), strings.Compare(a.MAC.String(), b.MAC.String()))
	})
	return all, err
}

// forgetPending drops phones that are in the directory now.
func (s *Store) forgetPending(ctx context.Context, devices []directory.Device) error {
	if len(devices) == 0 {
		return nil
	}
	macs, members := make([]string, len(devices)), make([]any, len(devices))
	for i, d := range devices {
		macs[i], members[i] = d.ID.MAC.String(), d.ID.MAC.String()
	}
	return s.do(ctx, "pending", func(ctx context.Context) error {
		_, err := s.rdb.TxPipelined(ctx, func(p redis.Pipeliner) error {
			p.HDel(ctx, kPending, macs...)
			p.ZRem(ctx, kPendingSeen, members...)
			return nil
		})
		return err
	})
}

// plain bounds a stranger's text and takes control characters out of it.
func plain(text string) string {
	if len(text) > pendingText {
		text = text[:pendingText]
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, ""))
}
