package all

import (
	"slices"
	"strings"
	"testing"

	"perch/hotdesk/directory"
	"perch/provisioning/brand"
	"perch/provisioning/brand/brandtest"
)

// pushedBy are the brands that take settings by NOTIFY.
var pushedBy = map[brand.Name]string{brand.Yealink: "Yealink-xml", brand.Snom: "xml", brand.Mitel: "aastra-xml"}

// sat is a desk before and after a login with these names.
func sat(text string) (idle, bound brand.Desk) {
	idle = desks()[0]
	idle.Push, idle.DoorKey = true, false
	bound = idle
	bound.Bound = true
	bound.Account = brand.Account{User: "1001", AuthUser: idle.Account.AuthUser, Password: "abcdefghijklmnopqrst", DisplayName: text}
	bound.Keys = []directory.Key{{Type: "blf", Value: "1002", Label: text}}
	return idle, bound
}

func rendered(t *testing.T, b brand.Brand, d brand.Desk) []byte {
	t.Helper()
	out, err := b.Render(d, file(d))
	if err != nil {
		t.Fatal(err)
	}
	return out.Body
}

// A login changes who the phone is and its keys, and only that is sent; a change
// of anything else needs the file.
func TestPushes(t *testing.T) {
	for _, b := range Brands() {
		event, has := pushedBy[b.Name]
		if (b.Recipe.Push != nil) != has {
			t.Errorf("%s takes settings: %v", b.Name, b.Recipe.Push != nil)
		}
		if !has {
			continue
		}
		idle, bound := sat("Ada")
		a, ok := b.Recipe.Push(rendered(t, b, idle), rendered(t, b, bound))
		if !ok || a.Event != event || a.Reboot || a.Wait == 0 {
			t.Fatalf("%s: %v %+v", b.Name, ok, a)
		}
		for _, part := range []string{"abcdefghijklmnopqrst", "1001", "1002", "Ada"} {
			if !strings.Contains(string(a.Body), part) {
				t.Errorf("%s: %s is not sent\n%s", b.Name, part, a.Body)
			}
		}
		if strings.Contains(string(a.Body), idle.Provisioning.URL) || len(a.Body) > 1600 {
			t.Errorf("%s: more than changed is sent\n%s", b.Name, a.Body)
		}
		shape := kinds(brandtest.ReadPage(t, a.Body))
		for _, text := range append(brandtest.Hostile(), "&reregister", "x&set:admin_mode_password=1", "]]></fetch>") {
			_, bound := sat("x" + text)
			a, ok := b.Recipe.Push(rendered(t, b, idle), rendered(t, b, bound))
			if !ok {
				t.Fatalf("%s: %q cannot be pushed", b.Name, text)
			}
			page := brandtest.ReadPage(t, a.Body)
			if got := kinds(page); !slices.Equal(got, shape) {
				t.Errorf("%s: %q changed the page: %q", b.Name, text, got)
			}
			for _, n := range page.All("fetch") {
				if strings.Count(n.Text, "#") != 1 || strings.Count(n.Text, "&reregister") != 1 || strings.Contains(n.Text, "&set:admin") {
					t.Errorf("%s: %q became a command: %s", b.Name, text, n.Text)
				}
			}
		}
		moved := bound
		moved.Provisioning.URL = "https://192.0.2.9/elsewhere/"
		if _, ok := b.Recipe.Push(rendered(t, b, idle), rendered(t, b, moved)); ok {
			t.Errorf("%s: another server was pushed", b.Name)
		}
		gone := bound
		gone.NTPServer = "192.0.2.2"
		if _, ok := b.Recipe.Push(rendered(t, b, gone), rendered(t, b, idle)); ok {
			t.Errorf("%s: a setting that is gone was pushed", b.Name)
		}
		if _, ok := b.Recipe.Push(rendered(t, b, idle), rendered(t, b, idle)); ok {
			t.Errorf("%s: nothing was pushed", b.Name)
		}
		for _, junk := range []string{"", "junk", "<settings><a><b>", "\x00"} {
			b.Recipe.Push([]byte(junk), []byte(junk+"x = 1"))
		}
	}
}

// kinds are the names of the elements, in order.
func kinds(n *brandtest.Node) []string {
	var out []string
	n.Each(func(k *brandtest.Node) { out = append(out, k.Name) })
	return out
}
