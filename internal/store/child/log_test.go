package child

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

func TestLevelOf(t *testing.T) {
	for _, c := range []struct {
		line, text string
		level      slog.Level
	}{
		{"12:M 22 Nov 2026 14:00:00.123 * Ready to accept connections", "Ready to accept connections", slog.LevelDebug},
		{"12:C 22 Nov 2026 14:00:00.123 # oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo", "oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo", slog.LevelDebug},
		{"12:M 22 Nov 2026 14:00:00.123 # WARNING Memory overcommit must be enabled!", "WARNING Memory overcommit must be enabled!", slog.LevelWarn},
		{"12:M 22 Nov 2026 14:00:00.123 # Error writing to the AOF file: No space left on device", "Error writing to the AOF file: No space left on device", slog.LevelWarn},
		{"*** FATAL CONFIG FILE ERROR ***", "*** FATAL CONFIG FILE ERROR ***", slog.LevelWarn},
	} {
		if level, text := levelOf(c.line); level != c.level || text != c.text {
			t.Errorf("%q: %v %q", c.line, level, text)
		}
	}
}

func TestLogWriterIsBounded(t *testing.T) {
	var out bytes.Buffer
	w := &logWriter{log: slog.New(slog.NewJSONHandler(&out, nil))}
	for range 100 {
		if n, err := w.Write(bytes.Repeat([]byte("x"), 10_000)); n != 10_000 || err != nil {
			t.Fatal(n, err)
		}
	}
	if len(w.rest) > 64<<10 {
		t.Errorf("keeps %d bytes", len(w.rest))
	}
	w.rest = nil
	_, _ = w.Write([]byte("1:M now # a\x1b[2Jb" + strings.Repeat("c", 1000) + "\npart"))
	_, _ = w.Write([]byte(" of a line\n"))
	if s := w.last(); s != "part of a line" {
		t.Errorf("last words %q", s)
	}
	if strings.Contains(out.String(), `\u001b`) || strings.Contains(out.String(), strings.Repeat("c", 501)) {
		t.Errorf("wrote %s", out.String())
	}
}
