package proxy

import (
	"context"

	"perch/sip/calls"
	"perch/sip/handler"
)

// Single answers a request outside a dialog that begins no call, of an
// authenticated sender: MESSAGE, REFER. It goes to the phones of who is asked at
// once; the first 2xx is the answer.
func (p *Proxy) Single(ctx context.Context, r *handler.Request) error {
	if r.ToTag() != "" {
		return handler.Refuse(481, "no_dialog")
	}
	who, err := p.caller(ctx, r)
	if err != nil {
		return err
	}
	return p.single(ctx, r, who)
}

func (p *Proxy) single(ctx context.Context, r *handler.Request, who caller) error {
	way, w, err := p.admitted(ctx, r, who)
	if err != nil {
		return err
	}
	if w.kind == calls.Emergency {
		return handler.Refuse(405, "not_a_call")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := p.newCall(r, who, way, w)
	c.inside = true // no dialog begins: it leaves no routes and no record
	out := make(chan heard, len(w.targets))
	for _, t := range w.targets {
		a := &attempt{to: t, call: c, stop: make(chan struct{})}
		if !p.work(func() { out <- p.sendOnce(ctx, a) }) {
			return handler.Refuse(503, "draining")
		}
	}
	for range w.targets {
		h := <-out
		if h.code/100 == 2 || better(h.code, c.best.code) {
			c.best = h
		}
		if h.code/100 == 2 || h.code/100 == 6 {
			break
		}
	}
	if c.best.res != nil && c.best.code/100 == 2 {
		return r.Send(c.relay(c.best))
	}
	return c.refuse()
}

// sendOnce sends to one phone by the first way that is open.
func (p *Proxy) sendOnce(ctx context.Context, a *attempt) heard {
	h := heard{a: a, code: 480}
	for _, s := range a.to.hops() {
		f, req, err := a.call.request(ctx, a, s, nil)
		if err != nil {
			h = a.failed(err)
			continue
		}
		res, err := p.Sender.Forward(ctx, f, req, branch(a.call.mark))
		if err != nil {
			h = a.failed(err)
			continue
		}
		if !usable(res) {
			return heard{a: a, code: 502}
		}
		return heard{a: a, res: res, code: res.StatusCode}
	}
	return h
}
