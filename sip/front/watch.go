package front

import "perch/sip/siptrace"

// watched is what a connection needs to show its messages to who watches.
type watched struct {
	trace     *siptrace.Tracer // nil: nobody ever
	transport string
	seen      *siptrace.Stream // what was read since somebody watches; the reader's only
}

// watch shows what was read.
func (c *Conn) watch(b []byte) {
	if !c.trace.On() {
		c.seen = nil
		return
	}
	if c.seen == nil {
		c.seen = &siptrace.Stream{}
	}
	c.seen.Feed(b, func(msg []byte) { c.trace.Saw(c.packet(true, msg)) })
}

// Write implements net.Conn. The stack writes one message at a time.
func (c *Conn) Write(b []byte) (int, error) {
	if c.trace.On() && len(b) > len("\r\n\r\n") {
		c.trace.Saw(c.packet(false, b))
	}
	return c.Conn.Write(b)
}

func (c *Conn) packet(in bool, text []byte) siptrace.Packet {
	return siptrace.Packet{Transport: c.transport, In: in, Local: c.LocalAddr().String(), Remote: c.RemoteAddr().String(), Text: text}
}
