package phoneapp_test

import (
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"perch/provisioning/brand/brandtest"
)

// browser is a phone's: it knows the elements of every dialect, and of a page
// only what stands in it.
type browser struct {
	t       *testing.T
	agent   string
	code    int
	text    string            // all that the screen shows
	links   map[string]string // label to URL
	form    string            // where the form goes; empty: none
	fields  []string
	hidden  []string
	next    string // where it goes by itself
	header  http.Header
	visited []string
}

// open fetches a page and reads it.
func (b *browser) open(address string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("User-Agent", b.agent)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	b.visited = append(b.visited, address)
	b.code, b.header, b.links, b.form, b.fields, b.hidden, b.next = resp.StatusCode, resp.Header, map[string]string{}, "", nil, nil, ""
	b.text = string(body)
	if resp.Header.Get("Cache-Control") != "no-store" {
		b.t.Errorf("cache-control %q", resp.Header.Get("Cache-Control"))
	}
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") {
		b.read(brandtest.ReadPage(b.t, body))
	}
}

func (b *browser) read(root *brandtest.Node) {
	b.text = ""
	root.Each(func(n *brandtest.Node) {
		b.text += " " + n.Text + " " + n.Attrs["label"]
		switch n.Name {
		case "MenuItem": // Name and URL, or Prompt and URI
			b.links[n.Kid("Name")+n.Kid("Prompt")] = n.Kid("URL") + n.Kid("URI")
		case "SoftKey", "SoftKeyItem", "Softkey":
			b.key(n)
		case "a":
			b.links[n.Text] = n.Attrs["href"]
		case "InputField", "InputItem", "input":
			b.input(n)
		case "form":
			b.form = n.Attrs["action"]
		case "fetch":
			b.next = n.Text
		case "meta":
			_, b.next, _ = strings.Cut(n.Attrs["content"], "url=")
		}
	})
	if strings.HasSuffix(root.Name, "InputScreen") || strings.HasSuffix(root.Name, "IPPhoneInput") {
		b.form = root.Kid("URL")
	}
	if _, to, ok := strings.Cut(b.header.Get("Refresh"), "url="); ok {
		b.next = to
	}
}

func (b *browser) key(n *brandtest.Node) {
	switch n.Attrs["action"] {
	case "AppendInputURL":
		b.form = n.Attrs["commandArgs"]
	case "UseURL":
		b.links[n.Attrs["label"]] = n.Attrs["commandArgs"]
	case "":
		label := n.Kid("Label")
		if label == "" {
			label = n.Kid("Name")
		}
		b.links[label] = n.Kid("URL") + n.Kid("URI")
	}
}

func (b *browser) input(n *brandtest.Node) {
	name := n.Kid("Parameter") + n.Kid("QueryStringParam") + n.Attrs["name"]
	if n.Attrs["type"] == "submit" {
		return
	}
	b.fields = append(b.fields, name)
	if n.Attrs["password"] == "yes" || n.Attrs["type"] == "password" || strings.Contains(strings.ToUpper(n.Kid("InputFlags")), "P") {
		b.hidden = append(b.hidden, name)
	}
}

// press follows a line of the menu or a soft key.
func (b *browser) press(label string) {
	b.t.Helper()
	to, ok := b.links[label]
	for range 4 { // a long menu goes on
		if ok || b.links["More"] == "" {
			break
		}
		b.open(b.links["More"])
		to, ok = b.links[label]
	}
	if !ok {
		b.t.Fatalf("no %q among %v in %q", label, b.links, b.text)
	}
	b.open(to)
}

// fill types the values and submits, page by page where a phone asks for one at
// a time.
func (b *browser) fill(values map[string]string) {
	b.t.Helper()
	for range 3 {
		if b.form == "" {
			return
		}
		if slices.Contains(b.fields, "pin") && !slices.Contains(b.hidden, "pin") {
			b.t.Fatal("the PIN can be read on the screen")
		}
		q := url.Values{}
		for _, f := range b.fields {
			q.Set(f, values[f])
		}
		b.open(b.form + "?" + q.Encode())
	}
}

// logIn goes from the menu to the page after the form.
func (b *browser) logIn(menu, number, pin string) {
	b.t.Helper()
	b.open(menu)
	b.press("Log in")
	b.fill(map[string]string{"ext": number, "pin": pin})
}
