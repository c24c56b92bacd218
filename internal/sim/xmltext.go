package sim

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// element is one element of an XML file, with the names above it.
type element struct {
	path string // "gs_provision/config/item"
	attr map[string]string
	text string
}

func (e element) name() string { return e.path[strings.LastIndexByte(e.path, '/')+1:] }

// above gives the path without the element's own name.
func (e element) above() string { return e.path[:max(0, strings.LastIndexByte(e.path, '/'))] }

// readXML gives every element in the order in which they begin. Bounds hold for
// depth, count and length, as in a phone's little memory.
func readXML(body []byte) ([]element, error) {
	const maxDepth = 12
	d := xml.NewDecoder(bytes.NewReader(body))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	var all []element
	var open []int // the elements that are not closed yet
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("not well formed: %w", err)
		}
		switch t := t.(type) {
		case xml.StartElement:
			if len(open) >= maxDepth || len(all) >= maxEntries {
				return nil, errors.New("too deep or too long")
			}
			e := element{path: t.Name.Local, attr: map[string]string{}}
			if len(open) > 0 {
				e.path = all[open[len(open)-1]].path + "/" + e.path
			}
			for _, a := range t.Attr {
				e.attr[a.Name.Local] = a.Value
			}
			all, open = append(all, e), append(open, len(all))
		case xml.CharData:
			if n := len(open); n > 0 && len(all[open[n-1]].text)+len(t) <= maxValue {
				all[open[n-1]].text += string(t)
			}
		case xml.EndElement:
			open = open[:len(open)-1]
		}
	}
	if len(all) == 0 {
		return nil, errors.New("no element at all")
	}
	return all, nil
}

// rooted is readXML for a file whose root is known.
func rooted(body []byte, roots ...string) ([]element, error) {
	all, err := readXML(body)
	if err != nil {
		return nil, err
	}
	for _, r := range roots {
		if all[0].path == r {
			return all, nil
		}
	}
	return nil, errors.New("root element is not " + strings.Join(roots, " or "))
}

// before is what a value says before the first of the characters.
func before(s, chars string) string {
	if i := strings.IndexAny(s, chars); i >= 0 {
		return s[:i]
	}
	return s
}
