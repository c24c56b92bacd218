package browser

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"perch/internal/app"
	"perch/internal/config"
)

const directoryFile = `
tenants:
  - code: acme
    domains: [acme.test]
    extensions:
      - {number: "1005", name: Hedy Lamarr, pin: "1597", sip_password: hedys-own-password}
      - {number: "1006", name: Radia Perlman, pin: "2468", sip_password: radias-own-password}
`

// bundle is the page's script, made of the page and the packages that
// package-lock.json names; they are installed into node_modules when they are
// not there.
func bundle(t *testing.T) []byte {
	t.Helper()
	installed, err := os.Stat("node_modules/.package-lock.json")
	locked, lockErr := os.Stat("package-lock.json")
	if lockErr != nil {
		t.Fatal(lockErr)
	}
	if err != nil || installed.ModTime().Before(locked.ModTime()) {
		npm(t, "ci", "--no-audit", "--no-fund", "--no-progress")
	}
	npm(t, "run", "build", "--silent")
	script, err := os.ReadFile("node_modules/.perch/page.js")
	if err != nil {
		t.Fatal(err)
	}
	return script
}

func npm(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "npm", args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("npm %s (Debian: npm): %v\n%s", args[0], err, out)
	}
}

// serve starts a Perch for browsers whose pages come from origin.
func serve(t *testing.T, origin string) *app.App {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "office.yaml")
	if err := os.WriteFile(file, []byte(directoryFile), 0o600); err != nil {
		t.Fatal(err)
	}
	c := config.Default()
	c.DataDir, c.Redis.URL, c.Apply = filepath.Join(dir, "data"), "memory:", []string{file}
	c.SIP.Listen = []config.Listener{{Transport: "wss", Host: "127.0.0.1"}, {Transport: "ws", Host: "127.0.0.1"}}
	c.WebSocket.Origins = []string{origin}
	c.Provisioning.Listen, c.Portal.Listen, c.Metrics.Listen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	a, err := app.Start(t.Context(), c, app.Build{Version: "browser"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Stop(); err != nil {
			t.Error(err)
		}
	})
	return a
}

// chromium opens a browser without a screen and without a past.
func chromium(t *testing.T) context.Context {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("chromium is needed (Debian: chromium):", err)
	}
	flags := []chromedp.ExecAllocatorOption{chromedp.ExecPath(program), chromedp.UserDataDir(t.TempDir())}
	for _, f := range []string{
		"headless", "no-sandbox", "disable-gpu", "no-first-run", "disable-background-networking",
		"disable-component-update", "disable-sync", "disable-dev-shm-usage", "ignore-certificate-errors",
		"use-fake-device-for-media-stream", "use-fake-ui-for-media-stream", "allow-loopback-in-peer-connection",
	} {
		flags = append(flags, chromedp.Flag(f, true))
	}
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), flags...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // waits for the end of the browser
		cancel()
	})
	// The browser lives as long as the first context it is used with.
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// pages serves the page and its script.
func pages(script []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/page.js" {
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = w.Write(script)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprint(w, `<!doctype html><title>phone</title><script src="/page.js"></script>`)
	})
}

// TestJsSIPRegisters: over WSS and WS a browser registers and leaves; a page from elsewhere gets no connection.
func TestJsSIPRegisters(t *testing.T) {
	script := bundle(t)
	page := pages(script)
	friend, stranger := httptest.NewServer(page), httptest.NewServer(page)
	defer friend.Close()
	defer stranger.Close()
	perch := serve(t, friend.URL)
	ctx := chromium(t)

	for _, at := range perch.Addresses().SIP {
		transport, _, _ := strings.Cut(at, "://")
		t.Run(transport, func(t *testing.T) {
			open(t, ctx, friend.URL, at)
			await(t, ctx, "window.perch.registered > 0")
			set, err := perch.Store().Contacts(t.Context(), "acme", "1005")
			if err != nil || len(set.Contacts) != 1 {
				t.Fatalf("%+v, %v", set.Contacts, err)
			}
			c := set.Contacts[0]
			if c.Flow.Transport != transport || c.Flow.ID == "" || !strings.Contains(c.URI, ".invalid;transport=ws") {
				t.Errorf("contact %s by %+v", c.URI, c.Flow)
			}
			evaluate[chromedp.Void](t, ctx, "ua.unregister()")
			await(t, ctx, "window.perch.log.includes('unregistered')")
			if set, err = perch.Store().Contacts(t.Context(), "acme", "1005"); err != nil || len(set.Contacts) != 0 {
				t.Errorf("after it left: %+v, %v", set.Contacts, err)
			}
			evaluate[chromedp.Void](t, ctx, "ua.stop()")
		})
	}
	t.Run("foreign origin", func(t *testing.T) {
		open(t, ctx, stranger.URL, perch.Addresses().SIP[0])
		await(t, ctx, "window.perch.closed > 0")
		log := evaluate[[]string](t, ctx, "window.perch.log")
		if slices.Contains(log, "connected") {
			t.Error("a page from elsewhere connected:", log)
		}
	})
}

// open loads the page and lets it register at a listener.
func open(t *testing.T, ctx context.Context, page, at string) {
	t.Helper()
	openAs(t, ctx, page, at, "1005", "hedys-own-password")
}

// openAs is open for another account.
func openAs(t *testing.T, ctx context.Context, page, at, user, password string) {
	t.Helper()
	limited, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := chromedp.Do(limited, chromedp.Navigate(page)); err != nil {
		t.Fatal(err)
	}
	evaluate[chromedp.Void](t, ctx, fmt.Sprintf(
		"register({url: %q, user: %q, domain: 'acme.test', password: %q})", at+"/sip", user, password))
}

// await waits until the page says so.
func await(t *testing.T, ctx context.Context, condition string) {
	t.Helper()
	_, err := chromedp.Run(ctx, chromedp.Poll[bool](condition, chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(20*time.Second)))
	if err != nil {
		t.Fatalf("%s: %v; the page tells %v", condition, err, evaluate[[]string](t, ctx, "window.perch.log"))
	}
}

func evaluate[T any](t *testing.T, ctx context.Context, script string) T {
	t.Helper()
	limited, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	v, err := chromedp.Run(limited, chromedp.Evaluate[T](script))
	if err != nil {
		t.Fatalf("%.40s: %v", script, err)
	}
	return v
}
