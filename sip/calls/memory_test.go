package calls

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
)

// memory is a Store with the rules of the real one.
type memory struct {
	mu      sync.Mutex
	rev     uint64
	up      map[ID]Call
	past    map[ID]Call
	away    int // how many calls fail before it is there again
	history []Call
}

func newMemory() *memory { return &memory{up: map[ID]Call{}, past: map[ID]Call{}} }

func (m *memory) Call(_ context.Context, _ directory.TenantCode, id ID) (Call, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.away > 0 {
		m.away--
		return Call{}, hotdesk.ErrUnavailable
	}
	c, ok := m.up[id]
	if !ok {
		return c, fmt.Errorf("memory: %w", hotdesk.ErrNotFound)
	}
	return *c.clone(), nil
}

func (m *memory) SaveCall(_ context.Context, c Call, _ time.Time) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.away > 0 {
		m.away--
		return 0, hotdesk.ErrUnavailable
	}
	if old, ok := m.up[c.ID]; ok && old.Rev != c.Rev {
		return 0, ErrConflict
	} else if !ok {
		if past, ok := m.past[c.ID]; ok && past.Answered != 0 || !ok && c.Rev != 0 {
			return 0, ErrOver
		}
	}
	m.rev++
	c.Rev = m.rev
	delete(m.up, c.ID)
	delete(m.past, c.ID)
	if c.Over() {
		m.past[c.ID] = *c.clone()
	} else {
		m.up[c.ID] = *c.clone()
	}
	m.history = append(m.history, *c.clone())
	return c.Rev, nil
}

func (m *memory) CallsOf(_ context.Context, d directory.DeviceID, _ time.Time) ([]Call, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []Call
	for _, c := range m.up {
		for _, mac := range c.Devices() {
			if mac == d.MAC.String() {
				out = append(out, c)
			}
		}
	}
	return out, nil
}

// world is a tracker over a memory, with a clock that a test sets.
type world struct {
	*Tracker
	t     *testing.T
	store *memory
	mu    sync.Mutex
	clock time.Time
	lost  int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, store: newMemory(), clock: time.UnixMilli(1_800_000_000_000)}
	tr, err := NewTracker(Options{
		Node: "n1", Store: w.store, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Now:  func() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.clock },
		Lost: func() { w.mu.Lock(); defer w.mu.Unlock(); w.lost++ },
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Tracker = tr
	t.Cleanup(func() {
		if err := tr.Close(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	return w
}

// settle waits until everything told is written.
func (w *world) settle() {
	w.t.Helper()
	w.tasks.Wait()
}

func (w *world) pass(d time.Duration) { w.mu.Lock(); defer w.mu.Unlock(); w.clock = w.clock.Add(d) }

var (
	ada   = Party{Number: "1001", MAC: "001565aabb01", Display: "Ada", URI: "sip:1001@acme.test"}
	grace = Party{Number: "1002", MAC: "001565aabb02", Display: "Grace", URI: "sip:1002@acme.test"}
	other = Party{Number: "1002", MAC: "001565aabb03", Display: "Grace", URI: "sip:1002@acme.test"}
)

func start(callID string) Start {
	return Start{Tenant: "acme", CallID: callID, Tag: "a", Caller: ada, Called: Party{Number: "1002", URI: "sip:1002@acme.test"}}
}

// talk brings a call up to its answer.
func (w *world) talk(callID string) Ref {
	r := w.Begin(start(callID))
	w.Try(r, Branch{ID: "1", Party: grace})
	w.Ring(r, "1", 180, "b")
	w.Answer(r, "1", Answered{Tag: "b"})
	return r
}
