package child

import "testing"

func TestServerDiesWithItsParent(t *testing.T) {
	dir := shortDir(t)
	pid := killParent(t, dir, false)
	eventually(t, "the end of the server", func() bool { return !alive(pid) })
	if got := ask(t, start(t, dir).Socket(), "GET k"); got != "v" {
		t.Errorf("got %q", got)
	}
}
