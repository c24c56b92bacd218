package phoneapp_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"perch/hotdesk/trace"
	"perch/internal/event"
	"perch/provisioning/phoneapp"
)

func TestLoginUntilTheDeskIsReady(t *testing.T) {
	w := yealinks(t, "replace")
	b := &browser{t: t, agent: "Yealink SIP-T46U 108.86.0.90"}
	b.open(w.menu(desk))
	must(t, b.text, "Free desk")
	if _, there := b.links["Log out"]; there {
		t.Fatal("a free desk offers a logout")
	}
	b.logIn(w.menu(desk), "1001", "4321")
	if w.sits(desk) != "1001" || b.next == "" {
		t.Fatalf("%q sits there, next %q: %s", w.sits(desk), b.next, b.text)
	}
	seats, _ := w.store.Seats(t.Context(), w.id(desk))
	if s, _ := seats.At(1); s.Door != "phone-app" {
		t.Errorf("door %q", s.Door)
	}
	b.open(b.next)
	must(t, b.text, "Please wait")
	w.ends(desk, trace.Running, trace.Step{Name: trace.Fetched})
	b.open(b.next)
	must(t, b.text, "has its settings")
	w.ends(desk, trace.Ready)
	b.open(b.next)
	must(t, b.text, "Ready", "yours, Ada Lovelace")
	if b.next != "" {
		t.Error("a ready desk is still followed")
	}
	b.open(w.menu(desk))
	must(t, b.text, "1001 Ada Lovelace")
	b.press("Who is here")
	must(t, b.text, "1001 Ada Lovelace is logged in since", "Berlin <3>")
	b.press("Menu")
	b.press("Log out")
	if w.sits(desk) != "" || b.next == "" {
		t.Fatalf("%q still sits there", w.sits(desk))
	}
	w.ends(desk, trace.Ready)
	b.open(b.next)
	must(t, b.text, "The desk is free")
}

func TestAFailedReloadNamesTheStep(t *testing.T) {
	w := yealinks(t, "replace")
	b := &browser{t: t}
	b.logIn(w.menu(desk), "1001", "4321")
	next := b.next
	tr := w.ends(desk, trace.Failed, trace.Step{Name: trace.Fetched, Error: "never came"})
	b.open(next)
	must(t, b.text, "did not fetch its settings", "Code "+tr.ID[:8])
}

func TestAPageFetchedTwiceActsOnce(t *testing.T) {
	w := yealinks(t, "replace")
	b := &browser{t: t}
	b.logIn(w.menu(desk), "1001", "4321")
	login := b.visited[len(b.visited)-1]
	one, err := w.store.Trace(t.Context(), w.id(desk))
	if err != nil {
		t.Fatal(err)
	}
	b.open(login)
	if two, _ := w.store.Trace(t.Context(), w.id(desk)); two.ID != one.ID || b.next == "" {
		t.Errorf("a second login %s after %s", two.ID, one.ID)
	}
	b.open(w.menu(desk))
	logout := b.links["Log out"]
	b.open(logout)
	b.open(login) // Back: the first answer, and nobody sits down
	if w.sits(desk) != "" {
		t.Fatal("a page of the history logged somebody in")
	}
	w.later(5 * time.Minute)
	b.open(login)
	if w.sits(desk) != "" || b.form == "" {
		t.Fatal("an old page logged somebody in")
	}
	w.seat(desk, "1001")
	b.open(logout)
	if w.sits(desk) != "1001" {
		t.Fatal("an old page logged somebody out")
	}
}

func TestLogoutOfSomebodyElse(t *testing.T) {
	w := yealinks(t, "replace")
	w.seat(desk, "1001")
	b := &browser{t: t}
	b.open(w.menu(desk))
	w.seat(desk, "1002")
	b.press("Log out")
	must(t, b.text, "Somebody else")
	if w.sits(desk) != "1002" {
		t.Fatal("the menu of one person logged another out")
	}
}

