package sim

import (
	"encoding/xml"
	"errors"
	"fmt"
)

// dialogInfo is the body of a dialog NOTIFY (RFC 4235 section 4).
type dialogInfo struct {
	XMLName xml.Name     `xml:"urn:ietf:params:xml:ns:dialog-info dialog-info"`
	Version *uint32      `xml:"version,attr"`
	State   string       `xml:"state,attr"`
	Entity  string       `xml:"entity,attr"`
	Dialogs []dialogItem `xml:"dialog"`
}

// dialogItem is one dialog of the watched party.
type dialogItem struct {
	ID    string `xml:"id,attr"`
	State string `xml:"state"`
}

// maxDialogs bounds what a phone remembers per key.
const maxDialogs = 64

// parseDialogInfo reads a document and refuses what RFC 4235 section 4.1 does
// not allow.
func parseDialogInfo(body []byte) (dialogInfo, error) {
	var d dialogInfo
	if err := xml.Unmarshal(body, &d); err != nil {
		return dialogInfo{}, fmt.Errorf("dialog-info: %w", err)
	}
	switch {
	case d.Version == nil:
		return dialogInfo{}, errors.New("dialog-info: no version")
	case d.State != "full" && d.State != "partial":
		return dialogInfo{}, errors.New("dialog-info: state is neither full nor partial")
	case d.Entity == "":
		return dialogInfo{}, errors.New("dialog-info: no entity")
	case len(d.Dialogs) > maxDialogs:
		return dialogInfo{}, errors.New("dialog-info: too many dialogs")
	}
	for _, i := range d.Dialogs {
		if i.ID == "" || lampRank(i.State) < 0 {
			return dialogInfo{}, errors.New("dialog-info: a dialog without id or with an unknown state")
		}
	}
	return d, nil
}

// lampRank orders the states of RFC 4235 section 3.7.1 by how busy they make a
// lamp look; -1 for a word that is none of them.
func lampRank(state string) int {
	switch state {
	case "terminated":
		return 0
	case "trying":
		return 1
	case "proceeding":
		return 2
	case "early":
		return 3
	case "confirmed":
		return 4
	}
	return -1
}

// lampState is the busiest of all dialogs; idle when there is none.
func lampState(dialogs map[string]string) string {
	state, rank := "idle", 0
	for _, s := range dialogs {
		if r := lampRank(s); r > rank {
			state, rank = s, r
		}
	}
	return state
}

// take merges a document into what is known of the watched party; a full one
// replaces it (RFC 4235 section 4.3).
func (d dialogInfo) take(known map[string]string) map[string]string {
	if d.State == "full" || known == nil {
		known = map[string]string{}
	}
	for _, i := range d.Dialogs {
		if i.State == "terminated" {
			delete(known, i.ID)
		} else if len(known) < maxDialogs {
			known[i.ID] = i.State
		}
	}
	return known
}
