package registrar

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/emiago/sipgo/siptest"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/metrics"
	"perch/sip/handler"
	"perch/sip/location"
)

var mac = directory.MAC{0, 0x15, 0x65, 0, 0, 1}

// known authenticates everybody as one device.
type known struct{}

func (known) Authenticate(context.Context, *handler.Request) (handler.Identity, error) {
	t := directory.Tenant{Code: "acme", Domains: []string{"acme.test"}, Realm: "acme.test"}
	return handler.Identity{
		Kind: handler.Device, Tenant: t, Device: directory.Device{ID: directory.DeviceID{Tenant: "acme", MAC: mac}}, Line: 1, AOR: t.AOR(mac.String()),
	}, nil
}

func (known) Challenge(context.Context, *handler.Request) error { return handler.Refuse(401, "ending") }

// failing is a store that fails on purpose: fails times with err, then keeps
// nothing.
type failing struct {
	err     error
	fails   int
	commits int
}

func (f *failing) Contacts(context.Context, directory.TenantCode, string) (location.Set, error) {
	return location.Set{}, nil
}

func (f *failing) CommitContacts(context.Context, location.Commit) error {
	f.commits++
	if f.commits <= f.fails {
		return fmt.Errorf("store: %w", f.err)
	}
	return nil
}

func serve(t testing.TB, s Store, change func(string) string) (*siptest.ServerTxRecorder, error) {
	t.Helper()
	text := "REGISTER sip:acme.test SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK1\r\nFrom: <sip:001565000001@acme.test>;tag=f\r\n" +
		"To: <sip:001565000001@acme.test>\r\nCall-ID: a\r\nCSeq: 1 REGISTER\r\nContact: <sip:001565000001@192.0.2.7:5060>\r\nExpires: 600\r\nContent-Length: 0\r\n\r\n"
	if change != nil {
		text = change(text)
	}
	msg, err := sip.NewParser(sip.WithHeadersParsers(handler.HeaderParsers())).ParseSIP([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	req := msg.(*sip.Request)
	req.SetSource("192.0.2.7:5060")
	tx := siptest.NewServerTxRecorder(req)
	r := handler.NewRequest(req, tx, handler.Arrival{}, "", time.Now())
	return tx, New(Options{Store: s, Auth: known{}}).Serve(t.Context(), r)
}

// TestStoreFails: a 200 is for what is stored, everything else says what to do.
func TestStoreFails(t *testing.T) {
	for _, tc := range []struct {
		name    string
		store   *failing
		code    int // 0: the 200 was sent
		commits int
	}{
		{"another was faster, once", &failing{err: location.ErrConflict, fails: 1}, 0, 2},
		{"another is always faster", &failing{err: location.ErrConflict, fails: 99}, 503, attempts},
		{"the session has ended", &failing{err: location.ErrSessionOver, fails: 1}, 401, 1},
		{"the store is away", &failing{err: hotdesk.ErrUnavailable, fails: 1}, 503, 1},
		{"the store is slow", &failing{err: context.DeadlineExceeded, fails: 1}, 503, 1},
		{"a defect", &failing{err: errors.New("defect"), fails: 1}, 500, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tx, err := serve(t, tc.store, nil)
			if tc.store.commits != tc.commits {
				t.Errorf("%d commits", tc.store.commits)
			}
			got := tx.Result()
			if tc.code == 0 {
				if err != nil || len(got) != 1 || got[0].StatusCode != 200 {
					t.Errorf("%v, %v", got, err)
				}
				return
			}
			s := handler.StatusOf(err)
			if s.Code != tc.code || len(got) > 0 || tc.code == 503 && s.RetryAfter == 0 {
				t.Errorf("%v after %v, sent %v", err, s.RetryAfter, got)
			}
		})
	}
}

func TestPathAndForms(t *testing.T) {
	tx, err := serve(t, &failing{}, func(s string) string {
		return strings.Replace(s, "Contact:", "Path: <sip:edge.test;lr>\r\nPath: <sip:b;lr>,<sip:c;lr>\r\nSupported: path\r\nX: 1\r\nContact:", 1)
	})
	if err != nil {
		t.Fatal(err)
	}
	res := tx.Result()[0]
	if got := res.GetHeaders("path"); len(got) != 3 || got[1].Value() != "<sip:b;lr>" {
		t.Errorf("Path %v", got)
	}
	if res.GetHeader("date") == nil {
		t.Error("no Date")
	}
	for name, change := range map[string]func(string) string{
		"too many paths": func(s string) string {
			return strings.Replace(s, "Expires", strings.Repeat("Path: <sip:a>\r\n", 9)+"Expires", 1)
		},
		"long path": func(s string) string {
			return strings.Replace(s, "Expires", "Path: <sip:"+strings.Repeat("a", 600)+">\r\nExpires", 1)
		},
		"bad contact": func(s string) string { return strings.Replace(s, "Contact: <", "Contact: ", 1) },
	} {
		if _, err := serve(t, &failing{}, change); handler.StatusOf(err).Code != 400 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestResultOf(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want string
	}{
		{refusal(location.ErrOutOfOrder), metrics.RegisterOutOfOrder},
		{refusal(&location.TooBrief{Min: 60}), metrics.RegisterTooBrief},
		{refusal(location.ErrTooMany), metrics.RegisterRefused},
		{refusal(location.ErrMalformed), metrics.RegisterMalformed},
		{handler.Refuse(401, "x"), metrics.RegisterChallenged},
		{hotdesk.ErrUnavailable, metrics.RegisterUnavailable},
		{errors.New("x"), metrics.RegisterError},
	} {
		if got := resultOf(tc.err); got != tc.want {
			t.Errorf("%v is %s", tc.err, got)
		}
	}
}