func TestTakeover(t *testing.T) {
	w := yealinks(t, "ask")
	w.seat(desk, "1002")
	b := &browser{t: t}
	b.logIn(w.menu(desk), "1001", "4321")
	must(t, b.text, `1002 Grace <&"'> ]]> Hopper sits here since`)
	if w.sits(desk) != "1002" || strings.Contains(b.links["Take over"], "4321") {
		t.Fatal("taken without a yes, or the PIN is in the page")
	}
	yes := b.links["Take over"]
	if len(yes) > 200 { // some phones take 255 characters
		t.Errorf("a URL of %d characters: %s", len(yes), yes)
	}
	b.press("Leave it")
	must(t, b.text, "1002 Grace")
	// Another phone cannot use it.
	b.open(w.menu(desk2) + "take/" + yes[strings.LastIndex(yes, "/")+1:])
	if w.sits(desk2) != "" {
		t.Fatal("a confirmation of another desk was taken")
	}
	// Somebody else sat down meanwhile: asked again.
	w.seat(desk, "1003")
	b.open(yes)
	must(t, b.text, "1003 Far Away sits here")
	yes = b.links["Take over"]
	b.open(yes)
	if w.sits(desk) != "1001" || b.next == "" {
		t.Fatalf("%s sits there: %s", w.sits(desk), b.text)
	}
	b.open(yes) // again: the first answer
	if b.next == "" {
		t.Errorf("the second fetch: %s", b.text)
	}
	w.later(5 * time.Minute)
	w.seat(desk, "1002")
	b.open(yes)
	if w.sits(desk) != "1002" || b.form == "" {
		t.Fatal("an old confirmation was taken")
	}
}

func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		occupied, mac, number, pin string
		says                       string
	}{
		"wrong PIN":     {"replace", desk, "1001", "0000", "Extension or PIN is not right"},
		"unknown":       {"replace", desk, "9999", "4321", "Extension or PIN is not right"},
		"no extension":  {"replace", desk, "10<&>", "4321", "Extension or PIN is not right"},
		"taken":         {"deny", desk, "1001", "4321", "1002 sits here since"},
		"another site":  {"replace", desk2, "1003", "7531", "cannot be used at this site"},
		"empty number":  {"replace", desk, "", "4321", "Type your extension"},
		"odd number":    {"replace", desk, "a b", "", "This is no extension"},
		"a long number": {"replace", desk, strings.Repeat("1", 80), "1", "too long"},
	} {
		t.Run(name, func(t *testing.T) {
			w := yealinks(t, c.occupied)
			w.seat(desk, "1002")
			b := &browser{t: t}
			b.open(w.menu(c.mac))
			b.press("Log in")
			b.open(b.form + "?ext=" + strings.NewReplacer("<", "%3C", "&", "%26", ">", "%3E", " ", "+").Replace(c.number) + "&pin=" + c.pin)
			must(t, b.text, c.says)
			if b.code != http.StatusOK {
				t.Errorf("code %d", b.code)
			}
		})
	}
}

// The code on the screen is the beginning of the id in the event and the log.
func TestTheSupportCodeFindsTheTrace(t *testing.T) {
	w := yealinks(t, "replace")
	from, err := w.store.Positions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t}
	b.logIn(w.menu(desk), "1001", "9753")
	m := regexp.MustCompile(`Code ([0-9a-f]{8})\.`).FindStringSubmatch(b.text)
	if m == nil {
		t.Fatal(b.text)
	}
	must(t, w.logs.String(), "trace="+m[1], "result=bad_credentials")
	found := make(chan event.Event, 16)
	go func() {
		_ = w.store.Tail(t.Context(), from, func(e event.Event) {
			if e.Type == event.LoginRefused {
				found <- e
			}
		})
	}()
	select {
	case e := <-found:
		if !strings.HasPrefix(e.Trace, m[1]) || e.Door != "phone-app" {
			t.Errorf("event %+v", e)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("no event")
	}
}

func TestLockoutIsTheSameAsAtEveryDoor(t *testing.T) {
	w := yealinks(t, "replace")
	b := &browser{t: t}
	for range 5 {
		b.logIn(w.menu(desk), "1001", "0000")
		must(t, b.text, "not right")
	}
	b.logIn(w.menu(desk), "1001", "4321")
	must(t, b.text, "Too many wrong PINs", "minutes")
	if w.sits(desk) != "" {
		t.Fatal("logged in while locked")
	}
	b.logIn(w.menu(desk2), "1001", "4321") // another source
	if w.sits(desk2) != "1001" {
		t.Fatal("a colleague was locked out from a distance")
	}
}

