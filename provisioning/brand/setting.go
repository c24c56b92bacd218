package brand

import "slices"

// Setting is how an admin decides what makers' documents leave open: a variable
// of that name, at any level that has variables, with one of the values. Without
// one, or with any other value, it is the first. docs/phones names them by brand.
func (d Desk) Setting(name string, values ...string) string {
	if d.Custom != nil {
		if v, ok := d.Custom.Vars[name]; ok && slices.Contains(values, v.Value) {
			return v.Value
		}
	}
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// OpensLogin tells whether the phone shall open the login by itself: nobody is
// logged in, it has pages, and the policy wants it.
func (d Desk) OpensLogin() bool { return d.IdleLogin && !d.Bound && d.ScreenURL != "" }

// LoginPage is what it opens; empty where it shall open nothing.
func (d Desk) LoginPage() string {
	if !d.OpensLogin() {
		return ""
	}
	return d.ScreenURL + "login"
}
