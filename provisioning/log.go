package provisioning

import (
	"log/slog"
	"strings"
	"time"
)

// report writes the line of a request. The path is not in it, because it may
// hold a token, nor the query and the headers.
func (h *Handler) report(x *exchange) {
	attrs := []slog.Attr{
		slog.String("method", shown(x.r.Method)), slog.String("file", shown(x.target.name)), slog.Int("code", x.code),
		slog.String("source", source(x.r)), slog.Duration("took", time.Since(x.start)),
	}
	if x.brand != "" {
		attrs = append(attrs, slog.String("brand", string(x.brand)))
	}
	if x.phone.Model != "" {
		attrs = append(attrs, slog.String("model", shown(x.phone.Model)))
	}
	if !x.device.MAC.IsZero() {
		attrs = append(attrs, slog.String("mac", x.device.MAC.String()))
	}
	if x.device.Tenant != "" {
		attrs = append(attrs, slog.String("tenant", string(x.device.Tenant)), slog.String("by", x.by))
	}
	if x.dropped > 0 {
		attrs = append(attrs, slog.Int("keys_without_place", x.dropped))
	}
	if len(x.faults) > 0 {
		f := x.faults[0]
		attrs = append(attrs, slog.Int("templates_left_out", len(x.faults)), slog.String("template", f.Source), slog.Int("line", f.Line), slog.String("fault", f.Message))
	}
	level := slog.LevelInfo
	switch {
	case x.err != nil:
		level = slog.LevelWarn
		attrs = append(attrs, slog.String("error", x.err.Error()))
	case len(x.faults) > 0, x.dropped > 0:
		level = slog.LevelWarn
	case x.failed:
		attrs = append(attrs, slog.Bool("credentials_open_nothing", true))
	case x.by == "":
		level = slog.LevelDebug // names that are not there, strangers: no part of the story
	}
	h.log.LogAttrs(x.r.Context(), level, "file", attrs...)
}

// shown makes a stranger's text fit for a log line.
func shown(s string) string {
	const most = 64
	if len(s) > most {
		s = s[:most]
	}
	return strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return '?'
		}
		return c
	}, s)
}