func TestReload(t *testing.T) {
	w := yealinks(t, "replace")
	b := &browser{t: t}
	b.open(w.menu(desk))
	b.press("Reload phone")
	must(t, b.text, "Please wait")
	tr, err := w.store.Trace(t.Context(), w.id(desk))
	if err != nil || tr.Door != "phone-app" {
		t.Fatalf("%+v %v", tr, err)
	}
}

func TestStrangers(t *testing.T) {
	w := yealinks(t, "replace")
	good := w.menu(desk)
	id := w.id(desk)
	token := w.key.DeviceToken(id.Tenant, id.MAC, 0)
	b := &browser{t: t, agent: "Yealink SIP-T46U 108.86.0.90"}
	for _, address := range []string{
		w.http.URL + "/app/" + strings.Repeat("a", 26) + "/" + desk + "/",
		w.http.URL + "/app/" + token + "/" + desk2 + "/",   // another device's token
		w.http.URL + "/app/" + token + "/001565aabb99/",    // no such device
		w.http.URL + "/app/" + token + "/" + desk + ".cfg", // a tenant's file
		w.http.URL + "/app//" + desk + "/",                 // no token
		w.http.URL + "/app/" + strings.Repeat("a", 65) + "/" + desk + "/",
		good + "nothing", good + "wait/..%2f/1", good + "wait/UPPER/1", good + "wait/a/-1", good + "login/%00", good + "a/b/c/d/e",
		good + "login?" + strings.Repeat("a", 300), good + "who?%zz",
	} {
		b.open(address)
		if b.code != http.StatusNotFound || b.text != "not found\n" {
			t.Errorf("%s: %d %q", address, b.code, b.text)
		}
	}
	for _, method := range []string{http.MethodHead, http.MethodPost, http.MethodPut, "BOGUS"} {
		r, _ := http.NewRequestWithContext(t.Context(), method, good+"login/x?ext=1001&pin=4321", nil)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("%s: %d", method, resp.StatusCode)
		}
	}
}

func TestStoreAway(t *testing.T) {
	w := yealinks(t, "replace")
	b := &browser{t: t, agent: "Yealink SIP-T46U 108.86.0.90"}
	b.open(w.menu(desk))
	b.press("Log in")
	form := b.form
	w.mu.Lock()
	w.down = true
	w.mu.Unlock()
	b.open(form + "?ext=1001&pin=4321")
	must(t, b.text, "does not work at the moment")
	if b.code != http.StatusServiceUnavailable || b.header.Get("Retry-After") == "" {
		t.Errorf("%d %v", b.code, b.header)
	}
	b.agent = "curl"
	b.open(w.menu(desk))
	if b.code != http.StatusServiceUnavailable || b.text != "come again\n" {
		t.Errorf("%d %q", b.code, b.text)
	}
	w.mu.Lock()
	w.down = false
	w.mu.Unlock()
	_ = w.store.Close()
	b.agent = "Yealink SIP-T46U 108.86.0.90"
	b.open(form + "?ext=1001&pin=4321")
	if b.code != http.StatusServiceUnavailable {
		t.Errorf("with the store closed: %d %q", b.code, b.text)
	}
}

// Neither token nor anything typed is in the log.
func TestNothingTypedIsLogged(t *testing.T) {
	w := yealinks(t, "ask")
	w.seat(desk, "1002")
	b := &browser{t: t}
	b.logIn(w.menu(desk), "1001", "9753")
	b.logIn(w.menu(desk), "1001", "4321")
	b.press("Take over")
	_ = w.store.Close()
	b.open(b.visited[len(b.visited)-1])
	b.open(w.menu(desk) + "login/1-1?ext=1001&pin=4321")
	id := w.id(desk)
	for _, secret := range []string{"1001", "4321", "9753", w.key.DeviceToken(id.Tenant, id.MAC, 0), "pin="} {
		if strings.Contains(w.logs.String(), secret) {
			t.Errorf("%s is in the log:\n%s", secret, w.logs.String())
		}
	}
}

func TestOwns(t *testing.T) {
	for path, want := range map[string]bool{
		"/app/token/001565aabb01/": true, "/app/token/001565aabb01/login": true, "/app/token/001565aabb01": true,
		"/app/001565aabb01.cfg": false, "/app/x/001565aabb01.cfg": false, "/app/": false, "/t/app/001565aabb01": false, "": false,
		"/apps/token/001565aabb01/": false,
	} {
		if phoneapp.Owns(path) != want {
			t.Errorf("%s: %v", path, !want)
		}
	}
}
