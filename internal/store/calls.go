package store

import (
	"context"
	_ "embed" // the scripts
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/sip/calls"
)

var (
	//go:embed lua/calls_lib.lua
	luaCallsLib string
	//go:embed lua/call_save.lua
	luaCallSave string
	//go:embed lua/call_claim.lua
	luaCallClaim string

	callSaveScript = newScript("call_save", luaCallsLib+luaCallSave, []string{
		kEvents, kCalls, kCallDue, kCallsPast, kCallsPastDue, kCallRev, kLamps, kDialogs, kReloads, kReloadDue, kActive,
	})
	callClaimScript = newScript("call_claim", luaCallClaim, []string{kCalls, kCallDue, kCallsPast, kCallsPastDue})
)

const (
	// callSettle is what a phone needs between the end of a call and a NOTIFY
	// that makes it restart its account.
	callSettle = 300 * time.Millisecond
	// takeOverAfter is how long another node's call waits for that node.
	takeOverAfter = 15 * time.Second
	// pastCalls bounds the ended calls that a tenant remembers.
	pastCalls = 50_000
)

// Call reads a call that is up. The error wraps hotdesk.ErrNotFound where there
// is none.
func (s *Store) Call(ctx context.Context, t directory.TenantCode, id calls.ID) (calls.Call, error) {
	return s.call(ctx, t, kCalls, id)
}

// PastCall reads a call that has ended, while it is remembered.
func (s *Store) PastCall(ctx context.Context, t directory.TenantCode, id calls.ID) (calls.Call, error) {
	return s.call(ctx, t, kCallsPast, id)
}

func (s *Store) call(ctx context.Context, t directory.TenantCode, name string, id calls.ID) (calls.Call, error) {
	var c calls.Call
	found, err := s.field(ctx, "call", key(t, name), string(id), &c)
	if err == nil && !found {
		err = fmt.Errorf("store: call: %w", hotdesk.ErrNotFound)
	}
	return c, err
}

// SaveCall writes a call whose stored revision is c.Rev, with its event, and
// what follows for the lamps of its extensions and the reloads of its devices.
// Errors are calls.ErrConflict and calls.ErrOver, or wrap
// hotdesk.ErrUnavailable.
func (s *Store) SaveCall(ctx context.Context, c calls.Call, now time.Time) (uint64, error) {
	return s.saveCall(ctx, c, now, callSettle)
}

func (s *Store) saveCall(ctx context.Context, c calls.Call, now time.Time, settle time.Duration) (uint64, error) {
	rev, lease := c.Rev, any(c.Lease)
	if c.Over() {
		lease = ""
	}
	c.Rev = 0
	public := c.Public()
	v, err := s.change(ctx, callSaveScript, c.Tenant, now, nil,
		string(c.ID), rev, asJSON{c}, asJSON{public}, lease, c.Due(), settle.Milliseconds(),
		ms(now.Add(calls.Remembered)), strings.Join(c.Devices(), " "), strings.Join(c.Numbers(), " "))
	if err != nil {
		return 0, err
	}
	switch n, _ := v.(int64); {
	case n > 0:
		return uint64(n), nil
	case n < 0:
		return 0, calls.ErrOver
	}
	return 0, calls.ErrConflict
}

// DueCalls gives calls of a tenant that are to be looked at, at most limit,
// each to one node until now and calls.Probing; it also forgets calls that
// ended long ago. Another node's calls are given once that node is late.
func (s *Store) DueCalls(ctx context.Context, t directory.TenantCode, now time.Time, limit int) ([]calls.Call, error) {
	v, err := s.change(ctx, callClaimScript, t, now, nil,
		limit, ms(now.Add(calls.Probing)), takeOverAfter.Milliseconds(), pastCalls)
	if err != nil {
		return nil, err
	}
	texts, _ := v.([]any)
	out := make([]calls.Call, len(texts))
	for i, v := range texts {
		text, _ := v.(string)
		if err := json.Unmarshal([]byte(text), &out[i]); err != nil {
			return nil, fmt.Errorf("store: call_claim: %w", err)
		}
	}
	return out, nil
}

// Calls gives the calls of a tenant that are up, in no order. It reads in parts;
// what changes meanwhile may be seen or not. An error is the last that is given.
func (s *Store) Calls(ctx context.Context, t directory.TenantCode) iter.Seq2[calls.Call, error] {
	return s.eachCall(ctx, key(t, kCalls))
}

// PastCalls gives the calls of a tenant that have ended and are remembered.
func (s *Store) PastCalls(ctx context.Context, t directory.TenantCode) iter.Seq2[calls.Call, error] {
	return s.eachCall(ctx, key(t, kCallsPast))
}

func (s *Store) eachCall(ctx context.Context, key string) iter.Seq2[calls.Call, error] {
	return func(yield func(calls.Call, error) bool) {
		err := s.fields(ctx, "calls", key, func(_, text string) error {
			var c calls.Call
			if err := json.Unmarshal([]byte(text), &c); err != nil {
				return err
			}
			if !yield(c, nil) {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			yield(calls.Call{}, err)
		}
	}
}

// CallsOf reads the calls that a device is in, the feature codes' included.
func (s *Store) CallsOf(ctx context.Context, d directory.DeviceID, now time.Time) ([]calls.Call, error) {
	var ends map[string]int64
	if _, err := s.field(ctx, "calls_of", key(d.Tenant, kDialogs), d.MAC.String(), &ends); err != nil {
		return nil, err
	}
	var ids []string
	for id, lease := range ends {
		if lease > now.UnixMilli() {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	texts, err := s.someFields(ctx, "calls_of", key(d.Tenant, kCalls), ids)
	if err != nil {
		return nil, err
	}
	out := make([]calls.Call, len(texts))
	for i, text := range texts {
		if err := json.Unmarshal([]byte(text), &out[i]); err != nil {
			return nil, fmt.Errorf("store: calls_of: %w", err)
		}
	}
	return out, nil
}

// Lamps reads the version of each extension's state: the revision of the call
// that changed it last.
func (s *Store) Lamps(ctx context.Context, t directory.TenantCode) (map[string]uint64, error) {
	out := map[string]uint64{}
	err := s.fields(ctx, "lamps", key(t, kLamps), func(number, text string) error {
		var v uint64
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			return err
		}
		out[number] = v
		return nil
	})
	return out, err
}

// CallRev reads the revision of the tenant's newest change of a call.
func (s *Store) CallRev(ctx context.Context, t directory.TenantCode) (uint64, error) {
	var rev uint64
	err := s.do(ctx, "calls", func(ctx context.Context) (err error) {
		rev, err = s.rdb.Get(ctx, key(t, kCallRev)).Uint64()
		if errors.Is(err, redis.Nil) {
			return nil
		}
		return err
	})
	return rev, err
}
