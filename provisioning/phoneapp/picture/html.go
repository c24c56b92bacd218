package picture

import (
	"bytes"
	_ "embed" // the page
	"encoding/base64"
	"fmt"
	"html/template"
)

//go:embed phone.html.tmpl
var phone string

// view is what the template sees.
type view struct {
	Screen
	Name    string
	Colour  bool
	Image   template.URL // of a picture, as a data URL
	Scale   int
	Texts   []Placed // Placed, scaled
	Columns int
}

// HTML writes a screen as a page by itself: no script, nothing to fetch. Name is
// what the phone is called, colour whether it has such a screen, and picture the
// PNG that stands where the page names one.
func HTML(name string, s Screen, colour bool, picture []byte) ([]byte, error) {
	tpl, err := template.New("phone").Parse(phone)
	if err != nil {
		return nil, fmt.Errorf("picture: %w", err)
	}
	v := view{Screen: s, Name: name, Colour: colour, Columns: max(4, len(s.Keys))}
	if len(picture) > 0 {
		v.Image = template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(picture)) //nolint:gosec // our own bytes
	}
	const scale = 2
	for _, p := range s.Placed {
		v.Texts = append(v.Texts, Placed{X: p.X * scale, Y: p.Y * scale, Width: p.Width * scale, Text: p.Text, Field: p.Field, Cursor: p.Cursor})
	}
	var out bytes.Buffer
	if err := tpl.Execute(&out, v); err != nil {
		return nil, fmt.Errorf("picture: %w", err)
	}
	return out.Bytes(), nil
}
