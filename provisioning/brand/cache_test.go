package brand

import (
	"fmt"
	"testing"

	"perch/hotdesk/directory"
)

// counting is a brand that tells how often it wrote.
func counting(n *int) Brand {
	return Brand{Name: Htek, Render: func(d Desk, f File) (Rendered, error) {
		*n++
		if d.Label == "broken" {
			return Rendered{}, fmt.Errorf("broken")
		}
		return Rendered{Body: []byte(d.Account.Password.Reveal() + f.Name)}, nil
	}}
}

func TestCacheWritesOnceUntilSomethingChanges(t *testing.T) {
	n := 0
	b, c := counting(&n), NewCache(1<<20)
	d := Desk{MAC: directory.MAC{1}, Keys: []directory.Key{{Type: "blf", Value: "1002"}}, Custom: &Custom{Vars: map[string]Variable{"a": {"1", "tenant"}}}}
	f := File{Kind: Device, Name: "x.cfg", MAC: d.MAC}
	for _, change := range []struct {
		name string
		edit func()
		want int
	}{
		{"first", func() {}, 1},
		{"again", func() {}, 1},
		{"an equal copy", func() { d.Keys = []directory.Key{{Type: "blf", Value: "1002"}} }, 1},
		{"another password", func() { d.Account.Password = "new" }, 2},
		{"another key", func() { d.Keys = []directory.Key{{Type: "blf", Value: "1003"}} }, 3},
		{"another variable", func() { d.Custom = &Custom{Vars: map[string]Variable{"a": {"2", "tenant"}}} }, 4},
		{"another file", func() { f.Name = "y.cfg" }, 5},
		{"the first file again", func() { f.Name = "x.cfg" }, 5},
	} {
		change.edit()
		out, _, err := c.Write(b, d, f)
		if err != nil || string(out.Body) != d.Account.Password.Reveal()+f.Name || n != change.want {
			t.Errorf("%s: %q, %v, written %d times", change.name, out.Body, err, n)
		}
	}
}

func TestCacheIsBounded(t *testing.T) {
	n := 0
	b, c := counting(&n), NewCache(3*(overhead+5))
	for i := range 10 {
		if _, _, err := c.Write(b, Desk{}, File{Name: fmt.Sprintf("%d.cfg", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if c.recent.Len() != 3 || len(c.entries) != 3 || c.size > c.most {
		t.Errorf("%d entries, %d bytes", c.recent.Len(), c.size)
	}
	_, _, _ = c.Write(b, Desk{}, File{Name: "9.cfg"})
	_, _, _ = c.Write(b, Desk{}, File{Name: "0.cfg"})
	if n != 11 {
		t.Errorf("written %d times", n)
	}
	if _, _, err := c.Write(b, Desk{Label: "broken"}, File{Name: "9.cfg"}); err == nil {
		t.Error("an error was kept from view")
	}
}
