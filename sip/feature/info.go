package feature

import (
	"context"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"

	"perch/sip/handler"
	"perch/sip/media"
)

// The bodies of an INFO that hold key presses. Neither was ever standardised;
// phones agree on them all the same.
const (
	relayType = "application/dtmf-relay" // Signal=5, Duration=160
	plainType = "application/dtmf"       // 5
)

const (
	maxInfo = 256 // bytes of a body
	maxKeys = 16  // of one INFO
)

// Info takes an INFO inside a call: keys that were pressed (RFC 6086 calls it
// legacy usage). Other bodies get 415, another package 469; without a body it
// only asks whether the call is up.
func (s *Service) Info(_ context.Context, r *handler.Request) error {
	c, err := s.belongs(r)
	if err != nil {
		return err
	}
	if r.Header("Info-Package") != "" { // RFC 6086 section 4.2.2
		return &handler.Status{Code: 469, Reason: "Bad Info Package", Why: "info_package", Headers: []sip.Header{handler.Header("Recv-Info", "")}}
	}
	keys, err := keysOf(r)
	if err != nil {
		return err
	}
	again, err := c.passes(r.SIP.CSeq().SeqNo)
	if err != nil {
		return err
	}
	if !again {
		for _, k := range keys {
			c.voice.keys.Press(media.ByInfo, k, s.Now())
		}
	}
	return r.Respond(sip.StatusOK, "")
}

// keysOf reads the keys in an INFO.
func keysOf(r *handler.Request) ([]media.Key, error) {
	body := r.SIP.Body()
	if len(body) == 0 {
		return nil, nil
	}
	kind, _, _ := strings.Cut(r.Header("Content-Type"), ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	if kind != relayType && kind != plainType {
		return nil, &handler.Status{Code: 415, Headers: []sip.Header{handler.Header("Accept", relayType+", "+plainType)}, Why: "content_type"}
	}
	keys, ok := ParseKeys(kind, body)
	if !ok {
		return nil, &handler.Status{Code: sip.StatusBadRequest, Why: "malformed"}
	}
	return keys, nil
}

// ParseKeys reads the body of an INFO of one of the two types. ok is false when
// it is none. Signals that are no keys, such as a hook flash, are no keys.
func ParseKeys(contentType string, body []byte) (keys []media.Key, ok bool) {
	if len(body) > maxInfo {
		return nil, false
	}
	text := strings.TrimSpace(string(body))
	if signal, is := signalOf(text); is {
		return oneKey(signal)
	}
	if contentType != plainType || text == "" || len(text) > maxKeys {
		return nil, false
	}
	for i := range len(text) {
		k, ok := keyOf(text[i])
		if !ok {
			return nil, false
		}
		keys = append(keys, k)
	}
	return keys, true
}

// signalOf finds the line that says which key.
func signalOf(text string) (signal string, ok bool) {
	for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == '\r' || r == '\n' }) {
		name, value, is := strings.Cut(line, "=")
		if is && strings.EqualFold(strings.TrimSpace(name), "signal") {
			return strings.TrimSpace(value), true
		}
	}
	return "", false
}

// oneKey reads a signal: a key, or the number of its event (RFC 4733 section
// 3.2), of which only those above 9 differ from the key.
func oneKey(signal string) ([]media.Key, bool) {
	if len(signal) == 1 {
		k, ok := keyOf(signal[0])
		if signal == "!" { // hook flash
			return nil, true
		}
		return []media.Key{k}, ok
	}
	event, err := strconv.ParseUint(signal, 10, 8)
	if err != nil {
		return nil, false
	}
	if k, ok := media.KeyOf(int(event)); ok {
		return []media.Key{k}, true
	}
	return nil, true
}

func keyOf(b byte) (media.Key, bool) {
	switch {
	case b >= '0' && b <= '9', b == '*', b == '#', b >= 'A' && b <= 'D':
		return media.Key(b), true
	case b >= 'a' && b <= 'd':
		return media.Key(b - 'a' + 'A'), true
	}
	return 0, false
}

// passes takes the place of a request in the dialog; again says that it was
// there before, and its transaction is over.
func (c *call) passes(cseq uint32) (again bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return false, handler.Refuse(sip.StatusCallTransactionDoesNotExists, "no_dialog")
	}
	again = c.dlg.HasRemoteCSeq && cseq == c.dlg.RemoteCSeq
	if err := c.dlg.Receive(cseq); err != nil {
		return false, status(err)
	}
	return again, nil
}
