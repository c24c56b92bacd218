package snom

import (
	"bytes"
	"encoding/xml"
	"net/url"
	"strings"
	"time"

	"perch/provisioning/brand"
)

// pushed are the settings that a change of seat changes.
var pushed = []string{"user_", "fkey", "action_setup_url"}

// push is a silent page that leads to commands: each sets one setting, the last
// makes the phone register anew. A setting with an index has it at the end of
// its name, as in $user_host1 of the maker's action URLs.
func push(has, shall []byte) (brand.Attempt, bool) {
	before, ok1 := settings(has)
	after, ok2 := settings(shall)
	changed, ok := brand.Changed(before, after)
	if !ok1 || !ok2 || !ok || len(changed) == 0 || !brand.OnlyOf(changed, pushed...) {
		return brand.Attempt{}, false
	}
	var commands []string
	for _, s := range changed {
		commands = append(commands, "set:"+s.Key+"="+strings.ReplaceAll(url.QueryEscape(s.Value), "+", "%20"))
	}
	page := brand.Has("IPPhoneSilent",
		brand.Holds("fetch", "phone://mb_exit#"+strings.Join(append(commands, "reregister"), "&")).With("mil", "10")).
		With("document_id", "perch")
	return brand.Attempt{Event: "xml", ContentType: "application/snomxml", Body: page.Document(), Wait: brand.PushWait}, true
}

func recipe() brand.Recipe {
	r := brand.CheckSync(15*time.Second, 100*time.Second)
	r.Push = push
	return r
}

// settings reads a file of ours: elements of the third level, the labels of keys
// as settings of their own.
func settings(body []byte) ([]brand.Setting, bool) {
	var out []brand.Setting
	d := xml.NewDecoder(bytes.NewReader(body))
	depth, at := 0, -1
	for {
		token, err := d.Token()
		if err != nil {
			return out, depth == 0 && len(out) > 0
		}
		switch t := token.(type) {
		case xml.StartElement:
			if depth++; depth != 3 {
				continue
			}
			idx := attr(t, "idx")
			if t.Name.Local == "fkey" {
				out = append(out, brand.Setting{Key: "fkey_label" + idx, Value: attr(t, "label")})
			}
			out = append(out, brand.Setting{Key: t.Name.Local + idx})
			at = len(out) - 1
		case xml.CharData:
			if depth == 3 && at >= 0 {
				out[at].Value += string(t)
			}
		case xml.EndElement:
			if depth--; depth < 3 {
				at = -1
			}
		}
	}
}

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}
