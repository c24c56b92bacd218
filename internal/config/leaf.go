package config

import (
	"encoding"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
)

// leaf is one setting: a field that is a value and not a group.
type leaf struct {
	path  string // sip.expires.min
	value reflect.Value
	field reflect.StructField
	group reflect.Type // the struct that declares it
}

// env is the environment variable of the setting.
func (l leaf) env() string {
	return "PERCH_" + strings.ToUpper(strings.ReplaceAll(l.path, ".", "_"))
}

// leaves lists the settings of a Config in the order of their declaration; set
// through them changes c.
func leaves(c *Config) []leaf { return leavesOf(reflect.ValueOf(c).Elem(), "") }

func leavesOf(v reflect.Value, prefix string) []leaf {
	var out []leaf
	for i := range v.NumField() {
		field := v.Type().Field(i)
		path := prefix + field.Tag.Get("yaml")
		if v.Field(i).Kind() == reflect.Struct && !isText(v.Field(i)) {
			out = append(out, leavesOf(v.Field(i), path+".")...)
			continue
		}
		out = append(out, leaf{path, v.Field(i), field, v.Type()})
	}
	return out
}

func isText(v reflect.Value) bool {
	_, is := v.Addr().Interface().(encoding.TextUnmarshaler)
	return is
}

func (l leaf) isList() bool { return l.value.Kind() == reflect.Slice }

// setList replaces a list. It gives the fault of each item, by index.
func (l leaf) setList(items []string) map[int]error {
	list := reflect.MakeSlice(l.value.Type(), len(items), len(items))
	faults := map[int]error{}
	for i, s := range items {
		if err := setText(list.Index(i), s); err != nil {
			faults[i] = err
		}
	}
	if len(faults) == 0 {
		l.value.Set(list)
	}
	return faults
}

// setText reads a text into a value of any type that settings have.
func setText(v reflect.Value, s string) error {
	switch p := v.Addr().Interface().(type) {
	case *netip.Prefix:
		return setPrefix(p, s)
	case *slog.Level:
		if p.UnmarshalText([]byte(s)) != nil {
			return errors.New("must be debug, info, warn or error")
		}
	case *bool:
		*p = s == "true"
		if !*p && s != "false" {
			return errors.New("must be true or false")
		}
	case *int:
		n, err := strconv.Atoi(s)
		if err != nil {
			return errors.New("must be a whole number")
		}
		*p = n
	case *string:
		*p = s
	case encoding.TextUnmarshaler:
		return p.UnmarshalText([]byte(s))
	default:
		return fmt.Errorf("has a type (%s) that cannot be read", v.Type())
	}
	return nil
}

// setPrefix takes a bare address too.
func setPrefix(p *netip.Prefix, s string) error {
	if addr, err := netip.ParseAddr(s); err == nil {
		*p = netip.PrefixFrom(addr, addr.BitLen())
		return nil
	}
	prefix, err := netip.ParsePrefix(s)
	if err != nil {
		return errors.New("must be an IP address or a prefix such as 192.0.2.0/24")
	}
	*p = prefix.Masked()
	return nil
}
