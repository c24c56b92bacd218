package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"perch/hotdesk/directory"
)

// claimFor is how long a claim of a MAC or domain waits for its record.
const claimFor = time.Minute

// Conflict is a MAC or a domain that another tenant has.
type Conflict struct {
	What  string // "MAC 001565aabb01" or "domain acme.test"
	Owner directory.TenantCode
}

// Error names both.
func (c *Conflict) Error() string {
	return fmt.Sprintf("%s belongs to tenant %s", c.What, c.Owner)
}

func conflict(index string, owner directory.TenantCode) *Conflict {
	kind, name, _ := strings.Cut(index, ":")
	if kind == "mac" {
		kind = "MAC"
	}
	return &Conflict{What: kind + " " + name, Owner: owner}
}

// The three changes of one index. KEYS 1 index. ARGV 1 tenant.
const (
	// confirmLua makes a claim last; returns who has it.
	confirmLua = `local o = redis.call('GET', KEYS[1])
if not o then redis.call('SET', KEYS[1], ARGV[1]) return ARGV[1] end
if o == ARGV[1] then redis.call('PERSIST', KEYS[1]) end
return o`
	// releaseLua removes what the tenant has.
	releaseLua = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`
	// takeOverLua claims (ARGV 3: for so many ms) what ARGV 2 has confirmed and no
	// longer has a record of.
	takeOverLua = `if redis.call('GET', KEYS[1]) == ARGV[1] then return 1 end
if redis.call('GET', KEYS[1]) ~= ARGV[2] or redis.call('PTTL', KEYS[1]) ~= -1 then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
return 1`
)

var takeOver = redis.NewScript(takeOverLua)

// claim takes the indexes for the tenant, for a minute where they were free.
// The error joins a *Conflict for each that is another tenant's.
func (s *Store) claim(ctx context.Context, t directory.TenantCode, indexes []string) error {
	replies := make([]*redis.StatusCmd, len(indexes))
	err := s.do(ctx, "claim", func(ctx context.Context) error {
		_, err := s.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
			for i, k := range indexes {
				replies[i] = p.SetArgs(ctx, k, string(t), redis.SetArgs{Mode: "NX", Get: true, TTL: claimFor})
			}
			return nil
		})
		return notNil(err)
	})
	if err != nil {
		return err
	}
	var others []error
	for i, r := range replies {
		owner := directory.TenantCode(r.Val())
		if owner == "" || owner == t {
			continue
		}
		free, err := s.takeOver(ctx, t, owner, indexes[i])
		if err != nil {
			return err
		}
		if !free {
			others = append(others, conflict(indexes[i], owner))
		}
	}
	return errors.Join(others...)
}

// takeOver claims an index whose owner has no record that belongs to it: a
// removal that was cut short left it.
func (s *Store) takeOver(ctx context.Context, t, owner directory.TenantCode, index string) (bool, error) {
	if has, err := s.hasRecord(ctx, owner, index); has || err != nil {
		return false, err
	}
	n, err := s.run(ctx, "claim", takeOver, []string{index}, string(t), string(owner), claimFor.Milliseconds())
	return n == int64(1), err
}

// hasRecord tells whether the tenant's directory has what an index names.
func (s *Store) hasRecord(ctx context.Context, t directory.TenantCode, index string) (bool, error) {
	kind, name, _ := strings.Cut(index, ":")
	if kind == "mac" {
		var has bool
		err := s.do(ctx, "claim", func(ctx context.Context) (err error) {
			has, err = s.rdb.HExists(ctx, key(t, kDevices), name).Result()
			return err
		})
		return has, err
	}
	s.known.tenants.clear()
	v, err := s.Tenant(ctx, t)
	if isNotFound(err) {
		return false, nil
	}
	return v.HasDomain(name), err
}
