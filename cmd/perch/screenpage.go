package main

import (
	"errors"
	"fmt"
	"strings"

	"perch/provisioning/brand/all"
	"perch/provisioning/phoneapp"
	"perch/provisioning/phoneapp/picture"
)

// draw prints a page of a phone's own screen as HTML.
func (t templateRenderCmd) draw(e *env) error {
	b, ok := all.Brands().Find(t.Brand)
	if !ok || b.Screen == nil {
		return usage{"--brand: name a brand whose phones show pages, such as yealink"}
	}
	page, png, err := phoneapp.Sample(b, t.Model, t.Form, t.Language)
	if errors.Is(err, phoneapp.ErrNoSample) {
		return usage{"--form: one of " + strings.Join(phoneapp.Samples(), ", ")}
	}
	if err != nil {
		return err
	}
	if t.XML {
		_, err = e.out.Write(page.Body)
		return err
	}
	screen, err := picture.Read(page.Body)
	if err != nil {
		return err
	}
	code, _, err := phoneapp.Sample(b, t.Model, "code", t.Language)
	if err != nil {
		return err
	}
	pictures, err := picture.Read(code.Body)
	if err != nil {
		return err
	}
	out, err := picture.HTML(strings.TrimSpace(fmt.Sprintf("%s %s", b.Name, t.Model)), screen, pictures.Picture, png)
	if err != nil {
		return err
	}
	_, err = e.out.Write(out)
	return err
}
