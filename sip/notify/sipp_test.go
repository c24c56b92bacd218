package notify_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// SIPp is a subscriber that nobody here wrote.
func TestSIPp(t *testing.T) {
	sipp, err := exec.LookPath("sipp")
	if err != nil {
		t.Fatal("sipp is needed: apt-get install sip-tester")
	}
	scenario, err := filepath.Abs("testdata/watch.xml")
	if err != nil {
		t.Fatal(err)
	}
	for tp, mode := range map[string]string{"udp": "u1", "tcp": "t1"} {
		t.Run(tp, func(t *testing.T) {
			o := open(t)
			dir := t.TempDir()
			mac := desk1.MAC.String()
			fields := fmt.Sprintf("SEQUENTIAL\n%s;[authentication username=%s password=%s]\n", mac, mac, o.account(desk1).Reveal())
			o.must(os.WriteFile(filepath.Join(dir, "fields.csv"), []byte(fields), 0o600))
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			cmd := exec.CommandContext(
				ctx, sipp, o.at[tp], "-sf", scenario, "-inf", "fields.csv", "-m", "1", "-t", mode, "-i", "127.0.0.1",
				"-nostdin", "-timeout", "20s", "-timeout_error", "-recv_timeout", "5000", "-trace_err", "-error_file", "err.log",
			)
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil {
				log, _ := os.ReadFile(filepath.Join(dir, "err.log"))
				t.Fatalf("sipp: %v\n%s\n%.2000s", err, log, out)
			}
			if l := o.of(mac); len(l) != 0 {
				t.Errorf("still stored: %+v", l)
			}
		})
	}
}
