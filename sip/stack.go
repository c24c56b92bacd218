package sip

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"

	"perch/metrics"
	"perch/sip/handler"
)

// setup guards the stack's own package variables: it reads them without locks,
// so they are written once, before anything uses them.
var setup sync.Once

// maxUDP is the longest message sent over UDP. The stack's default refuses
// more than 1300 bytes, responses too, and offers no other way; fragments get
// through where nothing does.
const maxUDP = 65_000

// noTimer keeps the stack from sending a 100 of its own 200 ms after an INVITE: it
// would read the request while we write our tag into it. The chain sends the 100
// at once (RFC 3261 section 17.2.1).
const noTimer = 24 * time.Hour

// Setup makes the stack's process-wide settings: its log, which copies whole
// messages with their credentials, goes through a filter; its limit on UDP
// messages is lifted; its 100 is left to us, its other timers stay those of RFC 3261. The first call of a
// process counts. Programs that use the stack before New call it themselves.
func Setup(log *slog.Logger, m *metrics.SIP) {
	setup.Do(func() {
		sip.SetDefaultLogger(slog.New(&stackLog{next: log.Handler(), parseError: m.ParseError, last: new(atomic.Int64)}))
		sip.UDPMTUSize = maxUDP
		sip.Timer_1xx = noTimer
	})
}

// stackLog passes on what the stack logs, with three changes: nothing of a
// message's text, at most one line a second above debug, and no error level,
// since a stranger's packet wakes nobody.
type stackLog struct {
	next       slog.Handler
	parseError func()
	last       *atomic.Int64 // Unix ns of the last warning
}

const parseFailure = "failed to parse"

// Enabled implements slog.Handler.
func (h *stackLog) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelError || h.next.Enabled(ctx, slog.LevelDebug)
}

// Handle implements slog.Handler.
func (h *stackLog) Handle(ctx context.Context, r slog.Record) error {
	level := slog.LevelDebug
	switch {
	case r.Message == parseFailure:
		h.parseError()
	case r.Level >= slog.LevelError:
		if now, last := time.Now().UnixNano(), h.last.Load(); now-last > int64(time.Second) && h.last.CompareAndSwap(last, now) {
			level = slog.LevelWarn
		}
	}
	if !h.next.Enabled(ctx, level) {
		return nil
	}
	out := slog.NewRecord(r.Time, level, "sip stack: "+handler.Clipped(r.Message, 100), 0)
	r.Attrs(func(a slog.Attr) bool {
		if a, ok := harmless(a); ok {
			out.AddAttrs(a)
		}
		return true
	})
	return h.next.Handle(ctx, out)
}

// harmless leaves out what holds a message or its parts.
func harmless(a slog.Attr) (slog.Attr, bool) {
	switch a.Key {
	case "data", "msg", "req", "res", "invite_request", "invite_response", "cancel_request", "tx", "key":
		return a, false
	case "error":
		// The parser's errors quote the line they stumbled over.
		return slog.String("error", handler.Clipped(firstWords(a.Value.String()), 80)), true
	}
	return slog.String(a.Key, handler.Clipped(a.Value.String(), 100)), true
}

// firstWords ends a text before its first quotation.
func firstWords(s string) string {
	for i, c := range s {
		if c == '"' || c == '\'' || c == '`' {
			return s[:i]
		}
	}
	return s
}

// WithAttrs implements slog.Handler.
func (h *stackLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	c.next = h.next.WithAttrs(attrs)
	return &c
}

// WithGroup implements slog.Handler.
func (h *stackLog) WithGroup(name string) slog.Handler {
	c := *h
	c.next = h.next.WithGroup(name)
	return &c
}
