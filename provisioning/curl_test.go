package provisioning_test

import (
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
)

// curl is a client that nobody here wrote: it reads our challenges and answers
// them in its own way.
func TestCurl(t *testing.T) {
	srv := httptest.NewServer(handler(t, &site{bound: true}, ""))
	defer srv.Close()
	for _, auth := range []string{"--basic", "--digest", "--anyauth"} {
		for user, want := range map[string]string{
			"001565aabb01:" + secret: "200", "001565aabb01:wrong": "404", "001565aabb99:" + secret: "404",
		} {
			out, err := exec.Command("curl", "-sS", auth, "-u", user, "-w", "\n%{http_code}", srv.URL+"/acme/"+user[:12]+".cfg").CombinedOutput()
			if err != nil {
				t.Fatalf("curl: %v\n%s", err, out)
			}
			text := string(out)
			if !strings.HasSuffix(text, "\n"+want) || (want == "200") != strings.Contains(text, "account.1.password = session-password\n") {
				t.Errorf("curl %s -u %s: want %s, got\n%s", auth, user, want, text)
			}
		}
	}
}
