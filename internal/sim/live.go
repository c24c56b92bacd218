package sim

import (
	"context"
	"sync"
	"time"

	"perch/hotdesk/directory"
)

// live boots the phone and runs its errands, again after each reboot, until
// ctx ends.
func (p *Phone) live(ctx context.Context) {
	again := false
	for p.boot(ctx) {
		if again && p.opt.Faults.RebootTwice {
			again = false
			p.powerOff()
			continue
		}
		if !p.serveErrands(ctx) {
			return
		}
		again = true
		p.powerOff()
		if !sleep(ctx, p.opt.Delays.Reboot.draw()) {
			return
		}
	}
}

// boot fetches until something is served, and puts it into effect. A server
// that is down is asked again, less and less often.
func (p *Phone) boot(ctx context.Context) bool {
	p.update(func(s *State) { s.Phase = PhaseBooting })
	p.emit(PoweredOn, "", 0)
	if !sleep(ctx, p.opt.Delays.Fetch.draw()) {
		return false
	}
	for failures := 1; ; failures++ {
		c, err := p.load(ctx)
		p.idleHTTP()
		if ctx.Err() != nil {
			return false
		}
		if err == nil {
			p.power(true)
			p.apply(ctx, c)
			p.update(func(s *State) {
				s.Phase = PhaseRunning
				s.Boots++
			})
			p.emit(Booted, c.sum, 0)
			return true
		}
		p.opt.Log.Debug("virtual phone found no configuration", "mac", p.opt.MAC.String(), "error", err)
		if !sleep(ctx, backoff(p.opt.Retry, failures)) {
			return false
		}
	}
}

// serveErrands does reloads until a reboot is wanted (true) or ctx ends. Both
// wait until the phone is idle, as desk phones do.
func (p *Phone) serveErrands(ctx context.Context) bool {
	for {
		select {
		case <-p.errands:
		case <-ctx.Done():
			return false
		}
		if p.opt.Faults.NeverFetch {
			if p.nextErrand() == push {
				p.takePushes(func(c *config) { p.apply(ctx, c) })
			}
			continue
		}
		if p.Await(ctx, func(s State) bool { return !s.InCall }) != nil {
			return false
		}
		next := p.nextErrand()
		if next != reboot {
			p.takePushes(func(c *config) { p.apply(ctx, c) })
		}
		switch next {
		case reboot:
			p.emit(Rebooting, "", 0)
			return sleep(ctx, p.opt.Faults.FetchLate)
		case reload:
			p.emit(Reloading, "", 0)
			p.update(func(s *State) { s.Phase = PhaseReloading })
			p.reload(ctx)
			p.update(func(s *State) { s.Phase = PhaseRunning })
		}
	}
}

// reload fetches again and applies what changed. A failed fetch leaves the
// phone as it was.
func (p *Phone) reload(ctx context.Context) {
	if !sleep(ctx, p.opt.Delays.Fetch.draw()+p.opt.Faults.FetchLate) {
		return
	}
	c, err := p.load(ctx)
	p.idleHTTP()
	if err != nil {
		p.opt.Log.Debug("virtual phone could not reload", "mac", p.opt.MAC.String(), "error", err)
		return
	}
	if c.sum == p.State().Config {
		p.emit(Unchanged, c.sum, 0) // a phone compares digests and applies nothing
		return
	}
	if !sleep(ctx, p.opt.Delays.Reload.draw()) {
		return
	}
	p.apply(ctx, c)
}

// powerOff makes the phone deaf and drops everything but where its
// configuration comes from. Nothing is said to the server.
func (p *Phone) powerOff() {
	p.power(false)
	p.mu.Lock()
	l, tcp := p.line, p.tcp
	p.line, p.tcp = nil, nil
	clear(p.dialogs)
	clear(p.servers)
	clear(p.posed)
	p.st.Phase, p.st.Registered, p.st.AOR, p.st.Config = PhaseRebooting, false, "", ""
	p.wake()
	p.mu.Unlock()
	if l != nil {
		l.cancel()
		l.work.Wait()
	}
	if tcp != nil {
		tcp.close()
	}
}

func (p *Phone) power(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deaf = !on
}

func (p *Phone) idleHTTP() {
	if p.ownHTTP != nil {
		p.ownHTTP.CloseIdleConnections()
	}
}

