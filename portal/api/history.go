package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/provisioning/history"
)

// Past knows what phones were served. A body that is not kept any more wraps
// hotdesk.ErrNotFound.
type Past interface {
	Served(ctx context.Context, d directory.DeviceID) ([]history.Entry, error)
	Rendering(ctx context.Context, t directory.TenantCode, name string) ([]byte, error)
}

// ServedFile is one file that a phone was served.
type ServedFile struct {
	Tenant    string    `json:"tenant"`
	MAC       string    `json:"mac"`
	At        time.Time `json:"at" doc:"When it was served first; it holds until the next of the same name"`
	File      string    `json:"file"`
	Digest    string    `json:"digest" doc:"SHA-256 of the file as it was served"`
	Extension *string   `json:"extension" doc:"Whose account it carries; null: the device's own"`
	Node      string    `json:"node,omitempty"`
}

// ServedText is such a file with what stood in it.
type ServedText struct {
	ServedFile
	Text string `json:"text" doc:"The file, its secrets masked"`
}

type historyInput struct {
	MAC string    `path:"mac" minLength:"12" maxLength:"17" doc:"MAC address, in any form"`
	At  time.Time `query:"at" doc:"What it ran at that time: of each file the newest that was served until then"`
}

type historyOutput struct{ Body []ServedFile }

type servedInput struct {
	MAC    string `path:"mac" minLength:"12" maxLength:"17" doc:"MAC address, in any form"`
	Digest string `path:"digest" minLength:"6" maxLength:"64" pattern:"^[0-9A-Fa-f]+$" doc:"Beginning of a digest"`
}

type servedOutput struct{ Body ServedText }

func (s *server) historyRoutes(a huma.API) {
	if s.Past == nil {
		return
	}
	huma.Register(a, op("history", http.MethodGet, "/devices/{mac}/history", "Which files a phone was served, and when"), s.history)
	huma.Register(a, op("served", http.MethodGet, "/devices/{mac}/history/{digest}", "What stood in one of them"), s.served)
}

// past reads the history of a device.
func (s *server) past(ctx context.Context, text string) (directory.DeviceID, []history.Entry, error) {
	mac, err := parseMAC(text)
	if err != nil {
		return directory.DeviceID{}, nil, err
	}
	id, err := s.deviceID(ctx, mac)
	if err != nil {
		return id, nil, s.fault(ctx, err)
	}
	all, err := s.Past.Served(ctx, id)
	if err != nil {
		return id, nil, s.fault(ctx, err)
	}
	return id, all, nil
}

func (s *server) history(ctx context.Context, in *historyInput) (*historyOutput, error) {
	id, all, err := s.past(ctx, in.MAC)
	if err != nil {
		return nil, err
	}
	if !in.At.IsZero() {
		all = history.At(all, in.At)
	}
	out := &historyOutput{Body: []ServedFile{}}
	for _, e := range all {
		out.Body = append(out.Body, servedFile(id, e))
	}
	return out, nil
}

func (s *server) served(ctx context.Context, in *servedInput) (*servedOutput, error) {
	id, all, err := s.past(ctx, in.MAC)
	if err != nil {
		return nil, err
	}
	e, ok := history.Find(all, in.Digest)
	if !ok {
		return nil, notFound("no_such_file", "No such file", "The phone was served none of that digest, or it is not kept any more.")
	}
	body, err := s.Past.Rendering(ctx, id.Tenant, e.Body)
	switch {
	case errors.Is(err, hotdesk.ErrNotFound):
		return nil, notFound("no_such_file", "No such file", "What stood in it is not kept any more.")
	case err != nil:
		return nil, s.fault(ctx, err)
	}
	return &servedOutput{ServedText{servedFile(id, e), string(body)}}, nil
}

func servedFile(id directory.DeviceID, e history.Entry) ServedFile {
	return ServedFile{
		Tenant: string(id.Tenant), MAC: id.MAC.String(), At: e.Time().UTC(), File: e.File, Digest: e.Digest, Extension: text(e.Number), Node: e.Node,
	}
}
