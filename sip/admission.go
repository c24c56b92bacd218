package sip

import (
	"net"
	"net/netip"
	"time"

	"perch/internal/ratelimit"
	"perch/sip/front"
	"perch/sip/handler"
)

// admission builds what stands before the stack: the guard, which keeps account
// of every source, and the door and the gate, which ask it.
func (s *Server) admission() {
	if s.o.Bans == nil {
		s.o.Bans = ratelimit.NewBans()
	}
	s.guard = ratelimit.NewGuard(s.o.Trusted, ratelimit.DefaultBudgets(), s.o.Bans, func(b ratelimit.Ban) {
		s.o.Metrics.Banned(b.Why)
		if s.o.Banned != nil {
			s.o.Banned(b)
		}
	})
	s.door = front.NewDoor(front.DoorOptions{Guard: s.guard, Metrics: s.o.Metrics, Server: s.o.Server, Now: s.o.Now})
	s.gate = front.NewGate(s.o.Conns.Total, s.o.Conns.PerAddress, s.o.Trusted, s.o.Metrics).Use(s.door)
}

func (s *Server) now() time.Time {
	if s.o.Now != nil {
		return s.o.Now()
	}
	return time.Now()
}

// clean is the door for WebSocket messages.
func (s *Server) clean(from net.Addr, msg []byte) (in, answer []byte, ok bool) {
	var addr netip.Addr
	if ap, err := netip.ParseAddrPort(from.String()); err == nil {
		addr = ap.Addr()
	}
	return s.door.Frame(addr, msg)
}

// judge makes the chain tell the guard who is known and who never is. Only
// what was refused for want of proof or sense counts: a source is not held
// answerable for a store that is away.
func (s *Server) judge(a *handler.Arrival, source string, c interface{ Admit() }) {
	from, err := netip.ParseAddrPort(source)
	if err != nil {
		return
	}
	addr := from.Addr()
	a.Admit = func() {
		if c != nil {
			c.Admit()
		}
		s.guard.Authenticated(addr, s.now())
	}
	a.Unproven = func(user string, code int) {
		switch code {
		case 401, 403, 404, 407, 481:
			s.guard.Unproven(addr, user, s.now())
		case 501:
			s.guard.Strange(addr, strangeMethod, s.now())
		case 400, 414, 416, 420, 505:
			s.guard.Strange(addr, 1, s.now())
		}
	}
}

// strangeMethod is the weight of a method that does not exist: ten of them,
// and whoever sends them is no phone.
const strangeMethod = 10
