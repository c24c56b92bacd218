package store

import (
	"bytes"
	"compress/flate"
	"context"
	_ "embed" // the script
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"perch/hotdesk/directory"
	"perch/provisioning/history"
)

var (
	//go:embed lua/history.lua
	luaHistory string

	historyScript = newScript("history", luaHistory, nil, "history", "rendering")
)

// keyHistory lists what a device was served, the newest first; keyRendering is
// one masked body.
func keyHistory(d directory.DeviceID) string { return key(d.Tenant, "history:"+d.MAC.String()) }

func keyRendering(t directory.TenantCode, name string) string { return key(t, "rendering:"+name) }

// maxRendering bounds a body that is unpacked.
const maxRendering = 4 << 20

// AddServed remembers a file that a device was served: so many entries of it,
// none and no body longer than keep. What was the last of its name already is
// not written again.
func (s *Store) AddServed(ctx context.Context, f history.Served, entries int, keep time.Duration) error {
	e := history.Entry{At: f.At.UnixMilli(), File: f.File, Digest: f.Digest, Body: history.Name(f.Masked), Number: f.Number}
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.DefaultCompression)
	if err == nil {
		_, err = w.Write(f.Masked)
		err = errors.Join(err, w.Close())
	}
	if err != nil {
		return fmt.Errorf("store: history: %w", err)
	}
	_, err = s.change(ctx, historyScript, f.Device.Tenant, f.At,
		[]string{keyHistory(f.Device), keyRendering(f.Device.Tenant, e.Body)}, asJSON{e}, packed.Bytes(), entries, keep.Milliseconds())
	return err
}

// Served lists what a device was served, the newest first.
func (s *Store) Served(ctx context.Context, d directory.DeviceID) ([]history.Entry, error) {
	var texts []string
	err := s.do(ctx, "history", func(ctx context.Context) (err error) {
		texts, err = s.rdb.LRange(ctx, keyHistory(d), 0, -1).Result()
		return err
	})
	if err != nil {
		return nil, err
	}
	out := make([]history.Entry, len(texts))
	for i, text := range texts {
		if err := json.Unmarshal([]byte(text), &out[i]); err != nil {
			return nil, fmt.Errorf("store: history of %s: %w", d, err)
		}
	}
	return out, nil
}

// Rendering reads a masked body by its name; ErrNotFound where it is not kept
// any more.
func (s *Store) Rendering(ctx context.Context, t directory.TenantCode, name string) ([]byte, error) {
	var packed []byte
	err := s.do(ctx, "history", func(ctx context.Context) (err error) {
		packed, err = s.rdb.Get(ctx, keyRendering(t, name)).Bytes()
		return notNil(err)
	})
	if err != nil {
		return nil, err
	}
	if packed == nil {
		return nil, notFound("rendering")
	}
	body, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), maxRendering))
	if err != nil {
		return nil, fmt.Errorf("store: rendering: %w", err)
	}
	return body, nil
}
