package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"perch/internal/store/child"
)

// Options are what Open needs to know.
type Options struct {
	URL     string // redis.url: empty is a child server in DataDir, "memory:" the in-process engine
	DataDir string
	Node    string // names this process in events and consumer groups; the same after a restart
	Log     *slog.Logger
	// Observe is told of every operation; nil: nobody is.
	Observe func(op string, d time.Duration, err error)
	// OnState is told when the store stops answering (why) and when it answers
	// again (nil); nil: nobody is.
	OnState func(why error)
}

// Memory is the redis.url of the in-process engine.
const Memory = "memory:"

// openWithin bounds how long Open waits for an operator's Redis to answer.
const openWithin = 10 * time.Second

// Open connects to what Options.URL names, or starts it, and returns once it
// answers. Close the Store last of all.
func Open(ctx context.Context, o Options) (*Store, error) {
	redis.SetLogger(quiet{}) // every error comes back to a caller of ours; the library would print it as well
	if o.Node == "" {
		o.Node = "perch"
	}
	opts, b, err := connect(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	s := New(redis.NewUniversalClient(opts), o.Node, o.Log, o.Observe)
	s.backend, s.cluster = b, opts.IsClusterMode
	s.health.onState = o.OnState
	// A stream reader must see a lost answer: a silent retry would hide that
	// entries were delivered to it.
	reading := *opts
	reading.MaxRetries = -1
	s.reader = redis.NewUniversalClient(&reading)
	if err := s.begin(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("store: %w", err), s.Close())
	}
	return s, nil
}

// backend is what serves the store: how durable it is, and how it is stopped.
type backend struct {
	durability string
	durable    bool
	external   bool
	child      *child.Server // nil: none of our own
	close      func() error
}

func connect(ctx context.Context, o Options) (*redis.UniversalOptions, backend, error) {
	switch o.URL {
	case Memory:
		m, err := startMemory()
		if err != nil {
			return nil, backend{}, err
		}
		opts := connection()
		opts.Addrs, opts.Password = []string{m.addr}, m.password
		return opts, backend{durability: "nothing is kept: the in-process engine forgets all when Perch ends", close: m.Close}, nil
	case "":
		c, err := child.Start(ctx, child.Options{Dir: o.DataDir, Log: o.Log})
		if err != nil {
			return nil, backend{}, err
		}
		opts := connection()
		opts.Addrs = []string{c.Socket()}
		return opts, backend{durability: "own redis-server, on disk before each answer", durable: true, child: c, close: c.Close}, nil
	}
	opts, err := parseURL(o.URL)
	return opts, backend{external: true, close: func() error { return nil }}, err
}

// begin waits for the first answer and starts the background work.
func (s *Store) begin(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		err := s.Ping(ctx)
		if err == nil {
			break
		}
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
	if s.backend.external {
		s.inspect(ctx)
	}
	s.repair(ctx)
	run, stop := context.WithCancel(context.Background())
	s.life.stop = stop
	s.life.background.Go(func() { s.watchHealth(run) })
	s.life.background.Go(func() { s.tidy(run) })
	return nil
}

// Close ends the background work and the connections, and stops a server of
// our own. It is safe twice.
func (s *Store) Close() error {
	s.life.closing.Do(func() {
		if s.life.stop != nil {
			s.life.stop()
		}
		s.life.background.Wait()
		s.life.closed = errors.Join(s.closeReader(), s.rdb.Close(), s.backend.stop())
	})
	return s.life.closed
}

func (s *Store) closeReader() error {
	if s.reader == s.rdb {
		return nil
	}
	return s.reader.Close()
}

func (b backend) stop() error {
	if b.close == nil {
		return nil
	}
	return b.close()
}

// lifecycle is what Close has to end.
type lifecycle struct {
	stop       context.CancelFunc
	background sync.WaitGroup
	closing    sync.Once
	closed     error
}

// quiet drops what the Redis library would print by itself.
type quiet struct{}

// Printf drops a line.
func (quiet) Printf(context.Context, string, ...any) {}
