package brand

import (
	"fmt"
	"reflect"
	"strings"

	"perch/hotdesk/directory"
)

// plainDepth bounds how deep values lie in each other.
const plainDepth = 6

// plainData copies a view into maps, lists, texts and numbers: what an admin's
// template works on. Methods without arguments become values, once; nothing in
// the copy can be called or leads back to the original.
func plainData(v any) any {
	out, _ := flatten(reflect.ValueOf(v), 0)
	return out
}

func flatten(v reflect.Value, depth int) (any, bool) {
	if depth > plainDepth || !v.IsValid() {
		return nil, false
	}
	switch v.Kind() {
	case reflect.String: // a directory.Secret too
		return v.String(), true
	case reflect.Bool:
		return v.Bool(), true
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return int(v.Int()), true
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return int(v.Uint()), true
	case reflect.Slice:
		return list(v, depth), true
	case reflect.Struct, reflect.Array:
		if s, ok := v.Interface().(fmt.Stringer); ok {
			return s.String(), true
		}
		if v.Kind() == reflect.Struct {
			return fields(v, depth), true
		}
		return list(v, depth), true
	case reflect.Map:
		return entries(v, depth)
	default: // pointers, functions, channels, interfaces: nothing a file needs
		return nil, false
	}
}

func list(v reflect.Value, depth int) []any {
	out := make([]any, 0, v.Len())
	for i := range v.Len() {
		if e, ok := flatten(v.Index(i), depth+1); ok {
			out = append(out, e)
		}
	}
	return out
}

func entries(v reflect.Value, depth int) (any, bool) {
	if v.Type().Key().Kind() != reflect.String {
		return nil, false
	}
	out := make(map[string]any, v.Len())
	for _, k := range v.MapKeys() {
		if e, ok := flatten(v.MapIndex(k), depth+1); ok {
			out[k.String()] = e
		}
	}
	return out, true
}

// fields are the exported fields, those of embedded structs among them, and
// the results of methods.
func fields(v reflect.Value, depth int) map[string]any {
	out := map[string]any{}
	t := v.Type()
	for _, f := range reflect.VisibleFields(t) {
		if _, has := out[f.Name]; has || !f.IsExported() {
			continue
		}
		inner, ok := t.FieldByName(f.Name) // the one that Go's rules choose
		if !ok {
			continue
		}
		if e, ok := flatten(v.FieldByIndex(inner.Index), depth+1); ok {
			out[f.Name] = e
		}
	}
	for i := range t.NumMethod() {
		m := v.Method(i)
		if m.Type().NumIn() != 0 || m.Type().NumOut() != 1 {
			continue
		}
		if e, ok := flatten(m.Call(nil)[0], depth+1); ok {
			out[t.Method(i).Name] = e
		}
	}
	return out
}

// data is what the templates of one desk see: the view, and what is only there
// for admins.
func (c *Custom) data(view any) map[string]any {
	out, ok := plainData(view).(map[string]any)
	if !ok {
		out = map[string]any{}
	}
	vars := make(map[string]any, len(c.Vars))
	for name, v := range c.Vars {
		vars[name] = v.Value
	}
	out["Vars"] = vars
	for name, text := range map[string]string{"Brand": string(c.Brand), "Tenant": c.Tenant, "Site": c.Site, "Template": c.Template} {
		if _, taken := out[name]; !taken {
			out[name] = text
		}
	}
	return out
}

// Masked is the desk without its secrets, for people to look at.
func (d Desk) Masked() Desk {
	const mask = directory.Secret("********")
	for _, s := range []*directory.Secret{&d.Account.Password, &d.Provisioning.Password, &d.Provisioning.Token, &d.AdminPassword} {
		if *s != "" {
			*s = mask
		}
	}
	d.Provisioning.URL = withoutToken(d.Provisioning.URL)
	if d.ScreenURL != "" {
		d.ScreenURL = "http://********/"
	}
	d.BookURL = withoutToken(d.BookURL)
	return d
}

// withoutToken masks what follows /t/ in a URL: whoever has it gets the file.
func withoutToken(url string) string {
	before, rest, ok := strings.Cut(url, "/t/")
	if !ok {
		return url
	}
	if _, after, more := strings.Cut(rest, "/"); more {
		return before + "/t/********/" + after
	}
	return before + "/t/********"
}
