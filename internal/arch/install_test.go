package arch

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// machine is a PATH of its own: the shell's tools, the named programs, and
// scripts in the place of those that would change this machine.
func machine(t *testing.T, programs, scripts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for _, tool := range []string{"bash", "awk", "sed", "sort", "head", "tr", "dirname", "cat", "rm", "chmod"} {
		found, err := exec.LookPath(tool)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(found, filepath.Join(dir, tool)); err != nil {
			t.Fatal(err)
		}
	}
	for _, set := range []map[string]string{programs, scripts} {
		for name, text := range set {
			if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

// TestInstallAsksForWhatIsMissingOnly runs the installer as an ordinary user
// of machines that lack something: it must name exactly that, and touch nothing.
func TestInstallAsksForWhatIsMissingOnly(t *testing.T) {
	goodGo := `echo go1.99.0`
	with := func(programs map[string]string) map[string]string {
		programs["espeak-ng"], programs["sox"] = "", ""
		return programs
	}
	for _, tc := range []struct {
		name, target string
		programs     map[string]string
		code         int
		says         string
	}{
		{"all there", "run", with(map[string]string{"go": goodGo, "redis-server": ""}), 0, ""},
		{"valkey will do", "run", with(map[string]string{"go": goodGo, "valkey-server": ""}), 0, ""},
		{"what builds is there", "build", with(map[string]string{"go": goodGo}), 0, ""},
		{"no redis", "run", with(map[string]string{"go": goodGo}), 1, "apt-get install redis-server\n"},
		{"no redis-cli", "bench", with(map[string]string{"go": goodGo, "redis-server": "", "kamailio": "", "nginx": "", "taskset": ""}), 1, "apt-get install redis-tools\n"},
		{"nobody to speak the prompts", "build", map[string]string{"go": goodGo}, 1, "apt-get install espeak-ng sox\n"},
		{"no go", "run", with(map[string]string{"redis-server": ""}), 1, "there is no go command"},
		{"old go", "run", with(map[string]string{"go": "echo go1.9.2", "redis-server": ""}), 1, "or newer is needed"},
		{"a typo", "tset", map[string]string{"go": goodGo}, 2, "usage:"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := machine(t, tc.programs, map[string]string{"id": "echo 1000", "apt-get": "echo apt-get was run; exit 9"})
			cmd := exec.Command(filepath.Join(path, "bash"), "scripts/install-deps.sh", tc.target)
			cmd.Dir, cmd.Env = root, []string{"PATH=" + path}
			out, err := cmd.CombinedOutput()
			if code := cmd.ProcessState.ExitCode(); code != tc.code {
				t.Errorf("ended with %d (%v), want %d", code, err, tc.code)
			}
			if text := string(out); !strings.Contains(text, tc.says) || (tc.says == "" && text != "") || strings.Contains(text, "was run") {
				t.Errorf("says %q, want %q", text, tc.says)
			}
		})
	}
}
