package sim

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
)

func TestRegistrationLife(t *testing.T) {
	t.Run("refresh", func(t *testing.T) {
		r := ready(t, func(s *server, _ *Options) { s.expires = 1 })
		r.await("two refreshes", func(st State) bool { return st.Registers >= 3 })
		r.set(func() {
			id, _, _ := strings.Cut(r.registers[0], " ")
			for i, reg := range r.registers {
				var got string
				var cseq, exp int
				fmt.Sscan(reg, &got, &cseq, &exp)
				if got != id || cseq < i+2 {
					t.Errorf("REGISTER %d: %s after %s", i, reg, r.registers[0])
				}
			}
		})
	})
	t.Run("lost datagrams", func(t *testing.T) {
		ready(t, func(s *server, _ *Options) { s.drop = 3 })
	})
	cases := []struct {
		status int
		again  bool
	}{{503, true}, {423, true}, {401, true}, {403, false}}
	for _, c := range cases {
		t.Run(fmt.Sprint(c.status), func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			mac := testMAC.String()
			s.passwords[mac] = "pw"
			s.files[mac+".cfg"] = yealinkFile(s, "1001", mac, "pw", "Ada")
			s.registerStatus = c.status
			r := power(t, s, options(s, Yealink))
			if c.status != 423 {
				r.awaitEvent(Refused)
			}
			s.set(func() { s.registerStatus = 0 })
			if c.again {
				r.await("registered", func(st State) bool { return st.Registered })
				return
			}
			s.set(func() {
				s.files[mac+".cfg"] += "# touched, another account\naccount.1.password = pw2\n"
				s.passwords[mac] = "pw2"
			})
			if st := r.phone.State(); st.Registered {
				t.Error("a phone that got 403 goes on")
			}
		})
	}
}

func TestShutdownSaysGoodbye(t *testing.T) {
	r := ready(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := r.phone.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	r.set(func() {
		if len(r.contacts) != 0 {
			t.Errorf("contacts left: %v", r.contacts)
		}
		for id, w := range r.subs {
			if !w.ended {
				t.Errorf("subscription %s left", id)
			}
		}
	})
}

func TestTCPPhone(t *testing.T) {
	s := newServer(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	mac := testMAC.String()
	cfg := yealinkFile(s, "1001", mac, "pw", "Ada") + "account.1.sip_server.1.transport_type = 1\n" +
		fmt.Sprintf("account.1.outbound_proxy.1.port = %d\n", l.Addr().(*net.TCPAddr).Port)
	s.set(func() { s.files[mac+".cfg"] = cfg })
	contacts, served := make(chan string, 4), make(chan struct{})
	s.wg.Go(func() {
		defer close(served)
		for range 2 { // the second connection follows the loss of the first
			c, err := l.Accept()
			if err != nil {
				return
			}
			buf := make([]byte, 65536)
			n, _ := c.Read(buf)
			msg, err := sip.ParseMessage(buf[:n])
			if err != nil {
				t.Error(err)
				return
			}
			req := msg.(*sip.Request)
			contacts <- req.Contact().Value()
			res := sip.NewResponseFromRequest(req, 200, "OK", nil)
			res.AppendHeader(sip.NewHeader("Contact", req.Contact().Value()+";expires=3600"))
			fmt.Fprint(c, res.String())
			fmt.Fprintf(c, "OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKo;rport\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:1001@b>\r\nCall-ID: o\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n")
			n, _ = c.Read(buf)
			if !strings.HasPrefix(string(buf[:n]), "SIP/2.0 200 ") || !strings.Contains(string(buf[:n]), ";rport=") {
				t.Errorf("OPTIONS got %s", buf[:n])
			}
			c.Close()
		}
	})
	r := power(t, s, options(s, Yealink))
	first := <-contacts
	if !strings.Contains(first, ";transport=tcp") {
		t.Errorf("contact %s", first)
	}
	<-contacts
	<-served
	r.off()
}
