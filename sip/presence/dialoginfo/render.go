package dialoginfo

import (
	"strconv"

	"perch/sip/presence"
)

// The names of RFC 4235: the event package (section 3.1) and the body's type
// (section 3.5).
const (
	Event       = "dialog"
	ContentType = "application/dialog-info+xml"
)

// idleID is the id of the dialog that stands for "no dialog".
const idleID = "idle"

// Render appends the full state as an XML document to dst. version belongs to
// the subscription: 0 in its first NOTIFY, one more in each further one (RFC
// 4235 section 4.1).
//
// An idle extension is written as one terminated dialog, which RFC 4235 allows:
// Yealink phones keep a lamp as it was when a document has no dialog element
// (OpenSIPS pull request 1193 found it). There is no white space between
// elements, which some old phones do not accept and UDP has no room for.
func Render(dst []byte, s presence.State, version uint32) []byte {
	dst = append(dst, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+`<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="`...)
	dst = strconv.AppendUint(dst, uint64(version), 10)
	dst = append(dst, `" state="full"`...)
	dst = attribute(dst, "entity", s.Entity.String())
	dst = append(dst, '>')
	if len(s.Dialogs) == 0 {
		dst = dialog(dst, presence.Dialog{ID: idleID, Phase: presence.Terminated})
	}
	for _, d := range s.Dialogs {
		dst = dialog(dst, d)
	}
	return append(dst, "</dialog-info>\n"...)
}

// dialog appends one dialog element (RFC 4235 section 4.1). Attributes that
// are not known are left out.
func dialog(dst []byte, d presence.Dialog) []byte {
	dst = append(dst, "<dialog"...)
	dst = attribute(dst, "id", d.ID)
	dst = optional(dst, "call-id", d.CallID)
	dst = optional(dst, "local-tag", d.LocalTag)
	dst = optional(dst, "remote-tag", d.RemoteTag)
	dst = optional(dst, "direction", string(d.Direction))
	dst = append(dst, "><state>"...)
	dst = escape(dst, string(d.Phase))
	dst = append(dst, "</state>"...)
	dst = party(dst, "local", d.Local)
	dst = party(dst, "remote", d.Remote)
	return append(dst, "</dialog>"...)
}

// party appends a local or remote element (RFC 4235 section 4.1.6), nothing
// for one of which nothing is known.
func party(dst []byte, name string, p presence.Party) []byte {
	if p == (presence.Party{}) {
		return dst
	}
	dst = append(append(append(dst, '<'), name...), '>')
	if p.URI != "" || p.Display != "" {
		dst = append(dst, "<identity"...)
		dst = optional(dst, "display", p.Display)
		dst = append(dst, '>')
		dst = escape(dst, p.URI)
		dst = append(dst, "</identity>"...)
	}
	if p.Target != "" {
		dst = append(dst, "<target"...)
		dst = attribute(dst, "uri", p.Target)
		dst = append(dst, "/>"...)
	}
	return append(append(append(dst, "</"...), name...), '>')
}

func optional(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	return attribute(dst, name, value)
}

func attribute(dst []byte, name, value string) []byte {
	dst = append(append(append(dst, ' '), name...), `="`...)
	return append(escape(dst, value), '"')
}
