package store

import (
	"context"
	_ "embed" // the scripts
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"perch/hotdesk/directory"
	"perch/hotdesk/schedule"
)

var (
	//go:embed lua/timer_claim.lua
	luaTimerClaim string
	//go:embed lua/timer_set.lua
	luaTimerSet string
	//go:embed lua/timer_end.lua
	luaTimerEnd string
	//go:embed lua/touch.lua
	luaTouch string

	timerClaimScript = newScript("timer_claim", luaTimerClaim, []string{kTimers})
	timerSetScript   = newScript("timer_set", luaTimerSet, []string{kEvents, kSeats, kTimers, kWarned})
	timerEndScript   = newScript("timer_end", luaSeat+luaTimerEnd, append(append([]string{}, seatKeys...), kActive))
	touchScript      = newScript("touch", luaTouch, []string{kActive})
)

var _ schedule.Store = (*Store)(nil)

// Touch notes that somebody uses a device: for idle_logout.
func (s *Store) Touch(ctx context.Context, d directory.DeviceID, now time.Time) error {
	_, err := s.change(ctx, touchScript, d.Tenant, now, nil, d.MAC.String())
	return err
}

// ClaimTimers implements schedule.Store, over all tenants.
func (s *Store) ClaimTimers(ctx context.Context, now time.Time, lease time.Duration, most int) ([]directory.Seat, time.Time, error) {
	tenants, err := s.TenantCodes(ctx)
	if err != nil {
		return nil, time.Time{}, err
	}
	var out []directory.Seat
	var next time.Time
	for _, t := range tenants {
		if len(out) >= most {
			return out, now, nil
		}
		v, err := s.change(ctx, timerClaimScript, t, now, nil, lease.Milliseconds(), most-len(out))
		if err != nil {
			return out, next, err
		}
		a, ok := v.([]any)
		if !ok || len(a) == 0 {
			return out, next, fmt.Errorf("store: timer_claim: answer %v", v)
		}
		for _, name := range a[1:] {
			text, _ := name.(string)
			if seat, ok := parseSeat(t, text); ok {
				out = append(out, seat)
			}
		}
		score, _ := a[0].(string)
		next = earlier(next, scoreTime(score))
	}
	return out, next, nil
}

// parseSeat reads "MAC/line".
func parseSeat(t directory.TenantCode, name string) (directory.Seat, bool) {
	mac, line, _ := strings.Cut(name, "/")
	m, err := directory.ParseMAC(mac)
	n, err2 := strconv.Atoi(line)
	return directory.Seat{Device: directory.DeviceID{Tenant: t, MAC: m}, Line: n}, err == nil && err2 == nil
}

// Mark implements schedule.Store.
func (s *Store) Mark(ctx context.Context, seat directory.Seat, session directory.SessionID) (schedule.Mark, error) {
	var active, warned string
	mac := seat.Device.MAC.String()
	err := s.do(ctx, "mark", func(ctx context.Context) error {
		var a, w *redis.StringCmd
		_, err := s.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
			a = p.HGet(ctx, key(seat.Device.Tenant, kActive), mac)
			w = p.HGet(ctx, key(seat.Device.Tenant, kWarned), seatName(seat))
			return nil
		})
		active, warned = a.Val(), w.Val()
		return notNil(err)
	})
	if err != nil {
		return schedule.Mark{}, err
	}
	var m schedule.Mark
	if m.Active, err = s.companionsActive(ctx, seat); err != nil {
		return schedule.Mark{}, err
	}
	if n, err := strconv.ParseInt(active, 10, 64); err == nil && n > m.Active.UnixMilli() {
		m.Active = time.UnixMilli(n)
	}
	var told struct {
		Session directory.SessionID `json:"session"`
		End     int64               `json:"end"`
	}
	if warned != "" {
		if err := json.Unmarshal([]byte(warned), &told); err != nil {
			return m, fmt.Errorf("store: mark: %w", err)
		}
	}
	if told.Session == session && told.End > 0 {
		m.Warned = time.UnixMilli(told.End)
	}
	return m, nil
}

func seatName(seat directory.Seat) string {
	return seat.Device.MAC.String() + "/" + strconv.Itoa(max(seat.Line, 1))
}

// SetTimer implements schedule.Store.
func (s *Store) SetTimer(ctx context.Context, c schedule.Change) error {
	c.End = time.Time{}
	return s.WarnSession(ctx, c)
}

// WarnSession implements schedule.Store.
func (s *Store) WarnSession(ctx context.Context, c schedule.Change) error {
	_, err := s.change(ctx, timerSetScript, c.Seat.Device.Tenant, c.Now, nil,
		c.Seat.Device.MAC.String(), max(c.Seat.Line, 1), string(c.Session), orNothing(c.Next), orNothing(c.End), string(c.Why), c.Trace)
	return err
}

// EndSession implements schedule.Store.
func (s *Store) EndSession(ctx context.Context, c schedule.Change) (bool, error) {
	idle := ""
	if c.Why == schedule.Idle {
		idle = "0"
		if !c.IdleSince.IsZero() {
			idle = ms(c.IdleSince)
		}
	}
	if c.OwnerSession == "" {
		c.OwnerSession = newSession()
	}
	v, err := s.change(ctx, timerEndScript, c.Seat.Device.Tenant, c.Now, nil,
		c.Seat.Device.MAC.String(), max(c.Seat.Line, 1), string(c.Session), string(c.Why), c.Trace, string(c.OwnerSession), idle)
	return v == int64(1), err
}

// orNothing is a time as a script takes it, ” for none.
func orNothing(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return ms(t)
}

// LookAgain makes every seat of a tenant due at once: what its timers follow
// has changed.
func (s *Store) LookAgain(ctx context.Context, t directory.TenantCode, now time.Time) error {
	for cursor := uint64(0); ; {
		err := s.do(ctx, "look_again", func(ctx context.Context) error {
			names, next, err := s.rdb.SScan(ctx, key(t, kSeated), cursor, "", scanBatch).Result()
			if err != nil || len(names) == 0 {
				cursor = next
				return err
			}
			due := make([]redis.Z, len(names))
			for i, name := range names {
				due[i] = redis.Z{Score: float64(now.UnixMilli()), Member: name}
			}
			if err := s.rdb.ZAdd(ctx, key(t, kTimers), due...).Err(); err != nil {
				return err
			}
			cursor = next
			return nil
		})
		if err != nil {
			return err
		}
		if cursor == 0 {
			return nil
		}
	}
}
