package phoneapp

import (
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"perch/provisioning/brand"
)

// show draws a page. No page is kept by anything on its way: each holds for one
// moment and one device.
func (v *visit) show(p brand.Page) { v.draw(http.StatusOK, p) }

func (v *visit) draw(code int, p brand.Page) {
	d := v.screen(p, v.model)
	if d.Refresh != "" {
		v.w.Header().Set("Refresh", d.Refresh)
	}
	v.write(code, d.ContentType, d.Body)
}

func (v *visit) plain(code int, text string) {
	v.write(code, "text/plain; charset=utf-8", []byte(text))
}

func (v *visit) write(code int, kind string, body []byte) {
	h := v.w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Type", kind)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	v.code = code
	v.w.WriteHeader(code)
	if v.r.Method != http.MethodHead {
		_, _ = v.w.Write(body) // nothing can be done for a phone that has gone
	}
}

// notFound is the one answer for what is not there and for tokens that open
// nothing.
func (v *visit) notFound() { v.plain(http.StatusNotFound, "not found\n") }

// away says that nothing is known at the moment; a person can come again.
func (h *Handler) away(v *visit, err error) {
	v.err, v.result = err, "unavailable"
	v.w.Header().Set("Retry-After", "10")
	if v.screen == nil {
		v.plain(http.StatusServiceUnavailable, "come again\n")
		return
	}
	text := []string{v.say("This does not work at the moment. Try again in a minute.")}
	if v.trace != "" {
		text = append(text, v.supportCode())
	}
	v.draw(http.StatusServiceUnavailable, brand.Page{Title: v.say("Not now"), Text: text, Keys: []brand.Item{v.exit()}})
}

// report writes the line of a request. Neither path nor query are in it: they
// hold the token and what was typed.
func (h *Handler) report(v *visit) {
	attrs := []slog.Attr{slog.Int("code", v.code), slog.String("source", source(v.r)), slog.Duration("took", h.Now().Sub(v.start))}
	level := slog.LevelDebug // strangers, and pages that only show something
	if v.device.ID.Tenant != "" {
		attrs = append(attrs, slog.String("tenant", string(v.device.ID.Tenant)), slog.String("mac", v.device.ID.MAC.String()),
			slog.String("brand", string(v.brand)), slog.String("action", h.known(v.target.action)))
	}
	if v.result != "" {
		level = slog.LevelInfo
		attrs = append(attrs, slog.String("result", v.result))
	}
	if v.trace != "" {
		attrs = append(attrs, slog.String("trace", v.trace))
	}
	if v.err != nil {
		level = slog.LevelWarn
		attrs = append(attrs, slog.String("error", v.censored(v.err.Error())))
	}
	h.Log.LogAttrs(v.ctx, level, "screen", attrs...)
}

// censored removes what was typed from a text for the log.
func (v *visit) censored(text string) string {
	for _, typed := range v.typed {
		if typed != "" {
			text = strings.ReplaceAll(text, typed, "...")
		}
	}
	return text
}

// known keeps a stranger's word out of the log.
func (h *Handler) known(action string) string {
	if _, ok := h.pages()[action]; ok {
		return action
	}
	return "other"
}
