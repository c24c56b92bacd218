package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"perch/portal/api"
)

// timeout bounds how long a stream may be silent: three heartbeats.
const timeout = 45 * time.Second

// Events is an open stream of what happens.
type Events struct {
	resp    *http.Response
	scan    *bufio.Scanner
	cancel  context.CancelFunc
	silence *time.Timer
	last    string
}

// ErrSilent is the error of a stream on which not even a heartbeat came.
var ErrSilent = errors.New("the event stream has gone silent")

// Events opens the stream of a tenant or a device, or of all when both are
// empty. What happens once it has returned is in it. after is the id to go on
// from; empty: from now on. Close it.
func (c *Client) Events(ctx context.Context, tenant, mac, after string) (*Events, error) {
	ctx, cancel := context.WithCancel(ctx)
	query := url.Values{}
	if tenant != "" {
		query.Set("tenant", tenant)
	}
	if mac != "" {
		query.Set("mac", mac)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+api.Prefix+"/events?"+query.Encode(), nil)
	if err != nil {
		cancel()
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+c.token.Reveal())
	r.Header.Set("Accept", "text/event-stream")
	if after != "" {
		r.Header.Set("Last-Event-ID", after)
	}
	resp, err := c.send(r)
	if err != nil {
		cancel()
		return nil, err
	}
	e := &Events{resp: resp, scan: bufio.NewScanner(resp.Body), cancel: cancel, last: after}
	e.scan.Buffer(nil, 1<<20)
	e.silence = time.AfterFunc(timeout, cancel)
	return e, nil
}

// Next waits for an event. The error is io-like at the stream's end: open it
// again, from Last.
func (e *Events) Next() (api.Event, error) {
	var out api.Event
	var data string
	for e.scan.Scan() {
		e.silence.Reset(timeout)
		name, value, _ := strings.Cut(e.scan.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "id":
			e.last = value
		case "data":
			data = value
		}
		if e.scan.Text() != "" || data == "" {
			continue
		}
		if err := json.Unmarshal([]byte(data), &out); err != nil {
			return out, fmt.Errorf("event stream: %w", err)
		}
		return out, nil
	}
	if err := e.scan.Err(); err != nil && !errors.Is(err, context.Canceled) {
		return out, fmt.Errorf("event stream: %w", err)
	}
	return out, ErrSilent
}

// Last is the id of the last event, to go on from.
func (e *Events) Last() string { return e.last }

// Close ends the stream.
func (e *Events) Close() {
	e.silence.Stop()
	e.cancel()
	_ = e.resp.Body.Close() // nothing is left to lose
}
