package child

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
)

// logWriter carries the server's own lines into our log. A line reads
// "<pid>:<role> <date> <time> <level> <text>" with the level one of . - * #.
type logWriter struct {
	log *slog.Logger

	mu   sync.Mutex
	rest []byte
	said string // last warning, for the error of a server that did not start
}

// Write never fails, and keeps at most one unfinished line of 64 KiB.
func (w *logWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rest = append(w.rest, p...)
	for {
		i := bytes.IndexByte(w.rest, '\n')
		if i < 0 {
			break
		}
		w.line(cleanLine(w.rest[:i]))
		w.rest = w.rest[i+1:]
	}
	if len(w.rest) > 64<<10 {
		w.rest = nil
	}
	return len(p), nil
}

func (w *logWriter) last() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.said
}

func (w *logWriter) line(s string) {
	if s == "" {
		return
	}
	level, text := levelOf(s)
	if level > slog.LevelDebug {
		w.said = text
	}
	w.log.Log(context.Background(), level, "own redis-server", "says", text)
}

// ordinary begins what every start and stop says at the warning level.
var ordinary = [...]string{
	"oO0OoO0", "Redis version=", "Valkey version=", "Configuration loaded", "Server initialized", "User requested shutdown",
	"Redis is now ready to exit", "Valkey is now ready to exit", "Received SIGTERM",
}

// levelOf tells the weight of a line: its warnings are for the operator, all
// else is for whoever looks closely.
func levelOf(s string) (slog.Level, string) {
	for _, mark := range []string{" # ", " * ", " - ", " . "} {
		head, text, found := strings.Cut(s, mark)
		if !found || len(head) > 50 || !strings.Contains(head, ":") {
			continue
		}
		if mark != " # " {
			return slog.LevelDebug, text
		}
		for _, o := range ordinary {
			if strings.HasPrefix(text, o) {
				return slog.LevelDebug, text
			}
		}
		return slog.LevelWarn, text
	}
	return slog.LevelWarn, s // before its log is open: a fault of the configuration
}
