package directory

// Proofs are the generations of what a device shows to the web server of its
// files: the path token, and an HTTP password that Perch made. Generation 0 is
// the one it is enrolled with. A file carries the next one from the first
// rendering on that follows a login or logout; the former stays good until the
// phone has shown the next, so that a lost answer or a crash locks nobody out.
type Proofs struct {
	Token  int    `json:"gen,omitempty"`    // Device.TokenGen that these count within
	Used   int    `json:"used,omitempty"`   // newest that the phone has shown
	Handed int    `json:"handed,omitempty"` // newest that a file carried: Used, or one more
	Made   int    `json:"made,omitempty"`   // newest that went out with a password that Perch made; 0: none
	For    string `json:"for,omitempty"`    // whose file carries Handed: a session id, or IdleProof
	At     int64  `json:"at,omitempty"`     // Unix ms at which Used became what it is
}

// IdleProof stands in Proofs.For for a device at which nobody sits.
const IdleProof = "-"

// Within gives the proofs as they count for a token generation of the device:
// an admin who raises it begins anew.
func (p Proofs) Within(tokenGen int) Proofs {
	if p.Token != tokenGen {
		return Proofs{Token: tokenGen}
	}
	return p
}

// Next gives the proofs that a file for a session carries, the same as often as
// it is asked. Steady devices keep what they have once they are enrolled; made
// tells that the HTTP password is one of Perch's own.
func (p Proofs) Next(session SessionID, steady, made bool) Proofs {
	who := IdleProof
	if session != "" {
		who = string(session)
	}
	if p.For == who {
		return p
	}
	if p.Used == p.Handed && (!steady || p.Handed == 0) {
		p.Handed++
		if made {
			p.Made = p.Handed
		}
	}
	p.For = who
	return p
}

// MadeSecret tells that the device's HTTP password is not from a directory
// file.
func (d Device) MadeSecret() bool { return !d.Secret.IsZero() && d.Secret.From == "" }
