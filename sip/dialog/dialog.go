package dialog

import (
	"errors"
	"fmt"
	"slices"
)

// ErrMalformed says that a message cannot begin or change a dialog: a required
// header is missing, unreadable, too long, or holds control characters. The
// answer to a request is 400.
var ErrMalformed = errors.New("dialog: malformed header")

// ErrOutOfOrder says that a request inside a dialog carries a lower CSeq than
// one before. The answer is 500 (RFC 3261 section 12.2.2).
var ErrOutOfOrder = errors.New("dialog: CSeq lower than before")

// ID names a dialog as seen from our side (RFC 3261 section 12). Remote is
// empty for a peer of RFC 2543 that sent no tag.
type ID struct {
	CallID string `json:"call_id"`
	Local  string `json:"local_tag"`
	Remote string `json:"remote_tag"`
}

// Dialog is one dialog at our side.
type Dialog struct {
	ID            ID       `json:"id"`
	LocalURI      string   `json:"local_uri"`
	RemoteURI     string   `json:"remote_uri"`
	RemoteTarget  string   `json:"remote_target"`    // the peer's Contact URI
	Routes        []string `json:"routes,omitempty"` // URIs, the next hop first
	LocalCSeq     uint32   `json:"local_cseq"`       // of our last request; 0 before the first
	RemoteCSeq    uint32   `json:"remote_cseq"`
	HasRemoteCSeq bool     `json:"has_remote_cseq"` // false until the peer's first request
	Secure        bool     `json:"secure,omitempty"`
}

// Message is the part of a request or response that makes a dialog. Header
// fields are values as they stand in the message, without the name.
type Message struct {
	RequestURI  string
	CallID      string
	From        string
	To          string
	Contact     string   // the first one
	RecordRoute []string // one per header field, each may list several
	CSeq        uint32
	TLS         bool // came or went over TLS or WSS
}

const (
	maxID     = 256  // bytes of a Call-ID or tag
	maxURI    = 1024 // bytes
	maxHeader = 4096 // bytes of one header value
	maxRoutes = 32
)

// NewUAS begins the dialog of a request that we accept (INVITE or SUBSCRIBE)
// with the tag that the response will carry: RFC 3261 section 12.1.1, RFC 6665
// section 4.4.1. A To tag in the request is not looked at. The error is
// ErrMalformed.
func NewUAS(req Message, localTag string) (Dialog, error) {
	local, _, err := parseParty("To", req.To)
	if err != nil {
		return Dialog{}, err
	}
	remote, remoteTag, err := parseParty("From", req.From)
	if err != nil {
		return Dialog{}, err
	}
	d := Dialog{
		ID:       ID{CallID: req.CallID, Local: localTag, Remote: remoteTag},
		LocalURI: local, RemoteURI: remote,
		RemoteCSeq: req.CSeq, HasRemoteCSeq: true,
		Secure: req.TLS && isSIPS(req.RequestURI),
	}
	return d.complete(req)
}

// NewUAC begins the dialog that a 2xx (or a provisional response with a tag)
// opens for a request of ours: RFC 3261 section 12.1.2. The error is
// ErrMalformed.
func NewUAC(req, resp Message) (Dialog, error) {
	local, localTag, err := parseParty("From", req.From)
	if err != nil {
		return Dialog{}, err
	}
	remote, remoteTag, err := parseParty("To", resp.To)
	if err != nil {
		return Dialog{}, err
	}
	d := Dialog{
		ID:       ID{CallID: req.CallID, Local: localTag, Remote: remoteTag},
		LocalURI: local, RemoteURI: remote,
		LocalCSeq: req.CSeq,
		Secure:    req.TLS && isSIPS(req.RequestURI),
	}
	if d, err = d.complete(resp); err != nil {
		return Dialog{}, err
	}
	slices.Reverse(d.Routes) // the caller sees the routes from the other end
	return d, nil
}

// complete adds what the peer's message says about the way back.
func (d Dialog) complete(m Message) (Dialog, error) {
	if !isWord(d.ID.CallID) || !isWord(d.ID.Local) || d.ID.Remote != "" && !isWord(d.ID.Remote) {
		return Dialog{}, fmt.Errorf("%w: Call-ID or tag", ErrMalformed)
	}
	if err := d.Refresh(m.Contact); err != nil {
		return Dialog{}, err
	}
	for _, value := range m.RecordRoute {
		uris, err := parseRoutes(value)
		if err != nil {
			return Dialog{}, err
		}
		if d.Routes = append(d.Routes, uris...); len(d.Routes) > maxRoutes {
			return Dialog{}, fmt.Errorf("%w: too many Record-Route values", ErrMalformed)
		}
	}
	return d, nil
}

// Refresh takes the Contact of a target refresh request or of its response as
// the new remote target (RFC 3261 sections 12.2.1.2 and 12.2.2; SUBSCRIBE is
// one by RFC 6665 section 3.1). The route set stays. On ErrMalformed nothing
// has changed.
func (d *Dialog) Refresh(contact string) error {
	uri, err := parseSIPAddress("Contact", contact)
	if err != nil {
		return err
	}
	d.RemoteTarget = uri
	return nil
}

// Receive takes the CSeq of a request of the peer's inside the dialog. A lower
// one than before is ErrOutOfOrder and changes nothing; the same one again is a
// retransmission that outlived its transaction (or an ACK) and is accepted.
func (d *Dialog) Receive(cseq uint32) error {
	if d.HasRemoteCSeq && cseq < d.RemoteCSeq {
		return ErrOutOfOrder
	}
	d.RemoteCSeq, d.HasRemoteCSeq = cseq, true
	return nil
}
