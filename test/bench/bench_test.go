package main

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test's own binary be the processes that a measure starts.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-") {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestMeasures runs each measure at a tiny size: what it prints has figures in
// it, and nothing went wrong.
func TestMeasures(t *testing.T) {
	for _, tc := range []struct {
		args string
		want []string
		not  []string
	}{
		{"logins -phones 4 -codes 1 -parallel 2", []string{"4 phones booted", "by REST: 4 logins", "by feature code: 1 logins", "accepted - ready"}, []string{"(0)", " 1 failed"}},
		{"refresh -alone -rounds 1 -users 20 -for 1s -server-cpu= -load-cpu=", []string{"udp, refresh", "tcp, challenged"}, []string{" 0/s"}},
		{"calls -alone -rounds 1 -pairs 3 -for 1s -server-cpu= -load-cpu=", []string{"udp, 3 at a time", "tcp, 3 at a time", "failed 0"}, []string{" 0/s"}},
		{"avalanche -phones 6 -jitter 100ms", []string{"6 phones, jitter 0s: 6 registered", "6 phones, jitter 100ms: 6 registered"}, nil},
		{"soak -for 1s -settle 10ms -users 10 -phones 2 -rate 40", []string{"before", "loaded", "after", "grown by", "udp: ", "tcp: "}, nil},
	} {
		name, _, _ := strings.Cut(tc.args, " ")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			var out strings.Builder
			if err := command(ctx, strings.Fields(tc.args), &out); err != nil {
				t.Fatalf("%v\n%s", err, out.String())
			}
			for _, want := range tc.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("no %q in\n%s", want, out.String())
				}
			}
			for _, not := range tc.not {
				if strings.Contains(out.String(), not) {
					t.Errorf("%q in\n%s", not, out.String())
				}
			}
		})
	}
}

func TestTable(t *testing.T) {
	var out strings.Builder
	in := "goos: linux\npkg: perch/sip\nBenchmarkRegister/udp-2   100   1234567 ns/op   5900 B/op   95 allocs/op\nPASS\n"
	if err := tabulate(strings.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"sip Register/udp", "1.23ms", "810", "5900", "95"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"nonsense"}, {"logins", "-nonsense"}, {"serve"}} {
		if err := command(t.Context(), args, &strings.Builder{}); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
}

// TestKamailioConfig: the other side of the comparison registers users too.
func TestKamailioConfig(t *testing.T) {
	if !strings.Contains(kamailioConfig, `"PASSWORD"`) {
		t.Error("no place for the password")
	}
	k, err := startKamailio(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, tp := range []string{"udp", "tcp"} {
		r, err := load{Target: k.at, Transport: tp, Users: 5, Conns: 2, Window: 2, For: 50 * time.Millisecond}.run()
		if err != nil || r.OK == 0 || r.Other > 0 {
			t.Errorf("%s: %+v, %v", tp, r, err)
		}
	}
	if err := k.stop(); err != nil {
		t.Error(err)
	}
}

func TestReadResponse(t *testing.T) {
	u := newUser("7", "127.0.0.1:5", "udp")
	text := string(u.appendRegister(nil, 3))
	_, via, _ := strings.Cut(text, "\r\n")
	slot, seq, code := readResponse([]byte("SIP/2.0 401 No\r\n" + via))
	if slot != 3 || seq != 1 || code != 401 {
		t.Errorf("%d %d %d", slot, seq, code)
	}
	for _, bad := range []string{"", "SIP/2.0 200", "SIP/2.0 200 OK\r\nVia: branch=z9hG4bK-", "SIP/2.0 200 OK\r\nVia: branch=z9hG4bK-x-y-z", text} {
		if slot, _, _ := readResponse([]byte(bad)); slot != -1 {
			t.Errorf("%q: slot %d", bad, slot)
		}
	}
	if !u.challenged([]byte(`WWW-Authenticate: Digest realm="r", nonce="n"`)) || u.challenged([]byte("none")) {
		t.Error("challenge")
	}
	if text := string(u.appendRegister(nil, 3)); !strings.Contains(text, `nonce="n"`) || !strings.Contains(text, "nc=00000001") {
		t.Error(text)
	}
}
