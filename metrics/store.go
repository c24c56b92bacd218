package metrics

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Pool is a reading of the connection pool to Redis.
type Pool struct {
	Total, Idle  uint32 // connections open, and of those at rest
	Hits, Misses uint32 // connections taken from the pool, and made anew; since start
	Timeouts     uint32 // waits for a connection that were given up; since start
}

// Store times the calls to Redis and knows whether it answers.
type Store struct {
	seconds histograms
	errors  counters
	up      prometheus.Gauge
	pool    atomic.Pointer[func() Pool]
}

func newStore(reg prometheus.Registerer, sets Sets) *Store {
	ops := newSet(sets.StoreOps...)
	s := &Store{
		seconds: newHistograms(reg, "perch_redis_seconds", "Time of a call to Redis, by operation, failed ones included.",
			fastBuckets(), []string{"op"}, ops),
		errors: newCounters(reg, "perch_redis_errors_total", "Calls to Redis that failed or came too late, by operation.", []string{"op"}, ops),
		up: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "perch_redis_up", Help: "1 while Redis answers, 0 while it does not.",
		}),
	}
	reg.MustRegister(s.up,
		s.read(prometheus.GaugeValue, "perch_redis_pool_connections", "Connections to Redis now open.", func(p Pool) uint32 { return p.Total }),
		s.read(prometheus.GaugeValue, "perch_redis_pool_idle_connections", "Connections to Redis now at rest.", func(p Pool) uint32 { return p.Idle }),
		s.read(prometheus.CounterValue, "perch_redis_pool_hits_total", "Calls to Redis that found a connection at rest.", func(p Pool) uint32 { return p.Hits }),
		s.read(prometheus.CounterValue, "perch_redis_pool_misses_total", "Calls to Redis that had to open a connection.", func(p Pool) uint32 { return p.Misses }),
		s.read(prometheus.CounterValue, "perch_redis_pool_timeouts_total", "Calls to Redis that got no connection in time.", func(p Pool) uint32 { return p.Timeouts }),
	)
	return s
}

// read is a series that takes its value from the pool at each scrape.
func (s *Store) read(kind prometheus.ValueType, name, help string, field func(Pool) uint32) prometheus.Collector {
	value := func() float64 {
		if read := s.pool.Load(); read != nil {
			return float64(field((*read)()))
		}
		return 0
	}
	if kind == prometheus.CounterValue {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, value)
	}
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
}

// PoolFrom names the function that reads the connection pool; it is called
// several times at each scrape and must not block.
func (s *Store) PoolFrom(read func() Pool) {
	if s != nil && read != nil {
		s.pool.Store(&read)
	}
}

// Call takes the time and the outcome of one call to Redis. That a key is not
// there is an answer: err is nil then.
func (s *Store) Call(op string, took time.Duration, err error) {
	if s == nil {
		return
	}
	s.seconds.observe(took.Seconds(), op)
	if err != nil {
		s.errors.count(op)
	}
}

// SetUp says whether Redis answers.
func (s *Store) SetUp(up bool) {
	if s == nil {
		return
	}
	s.up.Set(0)
	if up {
		s.up.Set(1)
	}
}
