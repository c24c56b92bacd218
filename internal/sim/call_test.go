package sim

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
)

func TestDialPlaysWhatItHears(t *testing.T) {
	cases := []struct {
		name   string
		opt    CallOptions
		status int
		heard  int
	}{
		{"ordinary", CallOptions{}, 200, 9},
		{"offer in the answer", CallOptions{NoSDP: true}, 200, 9},
		{"unknown codecs", CallOptions{UnknownCodecs: true}, 488, 0},
	}
	r := ready(t, nil)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			res, err := r.phone.Dial(ctx, "*11*1001*4321", c.opt)
			if err != nil {
				t.Fatal(err)
			}
			if res.Status != c.status || len(res.Audio) != c.heard {
				t.Errorf("result %+v", res)
			}
			if c.status == 200 && (res.EndedBy != EndedByServer || res.Codec != "PCMU" || res.Packets != 3) {
				t.Errorf("result %+v", res)
			}
		})
	}
	if st := r.phone.State(); st.InCall || st.Calls != 3 {
		t.Errorf("state %+v", st)
	}
}

func TestHangingUpEarly(t *testing.T) {
	r := ready(t, nil)
	r.set(func() {
		var invite *sip.Request
		r.reply = func(req *sip.Request, from netip.AddrPort) bool {
			if req.Method == sip.INVITE && req.GetHeader("Authorization") != nil {
				r.invites++
				if r.invites == 1 { // a lost INVITE is sent again
					return true
				}
				r.respond(req, from, 180)
				invite = req
				return true
			}
			if req.Method == sip.CANCEL {
				r.cancels++
				r.respond(req, from, 200)
				r.respond(invite, from, 487)
				return true
			}
			return false
		}
	})
	res, err := r.phone.Dial(t.Context(), "1002", CallOptions{CancelAfter: 20 * time.Millisecond})
	if err != nil || res.Status != 487 || res.EndedBy != "" {
		t.Errorf("result %+v %v", res, err)
	}
}

func TestReloadWaitsForTheCall(t *testing.T) {
	r := ready(t, nil)
	r.set(func() {
		r.reply = func(req *sip.Request, from netip.AddrPort) bool {
			if req.Method == sip.INVITE && req.GetHeader("Authorization") != nil {
				r.respond(req, from, 200, fmt.Sprintf("Contact: <sip:perch@%s>", r.addr))
				return true
			}
			return false
		}
	})
	before := r.phone.State()
	ctx, hangUp := context.WithCancel(t.Context())
	ended := make(chan CallResult, 1)
	go func() {
		res, _ := r.phone.Dial(ctx, "1002", CallOptions{})
		ended <- res
	}()
	r.await("call", func(st State) bool { return st.InCall })
	r.checkSync("1001", "check-sync;reboot=false", "s", 1)
	r.answer("s")
	if st := r.phone.State(); st.Fetches != before.Fetches || !st.InCall {
		t.Errorf("fetched during a call: %+v", st)
	}
	hangUp()
	if res := <-ended; res.EndedBy != EndedByPhone || res.Status != 200 {
		t.Errorf("call %+v", res)
	}
	<-r.byes
	r.await("reload", func(st State) bool { return st.Fetches > before.Fetches })
}
