package sip

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"perch/sip/front"
)

// TestReadersTakeTurns: the stack's memory of its peers is freed by ending its
// read loop under load; no request is lost and each is answered from the
// listener.
func TestReadersTakeTurns(t *testing.T) {
	s, err := New(Options{Listen: []string{"udp://127.0.0.1:0"}, Node: "n", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	e := s.endpoints[0]
	pool := e.ua.TransportLayer().Pool("udp")
	var turns atomic.Int32
	e.packet = front.NewSocket(e.socket.packet, nil, func() bool { turns.Add(1); return true })
	e.packet.Linger = time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	<-s.Started()

	most := 0
	for peer := range 60 {
		conn, err := net.Dial("udp4", e.flow.Local)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		buf := make([]byte, 4096)
		for i := range 60 {
			if _, err := fmt.Fprintf(conn, "OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%d.%d;rport\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:x>\r\nCall-ID: %d\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n", conn.LocalAddr(), peer, i, peer); err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Read(buf); err != nil { // a connected socket hears the listener only
				t.Fatalf("peer %d, request %d: %v", peer, i, err)
			}
		}
		most = max(most, pool.Size())
		_ = conn.Close()
	}
	if turns.Load() < 2 || pool.Size() >= 60 {
		t.Errorf("%d turns; the stack remembers %d peers, at most %d", turns.Load(), pool.Size(), most)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
