package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"perch/internal/apply"
	"perch/portal/api"
)

// ApplyOptions say how a directory file is brought in.
type ApplyOptions struct {
	Name     string // of the file, for messages
	DryRun   bool
	Prune    bool
	NewRealm bool
}

// Apply brings a directory file in and tells progress how far it is. The error
// is an *apply.Faulty when the file is at fault; then nothing has changed.
func (c *Client) Apply(ctx context.Context, file io.Reader, o ApplyOptions, progress apply.Progress) (apply.Report, error) {
	query := url.Values{"name": {o.Name}}
	for name, on := range map[string]bool{"dry_run": o.DryRun, "prune": o.Prune, "new_realm": o.NewRealm} {
		if on {
			query.Set(name, strconv.FormatBool(on))
		}
	}
	resp, err := c.do(ctx, http.MethodPost, "/apply", query, "application/yaml", file)
	if err != nil {
		return apply.Report{}, err
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var l api.ApplyLine
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return apply.Report{}, fmt.Errorf("apply: %w", err)
		}
		switch {
		case l.Problem != nil:
			return apply.Report{}, &Refused{Status: l.Problem.Status, Reason: l.Problem.Reason, Text: problemText(*l.Problem, "")}
		case len(l.Faults) > 0:
			return apply.Report{}, &apply.Faulty{Faults: l.Faults}
		case l.Report != nil:
			return *l.Report, nil
		}
		progress(l.Phase, l.Done, l.Total)
	}
	if err := lines.Err(); err != nil {
		return apply.Report{}, fmt.Errorf("apply: %w", err)
	}
	return apply.Report{}, errors.New("the server ended before the apply did: apply the same file again, it goes on where it was")
}
