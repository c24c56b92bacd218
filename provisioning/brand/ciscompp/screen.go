package ciscompp

import (
	"strings"

	"perch/provisioning/brand"
	"perch/provisioning/brand/ciscoxml"
)

// screen writes a page; the 8800s have a colour screen and show pictures.
func screen(p brand.Page, model string) brand.Drawn {
	if strings.HasPrefix(strings.TrimPrefix(strings.ToUpper(model), "CP-"), "88") {
		return ciscoxml.DrawPictures(p, model)
	}
	return ciscoxml.Draw(p, model)
}