// apply puts a configuration into effect. The same account keeps its
// registration and only its keys are compared; another one replaces the line.
func (p *Phone) apply(ctx context.Context, c *config) {
	p.keepSource(c.prov)
	p.macInUA.Store(c.macInUA)
	acct, has := c.first()
	p.mu.Lock()
	p.rule, p.trusting, p.dial, p.realm, p.pusher = c.reboot, c.trusting, c.dial, c.realm, c.push
	if p.opt.ChallengeNotify != "" {
		p.realm = clean(p.opt.ChallengeNotify)
	}
	old := p.line
	same := old != nil && has && old.acct == acct
	p.st.Config, p.st.Account, p.st.DisplayName = c.sum, "", ""
	if has {
		p.st.Account, p.st.DisplayName = acct.aor(), acct.name
	}
	p.wake()
	p.mu.Unlock()
	if p.opt.Faults.NeverSubscribe {
		c.keys = nil
	}
	if same {
		old.changeKeys(c.keys)
	} else {
		p.replaceLine(ctx, old, acct, has, c.keys)
	}
	p.emit(Applied, c.sum, 0)
}

// keepSource makes the fetched provisioning settings the ones in flash.
func (p *Phone) keepSource(f provisioned) {
	next := source{base: p.src.base, user: p.src.user, password: p.src.password}
	if f.url != "" {
		s, err := newSource(f.url, &p.opt, "", "")
		if err != nil {
			p.emit(Misbehaved, "provisioning URL that is none", 0)
			return
		}
		next.base = s.base
		if s.user != "" {
			next.user, next.password = s.user, s.password
		}
	}
	if f.user != "" {
		next.user, next.password = clean(f.user), directory.Secret(clean(f.password.Reveal()))
	}
	p.src = next
}

// replaceLine ends the old account and begins the new one at once; what the old
// one still has to say goes on beside it.
func (p *Phone) replaceLine(ctx context.Context, old *line, acct account, has bool, keys []blfKey) {
	var l *line
	if has {
		l = p.newLine(acct, keys)
	}
	if old != nil {
		old.cancel()
		old.work.Wait()
		if p.opt.UnregisterFirst {
			bye, cancel := context.WithTimeout(ctx, 8*p.opt.T1)
			old.unregister(bye)
			cancel()
		}
		p.spawn(func() { old.unsubscribeAll(p.root, old.allSubs()) })
	}
	p.mu.Lock()
	p.line = l
	p.st.Registered, p.st.AOR = false, ""
	p.wake()
	p.mu.Unlock()
	if l != nil {
		l.work.Go(l.keepRegistered)
		l.work.Go(l.keepSubscribed)
	}
}

func (p *Phone) newLine(acct account, keys []blfKey) *line {
	l := &line{p: p, acct: acct, subs: map[int]*subscription{}, shared: &authState{}, due: make(chan struct{}, 1)}
	l.ctx, l.cancel = context.WithCancel(p.root)
	l.reg = registration{callID: token(12), tag: token(6), auth: l.auth()}
	for _, k := range keys {
		l.subs[k.Index] = l.newSubscription(k)
	}
	return l
}

// changeKeys ends the subscriptions of keys that are gone and begins new ones.
func (l *line) changeKeys(keys []blfKey) {
	want := map[int]blfKey{}
	for _, k := range keys {
		want[k.Index] = k
	}
	var gone []*subscription
	l.p.mu.Lock()
	for i, s := range l.subs {
		if want[i] == s.key {
			delete(want, i)
			continue
		}
		delete(l.subs, i)
		gone = append(gone, s)
	}
	for i, k := range want {
		l.subs[i] = l.newSubscription(k)
	}
	l.p.wake()
	l.p.mu.Unlock()
	l.lookAgain()
	l.work.Go(func() { l.unsubscribeAll(l.ctx, gone) })
}

func (l *line) allSubs() []*subscription {
	l.p.mu.Lock()
	defer l.p.mu.Unlock()
	var all []*subscription
	for _, s := range l.subs {
		all = append(all, s)
	}
	return all
}

// unsubscribeAll ends dialogs side by side.
func (l *line) unsubscribeAll(ctx context.Context, subs []*subscription) {
	var wg sync.WaitGroup
	for _, s := range subs {
		wg.Go(func() { l.unsubscribe(ctx, s) })
	}
	wg.Wait()
}

// farewell says goodbye within a few seconds.
func (p *Phone) farewell(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, min(5*time.Second, 64*p.opt.T1))
	defer cancel()
	p.mu.Lock()
	l := p.line
	for _, c := range p.talks {
		c.hangUp()
	}
	p.mu.Unlock()
	if l == nil {
		return
	}
	_ = p.Await(ctx, func(s State) bool { return !s.InCall })
	l.cancel()
	l.work.Wait()
	l.unsubscribeAll(ctx, l.allSubs())
	l.unregister(ctx)
}
