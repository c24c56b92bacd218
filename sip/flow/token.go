package flow

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"perch/sip/location"
)

// ErrToken says that a flow token is none, or none of ours: RFC 5626 section 5.3
// has it answered 403.
var ErrToken = errors.New("flow: token is not ours")

// Tokens names flows in URIs of ours, so that a request that comes back with one
// finds the flow without anything being remembered (RFC 5626 section 5.2). A
// token cannot be made without the key, which every node has.
type Tokens struct{ key []byte }

// NewTokens makes the tokens of a key that is used for nothing else.
func NewTokens(key []byte) Tokens { return Tokens{key} }

const (
	macSize  = 10  // bytes, as the RFC's own example has it
	maxToken = 400 // characters
)

// Of is the token of a flow: letters, digits, - and _. Whoever has it can read
// the addresses in it.
func (t Tokens) Of(f location.Flow) (string, error) {
	parts := []string{f.Node, f.ID, f.Transport, f.Remote, f.Local}
	text := strings.Join(parts, "\x00")
	if strings.Count(text, "\x00") != len(parts)-1 {
		return "", fmt.Errorf("%w: NUL in a flow", ErrToken)
	}
	token := base64.RawURLEncoding.EncodeToString(append(t.mac(text), text...))
	if len(token) > maxToken {
		return "", fmt.Errorf("%w: too long", ErrToken)
	}
	return token, nil
}

// Flow gives back the flow of a token, or ErrToken.
func (t Tokens) Flow(token string) (location.Flow, error) {
	if len(token) > maxToken {
		return location.Flow{}, ErrToken
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) < macSize {
		return location.Flow{}, ErrToken
	}
	text := string(b[macSize:])
	if !hmac.Equal(b[:macSize], t.mac(text)) {
		return location.Flow{}, ErrToken
	}
	parts := strings.Split(text, "\x00")
	if len(parts) != 5 {
		return location.Flow{}, ErrToken
	}
	return location.Flow{Node: parts[0], ID: parts[1], Transport: parts[2], Remote: parts[3], Local: parts[4]}, nil
}

func (t Tokens) mac(text string) []byte {
	m := hmac.New(sha256.New, t.key)
	m.Write([]byte(text))
	return m.Sum(nil)[:macSize]
}

// Route is our value for a Path or Record-Route that leads back to the flow: our
// address, the token as user part, lr, and ob (RFC 5626 section 5.1). host is
// host:port as the next hop reaches us, over transport.
func (t Tokens) Route(f location.Flow, host, transport string) (string, error) {
	token, err := t.Of(f)
	if err != nil {
		return "", err
	}
	if _, err := location.ParseURI("sip:" + host); err != nil || strings.ContainsAny(host, ";?@") {
		return "", fmt.Errorf("flow: route: host: %w", ErrUnsafe)
	}
	uri := "sip:" + token + "@" + host
	if transport != "" && transport != "udp" {
		if !isToken(transport) {
			return "", fmt.Errorf("flow: route: transport: %w", ErrUnsafe)
		}
		uri += ";transport=" + transport
	}
	return "<" + uri + ";lr;ob>", nil
}

// FromRoute gives the flow that a Route value of ours leads to, or ErrToken.
func (t Tokens) FromRoute(value string) (location.Flow, error) {
	path, _, err := location.ParsePath([]string{value})
	if err != nil || len(path) != 1 {
		return location.Flow{}, ErrToken
	}
	_, rest, _ := strings.Cut(path[0], "<")
	uri, _, _ := strings.Cut(rest, ">")
	u, err := location.ParseURI(uri)
	if err != nil {
		return location.Flow{}, ErrToken
	}
	return t.Flow(u.User)
}

// StatusOf gives the response that a proxy owes for an error of Send (RFC 5626
// section 5.3): 430 where the flow is gone, so that whoever knows another flow of
// the instance takes that; 403 for a token that is not ours.
func StatusOf(err error) (code int, reason string) {
	switch {
	case errors.Is(err, ErrToken):
		return 403, "Forbidden"
	case errors.Is(err, ErrGone), errors.Is(err, ErrClosed), errors.Is(err, ErrElsewhere):
		return 430, "Flow Failed"
	case errors.Is(err, ErrTimeout):
		return 408, "Request Timeout"
	}
	return 500, "Server Internal Error"
}

// addrOf reads the remote address of a flow.
func addrOf(f location.Flow) (netip.AddrPort, error) {
	a, err := netip.ParseAddrPort(f.Remote)
	if err != nil {
		return a, fmt.Errorf("%w: remote address", ErrGone)
	}
	return a, nil
}
