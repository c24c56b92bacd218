package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// rest is Perch's API as an administrator's program uses it.
type rest struct {
	url, token string
	http       *http.Client
}

func (o *office) rest() rest {
	return rest{httpURL(o.Addresses().Portal) + "/api/v1", o.Token().Reveal(), client()}
}

// client keeps no connection open: servers come and go here.
func client() *http.Client {
	return &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
}

// ask sends a request and reads its answer. status 0: there was none.
func (r rest) ask(ctx context.Context, method, path string, body any) (status int, answer []byte) {
	var text bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&text).Encode(body); err != nil {
			return 0, nil
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, r.url+path, &text)
	if err != nil {
		return 0, nil
	}
	req.Header.Set("Authorization", "Bearer "+r.token)
	req.Header.Set("Content-Type", "application/json")
	res, err := r.http.Do(req)
	if err != nil {
		return 0, nil
	}
	defer res.Body.Close()
	answer, err = io.ReadAll(res.Body)
	if err != nil {
		return 0, nil
	}
	return res.StatusCode, answer
}

// login seats an extension.
func (r rest) login(ctx context.Context, number, mac string) int {
	status, _ := r.ask(ctx, http.MethodPost, "/login", map[string]string{"tenant": "acme", "extension": number, "mac": mac})
	return status
}

// list reads an array.
func (r rest) list(t testing.TB, path string, into any) {
	t.Helper()
	status, body := r.ask(t.Context(), http.MethodGet, path, nil)
	if status != http.StatusOK {
		t.Fatalf("GET %s: %d %s", path, status, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		t.Fatalf("GET %s: %v\n%s", path, err, body)
	}
}

// admin runs a perch command against this server, as somebody on its machine.
func (o *office) admin(command string, args ...string) string {
	o.t.Helper()
	return run(o.t, perch(o.t), append([]string{command, "--config", o.configFile()}, args...)...)
}

// configFile is by which commands find this server.
func (o *office) configFile() string {
	o.t.Helper()
	file := filepath.Join(o.dir, "perch.yaml")
	if err := os.WriteFile(file, []byte("data_dir: "+filepath.Join(o.dir, "data")+"\n"), 0o600); err != nil {
		o.t.Fatal(err)
	}
	return file
}
