package sip

import (
	"bytes"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
)

// TestStackLog: the stack logs whole messages when it cannot parse one; none of
// that reaches our log.
func TestStackLog(t *testing.T) {
	var out bytes.Buffer
	failures := 0
	h := &stackLog{
		next:       slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}),
		parseError: func() { failures++ }, last: new(atomic.Int64),
	}
	log := slog.New(h).With("caller", "Transport<UDP>")
	message := "REGISTER sip:a SIP/2.0\r\nAuthorization: Digest response=\"secret\"\r\n"
	log.Error(parseFailure, "data", message, "error", errText("line '"+message+"' is bad"))
	for range 5 {
		log.Error("Read connection error\nlevel=ERROR", "laddr", "192.0.2.1:5060", "error", errText("broken"), "req", message)
	}
	text := out.String()
	if failures != 1 || strings.Contains(text, "secret") || strings.Contains(text, "Authorization") {
		t.Errorf("%d failures; logged:\n%s", failures, text)
	}
	if strings.Contains(text, "level=ERROR ") || strings.Count(text, "level=WARN") != 1 {
		t.Errorf("levels of:\n%s", text)
	}
	if !strings.Contains(text, "laddr=192.0.2.1:5060") || strings.Count(text, "\n") != 6 {
		t.Errorf("logged:\n%s", text)
	}
}

type errText string

func (e errText) Error() string { return string(e) }
