package app

import (
	"encoding/json"
	"net/http/httptest"
	"testing"
)

func TestReadyzNamesWhatIsMissing(t *testing.T) {
	r := newReadiness("redis", "sip")
	ask := func() (int, map[string]partState) {
		w := httptest.NewRecorder()
		r.ServeHTTP(w, httptest.NewRequest("GET", "/readyz", nil))
		var body struct{ Parts []partState }
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
			t.Fatal(err)
		}
		parts := map[string]partState{}
		for _, p := range body.Parts {
			parts[p.Part] = p
		}
		return w.Code, parts
	}
	r.set("redis", "")
	r.note("redis", "in memory")
	code, parts := ask()
	if code != 503 || parts["sip"].Ready || parts["sip"].Why == "" || !parts["redis"].Ready || parts["redis"].Note != "in memory" {
		t.Errorf("%d %+v, want 503 that names sip", code, parts)
	}
	r.set("sip", "")
	if code, _ = ask(); code != 200 {
		t.Errorf("%d, want 200", code)
	}
	r.set("redis", "connection refused")
	if code, parts = ask(); code != 503 || parts["redis"].Why != "connection refused" {
		t.Errorf("%d %+v, want 503 that names redis", code, parts)
	}
}
