package child

import (
	"bufio"
	"context"
	"net"
	"strings"
	"time"
)

// waitAnswer asks until the server answers PING, which it does once its file is
// loaded; false when it ended or ctx did.
func waitAnswer(ctx context.Context, socket string, gone <-chan struct{}) bool {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if ping(ctx, socket) {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-gone:
			return false
		case <-tick.C:
		}
	}
}

// ping sends one inline PING; "-LOADING" is not an answer.
func ping(ctx context.Context, socket string) bool {
	d := net.Dialer{Timeout: time.Second}
	c, err := d.DialContext(ctx, "unix", socket)
	if err != nil {
		return false
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(time.Second))
	if _, err := c.Write([]byte("PING\r\n")); err != nil {
		return false
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	return err == nil && strings.HasPrefix(line, "+PONG")
}
