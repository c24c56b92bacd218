package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// scanBatch is how many fields of a hash one HSCAN asks for.
const scanBatch = 1000

// field reads one JSON field of a hash; false where there is none.
func (s *Store) field(ctx context.Context, op, key, field string, into any) (bool, error) {
	var text []byte
	err := s.do(ctx, op, func(ctx context.Context) (err error) {
		text, err = s.rdb.HGet(ctx, key, field).Bytes()
		if errors.Is(err, redis.Nil) {
			return nil
		}
		return err
	})
	if err != nil || text == nil {
		return false, err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return false, fmt.Errorf("store: %s: field %q: %w", op, field, err)
	}
	return true, nil
}

// someFields reads fields of a hash, those that exist.
func (s *Store) someFields(ctx context.Context, op, key string, names []string) ([]string, error) {
	var out []string
	err := s.do(ctx, op, func(ctx context.Context) error {
		values, err := s.rdb.HMGet(ctx, key, names...).Result()
		out = nil
		for _, v := range values {
			if text, ok := v.(string); ok {
				out = append(out, text)
			}
		}
		return err
	})
	return out, err
}

// fields calls fn for every field of a hash, once each, in no order. It reads in
// parts; what changes meanwhile may be seen or not. fn's error ends it.
func (s *Store) fields(ctx context.Context, op, key string, fn func(field, value string) error) error {
	seen := map[string]bool{}
	for cursor := uint64(0); ; {
		var part []string
		err := s.do(ctx, op, func(ctx context.Context) (err error) {
			part, cursor, err = s.rdb.HScan(ctx, key, cursor, "", scanBatch).Result()
			return err
		})
		if err != nil {
			return err
		}
		for i := 0; i+1 < len(part); i += 2 {
			if seen[part[i]] {
				continue
			}
			seen[part[i]] = true
			if err := fn(part[i], part[i+1]); err != nil {
				return fmt.Errorf("store: %s: field %q: %w", op, part[i], err)
			}
		}
		if cursor == 0 {
			return nil
		}
	}
}
