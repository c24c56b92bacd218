package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"
)

// rest is Perch's API as an administrator's program uses it.
type rest struct {
	url, token string
	http       *http.Client
}

func (o *office) rest() rest {
	return rest{httpURL(o.Addresses().Portal) + "/api/v1", o.Token().Reveal(), &http.Client{Timeout: 15 * time.Second}}
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

// login seats an extension; logout empties a desk.
func (r rest) login(ctx context.Context, number, mac string) int {
	status, _ := r.ask(ctx, http.MethodPost, "/login", map[string]string{"tenant": "acme", "extension": number, "mac": mac})
	return status
}

func (r rest) logout(ctx context.Context, mac string) int {
	status, _ := r.ask(ctx, http.MethodPost, "/logout", map[string]string{"tenant": "acme", "mac": mac})
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

// admin does what the perch command of that name does.
func (o *office) admin(command string, args ...string) {
	o.t.Helper()
	body := map[string]string{}
	for i := 0; i+1 < len(args); i += 2 {
		name := map[string]string{"--ext": "extension"}[args[i]]
		if name == "" {
			name = args[i][2:]
		}
		body[name] = args[i+1]
	}
	if status, answer := o.rest().ask(o.t.Context(), http.MethodPost, "/"+command, body); status != http.StatusOK {
		o.t.Fatalf("%s %v: %d %s", command, args, status, answer)
	}
}
