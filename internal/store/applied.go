package store

import "context"

// Applied gives the digest of each directory file when it was last applied, by
// the file's name.
func (s *Store) Applied(ctx context.Context) (map[string]string, error) {
	var all map[string]string
	err := s.do(ctx, "applied", func(ctx context.Context) (err error) {
		all, err = s.rdb.HGetAll(ctx, kApplied).Result()
		return err
	})
	return all, err
}

// SetApplied keeps the digest of a file that has been applied whole.
func (s *Store) SetApplied(ctx context.Context, file, digest string) error {
	return s.do(ctx, "applied", func(ctx context.Context) error { return s.rdb.HSet(ctx, kApplied, file, digest).Err() })
}
