package feature

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"

	"github.com/emiago/sipgo/sip"

	"perch/metrics"
	"perch/sip/handler"
	"perch/sip/location"
	"perch/sip/media"
)

// voice is the sound of one call: our port, and what the two sides have
// agreed on so far.
type voice struct {
	s    *Service
	sock *media.Socket
	keys *media.Keypad
	peer netip.Addr // where its SIP comes from

	mu      sync.Mutex
	local   media.Local
	last    []byte         // our description as last sent
	session *media.Session // nil until the peer's description is known
}

// newVoice opens a port at the address where the phone's request arrived. The
// phone is told the advertised address where that is one.
func newVoice(s *Service, f location.Flow, advertised string) (*voice, error) {
	at, err := netip.ParseAddrPort(f.Local)
	if err != nil {
		return nil, fmt.Errorf("feature: local address of the flow: %w", err)
	}
	shown := at.Addr()
	if host, _, err := net.SplitHostPort(advertised); err == nil {
		if a, err := netip.ParseAddr(host); err == nil {
			shown = a
		}
	}
	sock, err := s.Ports.Listen(at.Addr())
	if errors.Is(err, media.ErrNoPort) {
		return nil, &handler.Status{Code: sip.StatusServiceUnavailable, RetryAfter: overloadAfter, Why: "no_rtp_port", Err: err}
	}
	if err != nil {
		return nil, fmt.Errorf("feature: %w", err)
	}
	v := &voice{s: s, sock: sock, keys: media.NewKeypad()}
	v.local = media.Local{Addr: netip.AddrPortFrom(shown, sock.Port()), ID: rand.Uint64() >> 2, Version: 1}
	if from, err := netip.ParseAddrPort(f.Remote); err == nil {
		v.peer = from.Addr()
	}
	return v, nil
}

// answer gives our description for the 200: the answer to the peer's offer,
// which holds from then on, or our offer when there is none (RFC 3261 section
// 13.2.1), which is the last one unchanged once there was one.
func (v *voice) answer(offer []byte) ([]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(offer) == 0 {
		if v.last != nil {
			return v.last, nil
		}
		var err error
		v.last, err = media.NewOffer(v.local)
		return v.last, err
	}
	o, err := media.ParseOffer(offer)
	if err != nil {
		return nil, sdpStatus(err)
	}
	body, err := v.describe(o)
	if err != nil {
		return nil, err
	}
	v.agree(o.Stream())
	return body, nil
}

// describe writes our answer. Its version counts up when it says anything new
// (RFC 3264 section 8).
func (v *voice) describe(o *media.Offer) ([]byte, error) {
	body, err := o.Answer(v.local)
	if err == nil && v.last != nil && !bytes.Equal(body, v.last) {
		v.local.Version++
		body, err = o.Answer(v.local)
	}
	if err != nil {
		return nil, fmt.Errorf("feature: %w", err)
	}
	v.last = body
	return body, nil
}

// answered takes the peer's answer to our offer.
func (v *voice) answered(body []byte) error {
	stream, err := media.ParseAnswer(body)
	if err != nil {
		return fmt.Errorf("feature: answer in the ACK: %w", err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.agree(stream)
	return nil
}

func (v *voice) agree(stream media.Stream) {
	if v.session == nil {
		v.session = media.Start(v.sock, stream, media.Options{Pacer: v.s.pacer, Keys: v.keys, Trusted: []netip.Addr{v.peer}})
		return
	}
	v.session.Update(stream)
}

// speak begins to send: not before the ACK, lest a call that nobody wanted sends
// sound to whom it named.
func (v *voice) speak() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.session != nil {
		v.session.Speak()
	}
}

// play plays a sound to its end or that of ctx; without an agreement it
// returns at once.
func (v *voice) play(ctx context.Context, sound media.Sound) {
	v.mu.Lock()
	session := v.session
	v.mu.Unlock()
	if session != nil {
		_ = session.Play(ctx, sound) // ctx has ended: a key was pressed, or the phone hung up
	}
}

// close gives the port back, and counts what the call was like.
func (v *voice) close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, w := range []media.Way{media.InBand, media.ByInfo, media.ByRTP} {
		v.s.Metrics.Keys(w.String(), v.keys.Count(w))
	}
	if v.session == nil {
		_ = v.sock.Close()
		return
	}
	_ = v.session.Close()
	n := v.session.Counts()
	v.s.Metrics.Ignored(metrics.IgnoredStranger, n.Strangers)
	v.s.Metrics.Ignored(metrics.IgnoredType, n.Unknown)
	v.s.Metrics.Ignored(metrics.IgnoredMalformed, n.Malformed)
}

// sdpStatus is the table from what is wrong with an offer to a response (RFC
// 3261 section 13.3.1.3).
func sdpStatus(err error) error {
	switch {
	case errors.Is(err, media.ErrNoCodec):
		return &handler.Status{Code: sip.StatusNotAcceptableHere, Why: "no_codec", Err: err}
	case errors.Is(err, media.ErrMalformed):
		return &handler.Status{Code: sip.StatusBadRequest, Reason: "Bad Session Description", Why: "malformed", Err: err}
	}
	return err
}

const sdpType = "application/sdp"

// offerOf gives the session description of a request; nil when it has no body.
// Any other body is a 415 that says what would do (RFC 3261 section 8.2.3).
func offerOf(req *sip.Request) ([]byte, error) {
	body := req.Body()
	if len(body) == 0 {
		return nil, nil
	}
	if h := req.GetHeader("Content-Encoding"); h != nil && !strings.EqualFold(strings.TrimSpace(h.Value()), "identity") {
		return nil, &handler.Status{Code: 415, Headers: []sip.Header{handler.Header("Accept-Encoding", "identity")}, Why: "encoding"}
	}
	if h := req.ContentType(); h != nil {
		kind, _, _ := strings.Cut(h.Value(), ";")
		if !strings.EqualFold(strings.TrimSpace(kind), sdpType) {
			return nil, &handler.Status{Code: 415, Headers: []sip.Header{handler.Header("Accept", sdpType)}, Why: "content_type"}
		}
	}
	return body, nil
}
