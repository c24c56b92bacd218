package arch

import (
	"slices"
	"strings"
	"testing"
)

// TestNoAdminCodeBehindThePhones follows the imports of what answers the phones'
// web server to their ends: nothing that changes the directory, serves people or
// holds the store is ever reached, so that no fault in it leads there. What it
// needs of these comes by interfaces, which internal/app fills.
func TestNoAdminCodeBehindThePhones(t *testing.T) {
	imports := map[string][]string{}
	for _, f := range goFiles(t) {
		if !f.test {
			imports[f.pkg] = append(imports[f.pkg], f.imports...)
		}
	}
	for _, from := range []string{"provisioning", "provisioning/phoneapp", "provisioning/files", "provisioning/history", "provisioning/device"} {
		if len(imports[from]) == 0 {
			t.Errorf("%s is not there any more", from)
		}
		seen, queue := map[string]bool{}, []string{from}
		for len(queue) > 0 {
			pkg := queue[0]
			queue = queue[1:]
			for _, next := range imports[pkg] {
				if seen[next] {
					continue
				}
				seen[next] = true
				queue = append(queue, next)
				if admin := slices.ContainsFunc(adminCode(), func(p string) bool { return match(p, next) }); admin {
					t.Errorf("%s reaches %s by %s: the phones' listener has no admin code behind it", from, next, pkg)
				}
			}
		}
		if !slices.ContainsFunc(keys(seen), func(p string) bool { return strings.HasPrefix(p, "hotdesk") }) {
			t.Errorf("%s reaches no domain: this test follows nothing", from)
		}
	}
}

// adminCode is what an admin acts through, and what keeps everything.
func adminCode() []string {
	return []string{
		"portal/...", "internal/apply/...", "internal/store/...", "internal/app/...", "internal/credential/...", "cmd/...",
		huma, "github.com/redis/go-redis/...", "os/exec", "net/http/pprof",
	}
}

func keys(m map[string]bool) (out []string) {
	for k := range m {
		out = append(out, k)
	}
	return out
}
