package certs

import (
	"context"
	"log/slog"
	"strings"

	"go.uber.org/zap/zapcore"
)

// zapToSlog writes the ACME library's log lines into ours, without their debug
// fields: message, name and error say what an operator can act on.
type zapToSlog struct{ log *slog.Logger }

// Enabled implements zapcore.LevelEnabler.
func (z *zapToSlog) Enabled(l zapcore.Level) bool {
	return l >= zapcore.InfoLevel && z.log.Enabled(context.Background(), slogLevel(l))
}

// With implements zapcore.Core.
func (z *zapToSlog) With(fields []zapcore.Field) zapcore.Core {
	return &zapToSlog{log: z.log.With(args(fields)...)}
}

// Check implements zapcore.Core.
func (z *zapToSlog) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if z.Enabled(e.Level) {
		return ce.AddCore(e, z)
	}
	return ce
}

// Write implements zapcore.Core.
func (z *zapToSlog) Write(e zapcore.Entry, fields []zapcore.Field) error {
	z.log.Log(context.Background(), slogLevel(e.Level), "acme: "+clipped(e.Message), args(fields)...)
	return nil
}

// Sync implements zapcore.Core.
func (z *zapToSlog) Sync() error { return nil }

// worthALine tells the fields that are kept.
func worthALine(key string) bool {
	switch key {
	case "error", "identifier", "domain", "issuer", "challenge_type", "attempt":
		return true
	}
	return false
}

func args(fields []zapcore.Field) []any {
	enc := zapcore.NewMapObjectEncoder()
	var out []any
	for _, f := range fields {
		if !worthALine(f.Key) {
			continue
		}
		f.AddTo(enc)
		if text, ok := enc.Fields[f.Key].(string); ok {
			out = append(out, f.Key, clipped(text))
		} else {
			out = append(out, f.Key, enc.Fields[f.Key])
		}
	}
	return out
}

func slogLevel(l zapcore.Level) slog.Level {
	switch {
	case l >= zapcore.ErrorLevel:
		return slog.LevelWarn // the library tries again
	case l == zapcore.WarnLevel:
		return slog.LevelWarn
	default:
		return slog.LevelInfo
	}
}

// clipped is a text fit for one line.
func clipped(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	return s[:min(len(s), 300)]
}
