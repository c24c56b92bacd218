package picture_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"perch/provisioning/brand/all"
	"perch/provisioning/phoneapp"
	"perch/provisioning/phoneapp/picture"
)

// Every page of every dialect can be drawn: it has what a person needs to go on.
func TestEveryPageIsDrawn(t *testing.T) {
	models := map[string][]string{"yealink": {"T46U", "T20"}, "snom": {"D785", "D120"}, "grandstream": {"GRP2614", "GXP1450"}, "cisco-mpp": {"8851", "7841"}}
	for _, b := range all.Brands() {
		if b.Screen == nil {
			continue
		}
		for _, model := range append(models[string(b.Name)], "") {
			for _, page := range phoneapp.Samples() {
				for _, language := range []string{"en", "de"} {
					drawn, png, err := phoneapp.Sample(b, model, page, language)
					if err != nil {
						t.Fatalf("%s %s: %v", b.Name, page, err)
					}
					s, err := picture.Read(drawn.Body)
					if err != nil {
						t.Fatalf("%s %s: %v\n%s", b.Name, page, err, drawn.Body)
					}
					if len(s.Keys) == 0 || len(s.Items)+len(s.Fields)+len(s.Lines)+len(s.Placed) == 0 && !s.Picture && len(s.Keys) < 2 {
						t.Errorf("%s %s %s: %+v", b.Name, model, page, s)
					}
					html, err := picture.HTML("phone", s, true, png)
					if err != nil || strings.Contains(string(html), "<script") {
						t.Errorf("%s %s: %v", b.Name, page, err)
					}
					if page == "login" && !strings.Contains(string(html), `class="cursor"`) {
						t.Errorf("%s %s: no cursor\n%s", b.Name, model, drawn.Body)
					}
				}
			}
		}
	}
}

// The pictures of the documents are small, and each is shown.
func TestPicturesOfTheDocuments(t *testing.T) {
	docs := filepath.Join("..", "..", "..", "docs", "phones")
	files, err := filepath.Glob(filepath.Join(docs, "pictures", "*.png"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no pictures: %v", err)
	}
	pages, err := filepath.Glob(filepath.Join(docs, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, p := range append(pages, filepath.Join(docs, "..", "phoneapp.md")) {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(b)
	}
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > 15_000 {
			t.Errorf("%s has %d bytes", f, info.Size())
		}
		if !strings.Contains(text.String(), "pictures/"+filepath.Base(f)) {
			t.Errorf("%s is shown nowhere", f)
		}
	}
}

func TestTextsStayTexts(t *testing.T) {
	for _, text := range []string{`<script>x</script>`, `"onload="x`, "\u202e\U0001F4DE", "{{.}}", "]]>"} {
		html, err := picture.HTML(text, picture.Screen{Title: text, Lines: []string{text}, Items: []string{text}, Keys: []string{text}}, true, nil)
		if err != nil || strings.Contains(string(html), "<script") || strings.Contains(string(html), `"onload="`) {
			t.Errorf("%q: %v\n%s", text, err, html)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`<YealinkIPPhoneInputScreen><Title>x</Title><InputField password="yes"><Prompt>PIN</Prompt></InputField></YealinkIPPhoneInputScreen>`))
	f.Add([]byte(`<html><body><form><p>PIN <input type="password"/></p></form></body></html>`))
	f.Add([]byte(`<Screen><Page><Contents><input><styles pos_x="1"/></input></Contents></Page></Screen>`))
	f.Fuzz(func(t *testing.T, page []byte) {
		s, err := picture.Read(page)
		if err != nil {
			return
		}
		if _, err := picture.HTML("x", s, false, nil); err != nil {
			t.Error(err)
		}
	})
}
