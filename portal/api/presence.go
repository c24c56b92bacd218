package api

import (
	"context"
	"iter"
	"time"

	"perch/hotdesk/directory"
	"perch/sip/presence"
)

// Lamps tells what an extension shows to who watches it.
type Lamps interface {
	Watch(id directory.ExtensionID) presence.State
}

// Watching lists extensions and who watches them.
type Watching interface {
	EachExtension(ctx context.Context, t directory.TenantCode, f func(directory.Extension) error) error
	Subscriptions(ctx context.Context, t directory.TenantCode) iter.Seq2[presence.Subscription, error]
}

// Presence is the state of one extension.
type Presence struct {
	Tenant    string  `json:"tenant"`
	Extension string  `json:"extension"`
	Name      *string `json:"name"`
	State     string  `json:"state" enum:"idle,trying,proceeding,early,confirmed" doc:"Of its most advanced call"`
	Direction *string `json:"direction" enum:"initiator,recipient"`
	Remote    *string `json:"remote" doc:"With whom, as watchers are shown"`
	Calls     int     `json:"calls"`
	Version   uint64  `json:"version" doc:"Grows with every change"`
	Watchers  int     `json:"watchers"`
	Suspect   int     `json:"suspect" doc:"Watchers that did not answer the last NOTIFY"`
	Oldest    *string `json:"suspect_since,omitempty" doc:"Since when the first of them does not"`
}

type (
	presenceInput struct {
		Tenant    string `query:"tenant" maxLength:"32" doc:"Only this tenant"`
		Extension string `query:"extension" maxLength:"32" doc:"Only this extension"`
		Limit     int    `query:"limit" minimum:"0" maximum:"100000" doc:"At most so many, with a Link to the next; 0 is all"`
		Cursor    string `query:"cursor" maxLength:"4096" doc:"Where to go on: from the Link of the part before"`
	}
	presenceOutput struct {
		Link string `header:"Link" doc:"The next part, rel=next"`
		Body []Presence
	}
)

func (s *server) presence(ctx context.Context, in *presenceInput) (*presenceOutput, error) {
	codes, err := s.scope(ctx, in.Tenant)
	if err != nil {
		return nil, s.fault(ctx, err)
	}
	rows := []Presence{}
	for _, t := range codes {
		some, err := s.presenceOf(ctx, t, in.Extension)
		if err != nil {
			return nil, s.fault(ctx, err)
		}
		rows = append(rows, some...)
	}
	rows, link, err := page(rows, func(p Presence) string { return p.Tenant + "\x00" + p.Extension },
		"/presence", List{Tenant: in.Tenant, Limit: in.Limit, Cursor: in.Cursor})
	if err != nil {
		return nil, err
	}
	return &presenceOutput{link, rows}, nil
}

// watched counts those who watch one extension.
type watched struct {
	all, suspect int
	since        int64 // the oldest suspicion, Unix ms
}

func (s *server) presenceOf(ctx context.Context, t directory.TenantCode, number string) ([]Presence, error) {
	watchers := map[string]watched{}
	for sub, err := range s.Watching.Subscriptions(ctx, t) {
		if err != nil {
			return nil, err
		}
		w := watchers[sub.Target]
		w.all++
		if sub.Suspect != 0 {
			w.suspect++
			if w.since == 0 || sub.Suspect < w.since {
				w.since = sub.Suspect
			}
		}
		watchers[sub.Target] = w
	}
	var rows []Presence
	err := s.Watching.EachExtension(ctx, t, func(e directory.Extension) error {
		if number == "" || number == e.ID.Number {
			rows = append(rows, presenceRow(e, s.Lamps.Watch(e.ID), watchers[e.ID.Number]))
		}
		return nil
	})
	return rows, err
}

func presenceRow(e directory.Extension, state presence.State, w watched) Presence {
	p := Presence{
		Tenant: string(e.ID.Tenant), Extension: e.ID.Number, Name: text(e.Name), State: "idle", Version: state.Version,
		Watchers: w.all, Suspect: w.suspect,
	}
	if w.since != 0 {
		p.Oldest = text(moment(w.since).Format(time.RFC3339))
	}
	for _, d := range state.Dialogs {
		if d.Phase == presence.Terminated {
			continue
		}
		p.Calls++
		if p.State == "idle" || presence.Phase(p.State).Before(d.Phase) {
			remote := d.Remote.Display
			if remote == "" {
				remote = d.Remote.URI
			}
			p.State, p.Direction, p.Remote = string(d.Phase), text(d.Direction), text(remote)
		}
	}
	return p
}
