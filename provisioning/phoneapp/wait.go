package phoneapp

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/trace"
	"perch/provisioning/brand"
)

// The page that follows a trace comes again after look, and gives up after
// looks of them, by when any reload has ended.
const (
	look  = 2 * time.Second
	looks = 150
)

// wait shows how far the desk is: /wait/<trace id>/<count>.
func (h *Handler) wait(v *visit) {
	id, count := v.target.arg(0), 0
	if n, err := strconv.Atoi(v.target.arg(1)); err == nil {
		count = n
	}
	if !plainID(id) || count < 0 {
		v.notFound()
		return
	}
	v.trace = id
	t, err := h.Records.Trace(v.ctx, v.device.ID)
	switch {
	case err != nil && !errors.Is(err, hotdesk.ErrNotFound):
		h.away(v, err)
	case err != nil || t.ID != id: // it is over, and something newer happens here
		h.menu(v)
	case t.State == trace.Ready:
		v.show(h.ready(v, t))
	case t.State == trace.Failed:
		v.show(failed(v, t))
	case count >= looks:
		v.show(brand.Page{
			Title: v.say("Please wait"), Text: []string{v.say("This takes longer than usual."), v.supportCode()},
			Keys: []brand.Item{{Label: v.say("Menu"), URL: v.home}, v.exit()},
		})
	default:
		v.show(waiting(v, id, count, v.progress(t)))
	}
}

// plainID tells whether a text can be a trace id: ours are hex, and a device
// that another login ended has a number behind it.
func plainID(id string) bool {
	return id != "" && len(id) <= 64 && strings.Trim(id, "0123456789abcdefghijklmnopqrstuvwxyz-") == ""
}

func waiting(v *visit, id string, count int, text string) brand.Page {
	next := v.link("wait", id, strconv.Itoa(count+1))
	return brand.Page{
		Title: v.say("Please wait"), Text: []string{text}, Next: &brand.Next{After: look, URL: next},
		Keys: []brand.Item{{Label: v.say("Refresh"), URL: next}, v.exit()},
	}
}

// progress is the furthest step that came.
func (v *visit) progress(t trace.Trace) string {
	text := v.say("The desk changes hands.")
	for _, s := range []struct {
		step trace.StepName
		says string
	}{
		{trace.Notified, v.say("The phone is told.")},
		{trace.Acknowledged, v.say("The phone fetches its settings.")},
		{trace.Fetched, v.say("The phone has its settings.")},
		{trace.Registered, v.say("The phone is registered; its keys come next.")},
	} {
		if t.Has(s.step) {
			text = s.says
		}
	}
	return text
}

// ready tells that the desk is as it shall be.
func (h *Handler) ready(v *visit, t trace.Trace) brand.Page {
	p := brand.Page{Title: v.say("Ready"), Text: []string{v.say("The desk is free.")}, Keys: []brand.Item{v.exit()}}
	if t.Number == "" {
		return p
	}
	p.Text[0] = v.say("The desk is yours, %s.", t.Number)
	if who, ok, err := h.Desk.WhoSits(v.ctx, v.seat()); err == nil && ok && who.Binding.Number == t.Number && who.Name != "" {
		p.Text[0] = v.say("The desk is yours, %s.", who.Name)
	}
	return p
}

// failed names the step that never came. Who sits where was settled before.
func failed(v *visit, t trace.Trace) brand.Page {
	text := v.say("The phone did not take its new settings.")
	for _, s := range t.Steps {
		if s.Error == "" {
			continue
		}
		switch s.Name {
		case trace.Notified, trace.Acknowledged:
			text = v.say("The phone did not answer when it was told.")
		case trace.Fetched:
			text = v.say("The phone did not fetch its settings.")
		case trace.Registered:
			text = v.say("The phone did not register.")
		case trace.Lit:
			text = v.say("Not all keys of the phone came on.")
		}
		break
	}
	return brand.Page{
		Title: v.say("Not ready"), Text: []string{text, v.say("Restarting the phone may help."), v.supportCode()},
		Keys: []brand.Item{{Label: v.say("Menu"), URL: v.home}, v.exit()},
	}
}
