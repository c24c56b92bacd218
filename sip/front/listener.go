package front

import (
	"crypto/rand"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"perch/metrics"
	"perch/sip/siptrace"
)

// Bounds on accepted connections. A site behind one address may have 5,000
// phones.
const (
	DefaultPerAddress = 5_000
	DefaultTotal      = 20_000
)

// firstAuthentication is how long a connection may last before a request over
// it has been authenticated. Silent and trickling peers end here.
const firstAuthentication = 30 * time.Second

// Gate counts the connections of all listeners together.
type Gate struct {
	total, perAddress int
	trusted           []netip.Prefix
	metrics           *metrics.SIP
	closed            chan string
	door              *Door

	mu   sync.Mutex
	open int
	from map[netip.Addr]int
}

// NewGate makes a gate; zero bounds are the defaults. Trusted addresses have
// no bound of their own, but count in the total.
func NewGate(total, perAddress int, trusted []netip.Prefix, m *metrics.SIP) *Gate {
	if total <= 0 {
		total = DefaultTotal
	}
	if perAddress <= 0 {
		perAddress = DefaultPerAddress
	}
	return &Gate{total: total, perAddress: perAddress, trusted: trusted, metrics: m, from: map[netip.Addr]int{}, closed: make(chan string, total)}
}

// Closed gives the ID of each admitted connection that has closed. It holds as
// many as there may be connections; what nobody takes beyond that is dropped.
func (g *Gate) Closed() <-chan string { return g.closed }

func (g *Gate) tell(c *Conn) {
	if !c.admitted.Load() {
		return // nobody is known to have used it
	}
	select {
	case g.closed <- c.id:
	default:
	}
}

// Use makes the gate ask a door whether a source is banned, or has spent its
// budget, before its connection costs anything. Before the first Accept.
func (g *Gate) Use(d *Door) *Gate {
	g.door = d
	return g
}

// refused tells why the door does not let a connection in; empty: it does.
func (g *Gate) refused(a netip.Addr) string {
	if g.door.shut(a) {
		return metrics.DropBanned
	}
	return g.door.admit(a, connectionCosts)
}

// connectionCosts is what a connection counts as, in bytes of a message: the
// stack's memory for it.
const connectionCosts = 4 << 10

func (g *Gate) enter(a netip.Addr) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	bounded := !slices.ContainsFunc(g.trusted, func(p netip.Prefix) bool { return p.Contains(a) })
	if g.open >= g.total || bounded && g.from[a] >= g.perAddress {
		return false
	}
	g.open++
	g.from[a]++
	return true
}

func (g *Gate) leave(a netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open--
	if g.from[a]--; g.from[a] == 0 {
		delete(g.from, a)
	}
}

// Listener accepts connections within the bounds of its gate.
type Listener struct {
	net.Listener
	// Trace sees every message of the connections, which are Transport ("tcp",
	// "tls"); set before use. Trace may be nil: then nothing is looked at, which
	// is for connections that hold more than plain SIP.
	Trace     *siptrace.Tracer
	Transport string

	gate   *Gate
	closed chan struct{}
	once   sync.Once
}

// NewListener wraps an open listener.
func NewListener(l net.Listener, g *Gate) *Listener {
	return &Listener{Listener: l, gate: g, closed: make(chan struct{})}
}

// Accept waits for the next connection that the gate lets in. An error that
// may pass (no file descriptors, a peer that gave up) is waited out; the only
// error returned is net.ErrClosed, since the stack stops at any.
func (l *Listener) Accept() (net.Conn, error) {
	pause := 5 * time.Millisecond
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) || !l.rest(&pause) {
				return nil, net.ErrClosed
			}
			continue
		}
		pause = 5 * time.Millisecond
		addr := remoteAddr(c)
		if reason := l.gate.refused(addr); reason != "" {
			l.gate.metrics.Dropped(reason)
			_ = c.Close()
			continue
		}
		if !l.gate.enter(addr) {
			l.gate.metrics.Dropped(metrics.DropConnections)
			_ = c.Close() // refused: nothing to tell the peer
			continue
		}
		bound(c)
		conn := newConn(c, func() { l.gate.leave(addr) })
		conn.tell = l.gate.tell
		conn.anonymous = func() { l.gate.metrics.Dropped(metrics.DropAnonymous) }
		conn.watched = watched{trace: l.Trace, transport: l.Transport}
		return conn, nil
	}
}

