package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"perch/hotdesk"
	"perch/hotdesk/directory"
)

// A directory script writes down in the tenant's "todo" what has to follow
// outside of its slot, and finish does it: at once after the script, and for a
// node that died in between within todoEvery on any other. Each step may run
// twice.
const todoEvery = 15 * time.Second

// steps is what a todo asks for, in the order in which it is done.
var steps = []string{"unseat", "claim", "release", "list", "unlist"}

// finish does all that is to do for a tenant.
func (s *Store) finish(ctx context.Context, t directory.TenantCode) error {
	var todo []string
	err := s.do(ctx, "todo", func(ctx context.Context) (err error) {
		todo, err = s.rdb.SMembers(ctx, key(t, kTodo)).Result()
		return err
	})
	if err != nil || len(todo) == 0 {
		return err
	}
	byStep := make(map[string][]string)
	for _, line := range todo {
		verb, what, _ := strings.Cut(line, " ")
		byStep[verb] = append(byStep[verb], what)
	}
	for _, verb := range steps {
		for part := range slices.Chunk(byStep[verb], 500) {
			if err := s.step(ctx, t, verb, part); err != nil {
				return err
			}
			if err := s.doneWith(ctx, t, verb, part); err != nil {
				return err
			}
		}
	}
	s.known.forget()
	return nil
}

func (s *Store) step(ctx context.Context, t directory.TenantCode, verb string, what []string) error {
	switch verb {
	case "unseat":
		for _, seat := range what {
			if err := s.unseat(ctx, t, seat); err != nil {
				return err
			}
		}
		return nil
	case "claim":
		return s.eachIndex(ctx, "confirm", confirmLua, t, what)
	case "release":
		return s.eachIndex(ctx, "release", releaseLua, t, what)
	case "list":
		return s.do(ctx, "list", func(ctx context.Context) error { return s.rdb.SAdd(ctx, kAllTenants, string(t)).Err() })
	default:
		return s.do(ctx, "list", func(ctx context.Context) error { return s.rdb.SRem(ctx, kAllTenants, string(t)).Err() })
	}
}

func (s *Store) doneWith(ctx context.Context, t directory.TenantCode, verb string, what []string) error {
	members := make([]any, len(what))
	for i, w := range what {
		members[i] = strings.TrimSuffix(verb+" "+w, " ")
	}
	return s.do(ctx, "todo", func(ctx context.Context) error { return s.rdb.SRem(ctx, key(t, kTodo), members...).Err() })
}

// eachIndex runs a short script on each index, all in one round trip; EVAL,
// because a pipeline cannot mend a server that does not know a digest.
func (s *Store) eachIndex(ctx context.Context, op, lua string, t directory.TenantCode, indexes []string) error {
	return s.do(ctx, op, func(ctx context.Context) error {
		replies, err := s.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, k := range indexes {
				p.Eval(ctx, lua, []string{k}, string(t))
			}
			return nil
		})
		for i, r := range replies {
			if owner, ok := r.(*redis.Cmd).Val().(string); ok && owner != string(t) {
				s.log.Error("index belongs to another tenant", "index", indexes[i], "tenant", t, "owner", owner)
			}
		}
		return err
	})
}

// unseat ends the binding of something that was removed: "<MAC> <line> <number>".
func (s *Store) unseat(ctx context.Context, t directory.TenantCode, seat string) error {
	f := strings.Fields(seat)
	if len(f) != 3 {
		return nil
	}
	mac, err := directory.ParseMAC(f[0])
	if err != nil {
		return nil
	}
	line, _ := strconv.Atoi(f[1])
	_, err = s.Unbind(ctx, hotdesk.UnbindRequest{
		Now: time.Now(), Device: directory.DeviceID{Tenant: t, MAC: mac}, Line: line, Number: f[2],
		Trace: rand.Text(), By: "directory",
	})
	var no *hotdesk.Refused
	if errors.As(err, &no) { // nobody is there any more
		return nil
	}
	return err
}

// tidy does what a node that died left to do, until ctx ends.
func (s *Store) tidy(ctx context.Context) {
	tick := time.NewTicker(todoEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.repair(ctx)
		}
	}
}

func (s *Store) repair(ctx context.Context) {
	if err := s.finishAll(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, hotdesk.ErrUnavailable) {
		s.log.Error("directory index not repaired", "err", err)
	}
}

func (s *Store) finishAll(ctx context.Context) error {
	codes, err := s.TenantCodes(ctx)
	if err != nil {
		return err
	}
	for _, t := range codes {
		if err := s.finish(ctx, t); err != nil {
			return fmt.Errorf("tenant %s: %w", t, err)
		}
	}
	return nil
}
