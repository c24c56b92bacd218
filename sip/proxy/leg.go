package proxy

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"perch/hotdesk/directory"
	"perch/sip/location"
)

// leg is one side of a dialog: the flow to whoever is there, and who it is, for
// when that flow is gone or a request comes by another.
type leg struct {
	Flow   location.Flow
	Tenant directory.TenantCode
	MAC    string // device, 12 hex digits
	Number string // of an extension without a device; MAC is empty
	Hop    bool   // the upstream: neither
	Host   string // name of the hop's certificate
}

// sealer writes legs as tokens that only this installation can make, each good
// in one dialog alone: the Call-ID is part of what is signed. What is lost with
// a node is nothing: any node reads them.
type sealer struct{ key []byte }

// errToken says that a text is no token of this dialog.
var errToken = errors.New("proxy: token is not ours")

const (
	macSize  = 10 // bytes, as in the example of RFC 5626 section 5.2
	maxToken = 360
)

func (s sealer) seal(l leg, callID string) (string, error) {
	hop := ""
	if l.Hop {
		hop = "h"
	}
	parts := []string{l.Flow.Node, l.Flow.ID, l.Flow.Transport, l.Flow.Remote, l.Flow.Local, string(l.Tenant), l.MAC, l.Number, hop, l.Host}
	text := strings.Join(parts, "\x00")
	if strings.Count(text, "\x00") != len(parts)-1 {
		return "", fmt.Errorf("%w: NUL in a leg", errToken)
	}
	token := base64.RawURLEncoding.EncodeToString(append(s.mac(text, callID), text...))
	if len(token) > maxToken {
		return "", fmt.Errorf("%w: too long", errToken)
	}
	return token, nil
}

func (s sealer) open(token, callID string) (leg, error) {
	if len(token) > maxToken {
		return leg{}, errToken
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) < macSize {
		return leg{}, errToken
	}
	text := string(b[macSize:])
	if !hmac.Equal(b[:macSize], s.mac(text, callID)) {
		return leg{}, errToken
	}
	p := strings.Split(text, "\x00")
	if len(p) != 10 {
		return leg{}, errToken
	}
	return leg{
		Flow:   location.Flow{Node: p[0], ID: p[1], Transport: p[2], Remote: p[3], Local: p[4]},
		Tenant: directory.TenantCode(p[5]), MAC: p[6], Number: p[7], Hop: p[8] != "", Host: p[9],
	}, nil
}

func (s sealer) mac(text, callID string) []byte {
	m := hmac.New(sha256.New, s.key)
	m.Write([]byte(callID))
	m.Write([]byte{0})
	m.Write([]byte(text))
	return m.Sum(nil)[:macSize]
}

// route writes a leg as a Record-Route value: a loose route to our own address
// on that side.
func (s sealer) route(l leg, callID, hostPort string) (string, error) {
	token, err := s.seal(l, callID)
	if err != nil {
		return "", err
	}
	if hostPort == "" {
		return "", fmt.Errorf("%w: no address of ours", errToken)
	}
	uri := "sip:" + token + "@" + hostPort
	switch l.Flow.Transport {
	case "udp":
	case "wss": // RFC 7118 section 4.2
		uri += ";transport=ws"
	default:
		uri += ";transport=" + l.Flow.Transport
	}
	return "<" + uri + ";lr>", nil
}

// opened reads a Route value or a Request-URI of ours.
func (s sealer) opened(uri, callID string) (leg, bool) {
	u, err := location.ParseURI(uri)
	if err != nil || u.User == "" {
		return leg{}, false
	}
	l, err := s.open(u.User, callID)
	return l, err == nil
}
