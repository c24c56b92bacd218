package phoneapp_test

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"image/png"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"perch/hotdesk"
	"perch/hotdesk/directory"
	"perch/internal/store"
	"perch/provisioning/brand"
	"perch/provisioning/brand/grandstream"
	"perch/provisioning/brand/snom"
	"perch/provisioning/brand/yealink"
	"perch/provisioning/phoneapp"
)

// People implements phoneapp.People.
func (w *world) People(ctx context.Context, t directory.TenantCode) (all []phoneapp.Person, err error) {
	err = w.store.EachExtension(ctx, t, func(e directory.Extension) error {
		all = append(all, phoneapp.Person{Number: e.ID.Number, Name: e.Name})
		return nil
	})
	for n := range 30 {
		all = append(all, phoneapp.Person{Number: strconv.Itoa(2000 + n), Name: "Person " + strconv.Itoa(n)})
	}
	return append(all, phoneapp.Person{Number: "lobby", Name: "No keypad"}, phoneapp.Person{Number: "3000", Name: "J\u00f6rg \u00c5\u00dfmann"}), err
}

// ChangePIN implements phoneapp.PINs.
func (w *world) ChangePIN(_ context.Context, r hotdesk.PINChange) error {
	w.pins = append(w.pins, r)
	if w.refuse != nil {
		return w.refuse
	}
	return nil
}

// New implements phoneapp.Codes.
func (w *world) New(ctx context.Context, seat directory.Seat, code, trace string) error {
	err := w.store.NewQRCode(ctx, seat, code, trace, w.clock())
	if errors.Is(err, store.ErrTooMany) {
		return fmt.Errorf("%w: %w", phoneapp.ErrTooMany, err)
	}
	return err
}

