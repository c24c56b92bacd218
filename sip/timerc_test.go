package sip_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"perch/sip"
	"perch/sip/calls"
	"perch/sip/handler"
	"perch/sip/proxy"
)

// untold is a tracker that nobody asks.
type untold struct{}

func (untold) Begin(calls.Start) calls.Ref              { return calls.Ref{} }
func (untold) Try(calls.Ref, calls.Branch)              {}
func (untold) Ring(calls.Ref, string, int, string)      {}
func (untold) Answer(calls.Ref, string, calls.Answered) {}
func (untold) Fail(calls.Ref, string, int)              {}
func (untold) End(calls.Ref, calls.Ending)              {}
func (untold) HangUp(calls.Dialog)                      {}
func (untold) Seen(calls.Dialog, time.Duration)         {}

// ringing is an office whose proxy has little patience.
func ringing(t *testing.T, timerC, whole time.Duration) *office {
	return open(t, func(opts *sip.Options, o *office) {
		px, err := proxy.New(proxy.Options{
			Directory: o.store, Location: o.store, Sender: o.sender, Auth: o.auth, Tracker: untold{}, Key: []byte("key"),
			Log: slog.New(slog.NewTextHandler(io.Discard, nil)), TimerC: timerC, Ringing: whole,
		})
		o.must(err)
		t.Cleanup(func() { o.must(px.Close(context.Background())) })
		opts.Handlers.Invite = px.First(handler.Authenticated(o.auth, nil, px.Invite))
		opts.Handlers.Ack = px.First(func(context.Context, *handler.Request) error { return nil })
	})
}

// TestTimerC: a phone that rings and then says nothing is stopped after timer
// C (RFC 3261 section 16.8), which each ringing begins anew; and one that rings
// for ever, when the whole time is over.
func TestTimerC(t *testing.T) {
	for name, tc := range map[string]struct {
		timerC, whole time.Duration
		again         bool
	}{
		"silent":   {400 * time.Millisecond, time.Minute, false},
		"for ever": {20 * time.Second, 600 * time.Millisecond, true},
	} {
		t.Run(name, func(t *testing.T) {
			o := ringing(t, tc.timerC, tc.whole)
			mac := desk1.MAC.String()
			called := o.phone("udp", "1001", "1001", "s3cret")
			want(t, called.register(""), 200)
			caller := o.phone("tcp", "1002", mac, o.login("1002", desk1))
			caller.challenged(caller.send(caller.message("REGISTER", "")))
			text := strings.ReplaceAll(caller.message("INVITE", caller.authorization("INVITE")), "INVITE sip:acme.test", "INVITE sip:1001@acme.test")
			caller.write(text)
			ask := called.read()
			called.respond(ask, "180 Ringing", "a")
			if tc.again {
				called.respond(ask, "180 Ringing", "a")
			}
			cancel := called.read()
			if !strings.HasPrefix(cancel.text, "CANCEL ") {
				t.Fatalf("got\n%s", cancel.text)
			}
			called.respond(cancel, "200 OK", "a")
			called.respond(ask, "487 Request Terminated", "a")
			for {
				if r := caller.read(); r.code >= 200 {
					if fmt.Sprint(r.code) != "408" {
						t.Errorf("the caller got\n%s", r.text)
					}
					break
				}
			}
		})
	}
}
