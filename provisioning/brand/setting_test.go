package brand

import "testing"

func TestSetting(t *testing.T) {
	d := Desk{}
	if got := d.Setting("x", "a", "b"); got != "a" {
		t.Errorf("without variables: %q", got)
	}
	d.Custom = &Custom{Vars: map[string]Variable{"x": {Value: "b"}, "y": {Value: "</P1>"}}}
	for name, want := range map[string]string{"x": "b", "y": "a", "z": "a"} {
		if got := d.Setting(name, "a", "b"); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if d.Setting("x") != "" {
		t.Error("a value out of none")
	}
}

func TestLoginPage(t *testing.T) {
	d := Desk{IdleLogin: true, ScreenURL: "http://x/app/t/m/"}
	if d.LoginPage() != "http://x/app/t/m/login" {
		t.Errorf("%q", d.LoginPage())
	}
	for _, f := range []func(*Desk){func(d *Desk) { d.Bound = true }, func(d *Desk) { d.IdleLogin = false }, func(d *Desk) { d.ScreenURL = "" }} {
		other := d
		if f(&other); other.LoginPage() != "" || other.OpensLogin() {
			t.Errorf("%+v opens %q", other, other.LoginPage())
		}
	}
}
