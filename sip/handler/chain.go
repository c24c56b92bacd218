package handler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"

	"perch/metrics"
)

// Chain adapts our handlers to the stack, once for all of them.
type Chain struct {
	Log     *slog.Logger
	Metrics *metrics.SIP     // nil: not counted
	Server  string           // Server header; empty: none
	Timeout time.Duration    // of everything but INVITE; 0: 10 s
	Now     func() time.Time // nil: time.Now

	// Emergency knows the installation's emergency numbers; nil: only those that
	// are known everywhere.
	Emergency func(user string) bool

	load *Load

	draining atomic.Bool
	inFlight atomic.Int64
	callCtx  context.Context // ends when draining begins: a call may last for minutes
	endCalls context.CancelFunc
	ctx      context.Context // ends when draining is over
	end      context.CancelFunc
}

// NewChain makes the chain. The other fields of Chain are set before its use.
func NewChain(log *slog.Logger, m *metrics.SIP, server string, l Limits) *Chain {
	c := &Chain{Log: log, Metrics: m, Server: server, load: NewLoad(l, nil)}
	c.ctx, c.end = context.WithCancel(context.Background())
	c.callCtx, c.endCalls = context.WithCancel(c.ctx)
	return c
}

// Drain refuses new requests with 503, ends the calls, waits for the handlers
// until ctx ends, and then ends the rest. The chain is of no use afterwards.
func (c *Chain) Drain(ctx context.Context) {
	c.draining.Store(true)
	c.endCalls()
	defer c.end()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for c.inFlight.Load() > 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// ErrCanceled is the cause of an INVITE's context after a CANCEL: the stack
// has answered both, 200 and 487.
var ErrCanceled = errors.New("handler: the call was cancelled")

// Adapt makes the stack's handler of ours; arrival tells by which way a request
// came.
func (c *Chain) Adapt(arrival func(*sip.Request, sip.ServerTransaction) Arrival, next Handler) sipgo.RequestHandler {
	return func(req *sip.Request, tx sip.ServerTransaction) {
		c.inFlight.Add(1)
		defer c.inFlight.Add(-1)
		service(req)
		r := NewRequest(req, tx, arrival(req, tx), c.Server, c.now())
		err := c.admit(r, next)
		if err != nil {
			err = c.answer(r, err)
		}
		c.finish(r, err)
	}
}

func (c *Chain) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

// admit checks, bounds and runs.
func (c *Chain) admit(r *Request, next Handler) error {
	if r.SIP.IsAck() { // never answered, so never refused: RFC 3261 section 17
		if s := Validate(r.SIP); s != nil {
			return s
		}
		return c.run(c.ctx, r, next)
	}
	if c.draining.Load() {
		return &Status{Code: sip.StatusServiceUnavailable, RetryAfter: unavailableAfter, Why: "draining"}
	}
	value, long := ValueOf(r.SIP, c.Emergency), r.SIP.IsInvite()
	after, ok := c.load.Enter(value, long, c.now())
	if !ok {
		c.Metrics.Shed(value.String())
		return &Status{Code: sip.StatusServiceUnavailable, RetryAfter: after, Why: "overload"}
	}
	defer func() { c.load.Leave(long, c.now()) }()
	if s := Validate(r.SIP); s != nil {
		return s
	}
	if r.SIP.IsInvite() {
		return c.invite(r, next)
	}
	timeout := c.Timeout
	if timeout <= 0 {
		timeout = 10 * time.Second
	}
	ctx, cancel := context.WithTimeout(c.ctx, timeout)
	defer cancel()
	return c.run(ctx, r, next)
}

// invite ties the context to the transaction and writes our tag into the
// request itself, from which the stack builds the 487 to a CANCEL. The 100 goes
// out at once (RFC 3261 section 17.2.1), which spares the phone its
// retransmissions.
func (c *Chain) invite(r *Request, next Handler) error {
	ctx, cancel := context.WithCancelCause(c.callCtx)
	defer cancel(nil)
	if r.toTag == "" {
		to := *r.SIP.To()
		to.Params = append(to.Params[:len(to.Params):len(to.Params)], sip.HeaderKV{K: "tag", V: r.tag})
		r.SIP.ReplaceHeader(&to)
	}
	if err := r.Send(r.Response(sip.StatusTrying, "")); err != nil {
		return err
	}
	r.Tx.OnCancel(func(*sip.Request) { cancel(ErrCanceled) })
	if !r.Tx.OnTerminate(func(string, error) { cancel(nil) }) {
		cancel(nil)
	}
	return c.run(ctx, r, next)
}

// run recovers: a panic in a handler would end the process.
func (c *Chain) run(ctx context.Context, r *Request, next Handler) (err error) {
	defer func() {
		if p := recover(); p != nil {
			c.Log.Error("sip handler panicked", "method", Clipped(r.Method(), 20), "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = &Status{Code: sip.StatusInternalServerError, Why: "panic"}
		}
	}()
	return next(ctx, r)
}

// answer sends the response that an error stands for, unless there was one.
func (c *Chain) answer(r *Request, err error) error {
	if r.SIP.IsAck() || r.sent != 0 {
		return err
	}
	s := StatusOf(err)
	if sendErr := r.refuse(s); sendErr != nil && !errors.Is(sendErr, sip.ErrTransactionCanceled) {
		return errors.Join(err, sendErr)
	}
	return err
}

// finish counts and writes the one line of the transaction.
func (c *Chain) finish(r *Request, err error) {
	c.Metrics.Request(r.Method(), r.sent)
	if r.unproven != nil && r.Identity.Kind == "" && r.sent >= 400 && r.sent < 600 {
		r.unproven(r.name(), r.sent)
	}
	level, attrs := slog.LevelDebug, make([]slog.Attr, 0, 10+len(r.notes))
	if r.SIP.IsInvite() {
		level = slog.LevelInfo
	}
	attrs = append(
		attrs,
		slog.String("method", Clipped(r.Method(), 20)), slog.Int("status", r.sent),
		slog.Duration("took", c.now().Sub(r.Received)), slog.String("source", r.Flow.Remote),
		slog.String("transport", r.Flow.Transport), slog.String("call_id", Clipped(r.CallID(), 80)),
	)
	if r.Identity.Kind != "" {
		attrs = append(attrs, slog.Any("from", r.Identity))
	}
	if err != nil {
		s := StatusOf(err)
		c.Metrics.Refused(s.Why)
		attrs = append(attrs, slog.String("result", s.Why))
		if s.Code >= 500 && s.Err != nil {
			// A defect is for the operator. A store that is away says so itself,
			// once; a peer that is gone is nobody's business.
			if s.Code == sip.StatusInternalServerError && !errors.Is(err, ErrUnsent) {
				level = slog.LevelWarn
			}
			attrs = append(attrs, slog.String("error", Clipped(s.Err.Error(), 300)))
		}
	}
	c.Log.LogAttrs(context.Background(), level, "sip request", append(attrs, r.notes...)...)
}
