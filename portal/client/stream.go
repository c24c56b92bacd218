package client

import (
	"bufio"
	"context"
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

// ErrSilent is the error of a stream on which not even a heartbeat came.
var ErrSilent = errors.New("the event stream has gone silent")

// stream is an open stream of server-sent events.
type stream struct {
	resp    *http.Response
	scan    *bufio.Scanner
	cancel  context.CancelFunc
	silence *time.Timer
}

// stream opens one; after is the id to go on from, empty: from now on.
func (c *Client) stream(ctx context.Context, path string, query url.Values, after string) (*stream, error) {
	ctx, cancel := context.WithCancel(ctx)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+api.Prefix+path+"?"+query.Encode(), nil)
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
	s := &stream{resp: resp, scan: bufio.NewScanner(resp.Body), cancel: cancel}
	s.scan.Buffer(nil, 1<<20)
	s.silence = time.AfterFunc(timeout, cancel)
	return s, nil
}

// next waits for an event that carries data; id is its own or empty.
func (s *stream) next() (id, data string, err error) {
	for s.scan.Scan() {
		s.silence.Reset(timeout)
		name, value, _ := strings.Cut(s.scan.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "id":
			id = value
		case "data":
			data = value
		}
		if s.scan.Text() == "" && data != "" {
			return id, data, nil
		}
	}
	if err := s.scan.Err(); err != nil && !errors.Is(err, context.Canceled) {
		return id, "", fmt.Errorf("event stream: %w", err)
	}
	return id, "", ErrSilent
}

// Close ends the stream.
func (s *stream) Close() {
	s.silence.Stop()
	s.cancel()
	_ = s.resp.Body.Close() // nothing is left to lose
}