// writeBuffer bounds what the kernel keeps for a peer that reads slowly or not
// at all, in bytes: some two hundred NOTIFYs.
const writeBuffer = 256 << 10

// bound sets it on the TCP connection, also below TLS.
func bound(c net.Conn) {
	if t, ok := c.(interface{ NetConn() net.Conn }); ok {
		c = t.NetConn()
	}
	if t, ok := c.(interface{ SetWriteBuffer(int) error }); ok {
		_ = t.SetWriteBuffer(writeBuffer) // a hint
	}
}

// rest waits; false once the listener is closed.
func (l *Listener) rest(pause *time.Duration) bool {
	t := time.NewTimer(*pause)
	defer t.Stop()
	*pause = min(*pause*2, time.Second)
	select {
	case <-t.C:
		return true
	case <-l.closed:
		return false
	}
}

// Close closes the listener, not its connections. It is safe twice.
func (l *Listener) Close() error {
	var err error
	l.once.Do(func() {
		close(l.closed)
		err = l.Listener.Close()
	})
	return err
}

func remoteAddr(c net.Conn) netip.Addr {
	ap, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}

// Conn is an accepted connection with a name of its own, so that it cannot be
// taken for a later one between the same addresses.
type Conn struct {
	net.Conn
	id       string
	deadline time.Time // until a request was authenticated
	admitted atomic.Bool
	once     sync.Once
	done     chan struct{}
	leave    func()
	tell     func(*Conn)  // of the close; may be nil
	heard    atomic.Int64 // Unix ms of the last bytes read

	anonymous func() // told when nobody was authenticated in time; may be nil
	told      sync.Once
	watched
}

func newConn(c net.Conn, leave func()) *Conn {
	return &Conn{Conn: c, id: rand.Text()[:16], deadline: time.Now().Add(firstAuthentication), done: make(chan struct{}), leave: leave}
}

// ID is the connection's name, random.
func (c *Conn) ID() string { return c.id }

// Read implements net.Conn, remembers when it read something, and counts a
// connection that ends because nobody was authenticated.
func (c *Conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.heard.Store(time.Now().UnixMilli())
	}
	if err != nil && c.anonymous != nil && !c.admitted.Load() && !time.Now().Before(c.deadline) {
		c.told.Do(c.anonymous)
	}
	c.watch(b[:n])
	return n, err //nolint:wrapcheck // a net.Conn's own
}

// Heard is when the peer last sent anything, keep-alives included; zero before.
func (c *Conn) Heard() time.Time {
	if ms := c.heard.Load(); ms != 0 {
		return time.UnixMilli(ms)
	}
	return time.Time{}
}

// Done is closed when the connection is.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Admit ends the short deadline: somebody who may be here uses it.
func (c *Conn) Admit() {
	if c.admitted.CompareAndSwap(false, true) {
		// The read that now waits has the short deadline still; the stack sets
		// the long one before its next.
		_ = c.Conn.SetReadDeadline(time.Now().Add(admittedIdle))
	}
}

// admittedIdle is how long an admitted connection may be silent. Phones
// without keep-alives are silent from REGISTER to REGISTER, at most two hours.
const admittedIdle = 2*time.Hour + 10*time.Minute

// ReadTimeout is the stack's: it sets this deadline before every read.
const ReadTimeout = admittedIdle

// SetReadDeadline keeps the deadline of an anonymous connection.
func (c *Conn) SetReadDeadline(t time.Time) error {
	if !c.admitted.Load() && (t.IsZero() || t.After(c.deadline)) {
		t = c.deadline
	}
	return c.Conn.SetReadDeadline(t)
}

// Close closes the connection and gives back its place. It is safe twice.
func (c *Conn) Close() error {
	c.once.Do(func() {
		close(c.done)
		c.leave()
		if c.tell != nil {
			c.tell(c)
		}
	})
	return c.Conn.Close()
}
