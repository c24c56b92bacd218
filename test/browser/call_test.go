package browser

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestJsSIPCalls: one browser calls another, over WSS and WS; they talk, hold
// and hang up.
func TestJsSIPCalls(t *testing.T) {
	server := httptest.NewServer(pages(bundle(t)))
	defer server.Close()
	perch := serve(t, server.URL)
	at := map[string]string{}
	for _, a := range perch.Addresses().SIP {
		transport, _, _ := strings.Cut(a, "://")
		at[transport] = a
	}
	hedy, radia := chromium(t), chromium(t)
	openAs(t, hedy, server.URL, at["wss"], "1005", "hedys-own-password")
	openAs(t, radia, server.URL, at["ws"], "1006", "radias-own-password")
	await(t, hedy, "window.perch.registered > 0")
	await(t, radia, "window.perch.registered > 0")

	evaluate[chromedp.Void](t, hedy, "void dial('1006')")
	await(t, radia, "window.perch.state === 'called'")
	if who := evaluate[string](t, radia, "window.perch.caller"); who != "1005" {
		t.Errorf("called by %q", who)
	}
	await(t, hedy, "window.perch.state === 'ringing'")
	evaluate[chromedp.Void](t, radia, "void answer()")
	await(t, hedy, "window.perch.state === 'talking'")
	await(t, radia, "window.perch.state === 'talking'")
	await(t, hedy, "['connected', 'completed'].includes(window.perch.media)")

	evaluate[chromedp.Void](t, hedy, "void session.hold()")
	await(t, radia, "window.perch.state === 'held'")
	// It refuses while the answer to its hold is on the way.
	await(t, hedy, "session.unhold() === true")
	await(t, radia, "window.perch.state === 'talking'")
	evaluate[chromedp.Void](t, radia, "void session.terminate()")
	await(t, hedy, "window.perch.state === 'ended'")

	evaluate[chromedp.Void](t, radia, "void dial('1005')")
	await(t, hedy, "window.perch.state === 'called'")
	evaluate[chromedp.Void](t, hedy, "void session.terminate({status_code: 486})")
	await(t, radia, "window.perch.state === 'failed Busy'")
}