// Waits implements phoneapp.Codes.
func (w *world) Waits(ctx context.Context, t directory.TenantCode, code string) (bool, error) {
	_, err := w.store.LookQRCode(ctx, t, code, w.clock())
	if errors.Is(err, hotdesk.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Address implements phoneapp.Codes.
func (w *world) Address(t directory.TenantCode, code string) string {
	return "https://perch.example.test/qr/" + string(t) + "/" + code
}

// Choose implements phoneapp.Places.
func (w *world) Choose(_ context.Context, _ directory.DeviceID, place string) error {
	w.places = append(w.places, place)
	return nil
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func TestDirectory(t *testing.T) {
	w := yealinks(t, "replace")
	b := &browser{t: t, agent: "Yealink SIP-T46U 108.86.0.90"}
	b.open(w.menu(desk))
	if _, there := b.links["Directory"]; there {
		t.Error("a free desk shows who works here")
	}
	b.open(w.menu(desk) + "find?q=1001")
	must(t, b.text, "Free desk")
	w.seat(desk, "1001")
	b.open(w.menu(desk))
	b.press("Directory")
	form := b.form
	for asked, want := range map[string][]string{
		"1002":          {`Grace <&"''> ]]> Hopper 1002`},
		"232":           {"Ada Lovelace 1001"}, // a-d-a
		"472":           {`Grace <&"''> ]]> Hopper 1002`},
		"lovel":         {"Ada Lovelace 1001"},
		"5674":          {"J\u00f6rg \u00c5\u00dfmann 3000"},
		"200":           {"Person 0 2000", "Person 9 2009"},
		"%20":           {"Ada Lovelace 1001", "More"},
		"":              {"Ada Lovelace 1001", "More"},
		"nobody%3Cx%3E": nil,
	} {
		b.open(form + "?q=" + asked)
		for _, label := range want {
			if _, ok := b.links[strings.ReplaceAll(label, "''", "'")]; !ok {
				t.Errorf("%q: no %q in %v", asked, label, b.links)
			}
		}
		if want == nil {
			must(t, b.text, "No entry for nobody<x>")
		}
	}
	b.open(form + "?q=")
	if b.links["Ada Lovelace 1001"] != "Dial:1001" || len(b.links) != 20 {
		t.Errorf("%d lines: %v", len(b.links), b.links)
	}
	seen := map[string]bool{}
	for range 5 {
		for label := range b.links {
			seen[label] = true
		}
		if b.links["More"] == "" {
			break
		}
		b.press("More")
	}
	if !seen["Person 29 2029"] || !seen["Back"] || seen["No keypad lobby"] {
		t.Errorf("pages: %v", seen)
	}
	b.open(form + "?q=" + strings.Repeat("9", 100))
	must(t, b.text, "Ada Lovelace 1001") // too long to be searched for: everybody
}

func TestChangeOfAPIN(t *testing.T) {
	w := yealinks(t, "replace")
	b := &browser{t: t, agent: "Yealink SIP-T46U 108.86.0.90"}
	b.open(w.menu(desk) + "pin")
	must(t, b.text, "Free desk")
	w.seat(desk, "1001")
	b.open(w.menu(desk))
	b.press("Change PIN")
	if len(b.fields) != 3 || len(b.hidden) != 3 {
		t.Fatalf("fields %v, hidden %v", b.fields, b.hidden)
	}
	form := b.form
	b.open(form + "?old=4321&new=9753&again=9754")
	must(t, b.text, "The new PINs differ")
	if len(b.fields) != 2 || strings.Contains(b.form, "4321") || len(w.pins) != 0 {
		t.Fatalf("fields %v at %s", b.fields, b.form)
	}
	b.open(b.form + "?new=9753&again=9753")
	must(t, b.text, "Your PIN is changed")
	if len(w.pins) != 1 || w.pins[0].Extension.Number != "1001" || w.pins[0].Old != "4321" || w.pins[0].New != "9753" || w.pins[0].Source != "device:"+desk {
		t.Fatalf("%+v", w.pins)
	}
	w.refuse = &hotdesk.Refused{Why: hotdesk.WeakPIN}
	b.open(form + "?old=4321&new=1234&again=1234")
	must(t, b.text, "too easy", "Code ")
	b.open(form + "?old=&new=1234&again=1234")
	must(t, b.text, "Type it in full")
	b.open(form + "?old=1&again=1&new=" + strings.Repeat("9", 65))
	must(t, b.text, "too long")
	for _, secret := range []string{"4321", "9753", "1234"} {
		if strings.Contains(w.logs.String(), secret) {
			t.Errorf("%s is in the log", secret)
		}
	}
}

// A phone that asks for one value at a time carries the others sealed, and only
// for who sits there.
func TestChangeOfAPINOneByOne(t *testing.T) {
	w := newWorld(t, "replace", brand.List{snom.Brand()}, "{mac: "+desk+", brand: snom, model: D785}")
	w.seat(desk, "1001")
	b := &browser{t: t}
	b.open(w.menu(desk) + "pin")
	for _, value := range []string{"4321", "9753"} {
		if len(b.fields) != 1 {
			t.Fatalf("fields %v", b.fields)
		}
		b.open(b.form + "?" + b.fields[0] + "=" + value)
		if strings.Contains(b.form, value) {
			t.Fatalf("%s is in the clear: %s", value, b.form)
		}
	}
	last := b.form
	w.seat(desk, "1002")
	b.open(last + "?again=9753")
	must(t, b.text, "Log out")
	if len(w.pins) != 0 {
		t.Fatal("somebody else's PIN was changed")
	}
	w.seat(desk, "1001")
	b.open(last + "?again=9753")
	must(t, b.text, "Your PIN is changed")
	if len(w.pins) != 1 || w.pins[0].Old != "4321" || w.pins[0].New != "9753" {
		t.Fatalf("%+v", w.pins)
	}
}

func TestLoginByCode(t *testing.T) {
	w := yealinks(t, "replace")
	b := &browser{t: t, agent: "Yealink SIP-T20 9.73.0.50"} // a model without pictures
	b.agent = "Yealink SIP-T46U 108.86.0.90"
	b.open(w.menu(desk))
	start := b.links["Log in by code"]
	b.open(start)
	picture := strings.TrimSpace(b.text)
	if i := strings.Index(picture, "http"); i >= 0 {
		picture = strings.Fields(picture[i:])[0]
	}
	res, err := http.Get(picture)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := png.Decode(res.Body); err != nil || res.Header.Get("Content-Type") != "image/png" {
		t.Fatalf("%s: %v", picture, err)
	}
	code := picture[strings.LastIndex(picture, "/")+1 : len(picture)-len(".png")]
	b.press("As text")
	must(t, b.text, "confirm code "+code[:4]+"-"+code[4:])
	next := b.next
	b.open(next)
	must(t, b.text, "confirm code")
	c, err := w.store.TakeQRCode(t.Context(), "acme", code, w.clock())
	if err != nil {
		t.Fatal(err)
	}
	b.open(next)
	must(t, b.text, "The code has run out")
	w.seatBy(desk, "1001", c.Trace)
	b.open(next)
	must(t, b.text, "Confirmed")
	b.open(b.next)
	must(t, b.text, "Please wait")

	b.open(w.menu(desk) + "code/nonsense1")
	if b.code != http.StatusNotFound {
		t.Errorf("no code: %d", b.code)
	}
	for range 11 {
		b.open(w.menu(desk))
		b.press("Log in by code")
	}
	must(t, b.text, "Too many codes")
	b.open(start)
	w.later(5 * time.Minute)
	b.open(start)
	must(t, b.text, "Log in by code") // an old page makes no code: the menu
}

func TestTwoAddresses(t *testing.T) {
	w := (&world{t: t, logs: &lines{}, now: time.Now(), two: true}).open("ask", brand.List{yealink.Brand()}, "{mac: "+desk+", brand: yealink, model: T46U}")
	b := &browser{t: t, agent: "Yealink SIP-T46U 108.86.0.90"}
	b.open(w.menu(desk))
	if _, there := b.links["Log in"]; there {
		t.Error("a login button too many")
	}
	b.press("Log in (external)")
	b.open(b.form + "?ext=1001&pin=0000")
	if len(w.places) != 0 {
		t.Fatalf("a wrong PIN moves the phone: %q", w.places)
	}
	b.open(w.menu(desk))
	b.press("Log in (external)")
	b.open(b.form + "?ext=1001&pin=4321")
	if w.sits(desk) != "1001" || len(w.places) != 1 || w.places[0] != "external" {
		t.Fatalf("%q sits there, places %q: %s", w.sits(desk), w.places, b.text)
	}
	b.open(w.menu(desk))
	b.press("Log in (internal)")
	b.open(b.form + "?ext=1002&pin=8642")
	b.press("Take over")
	if w.sits(desk) != "1002" || len(w.places) != 2 || w.places[1] != "internal" {
		t.Fatalf("%q sits there, places %q", w.sits(desk), w.places)
	}
}

// A phone with four soft keys has the menu in pages.
func TestAMenuInPages(t *testing.T) {
	w := newWorld(t, "replace", brand.List{grandstream.Brand()}, "{mac: "+desk+", brand: grandstream, model: GRP2614}")
	w.seat(desk, "1001")
	b := &browser{t: t}
	b.open(w.menu(desk))
	seen := map[string]bool{}
	for range 4 {
		if len(b.links) > 4 {
			t.Fatalf("%d soft keys", len(b.links))
		}
		for label := range b.links {
			seen[label] = true
		}
		if b.links["More"] == "" {
			break
		}
		b.press("More")
	}
	for _, want := range []string{"Log out", "Log in", "Log in by code", "Directory", "Change PIN", "Who is here", "Reload phone", "Back"} {
		if !seen[want] {
			t.Errorf("no %q in %v", want, seen)
		}
	}
}

// Every text of the pages has a German one with the same values in it.
func TestGermanIsWhole(t *testing.T) {
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	german := phoneapp.German()
	used := map[string]bool{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			l, ok := n.(*ast.BasicLit)
			if ok && l.Kind == token.STRING {
				text, _ := strconv.Unquote(l.Value)
				used[text] = true
			}
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if f, ok := call.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "say" {
				if l, ok := call.Args[0].(*ast.BasicLit); ok {
					text, _ := strconv.Unquote(l.Value)
					if german[text] == "" {
						t.Errorf("%q has no German", text)
					}
				}
			}
			return true
		})
	}
	for text, de := range german {
		if !used[text] {
			t.Errorf("%q is nowhere", text)
		}
		for _, verb := range []string{"%s", "%d"} {
			if strings.Count(text, verb) != strings.Count(de, verb) {
				t.Errorf("%q has other values than %q", de, text)
			}
		}
	}
	for _, why := range hotdesk.Reasons() {
		if text := phoneapp.Words(&hotdesk.Refused{Why: why, RetryAfter: time.Hour}, "de"); text == "" || why != hotdesk.AskFirst && strings.Contains(text, "nicht erlaubt. Fragen") {
			t.Errorf("%s: %q", why, text)
		}
	}
}
