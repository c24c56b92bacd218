package provisioning

import (
	"cmp"
	"net/url"
	"strings"
	"unicode/utf8"
)

// target is what a path asks for: /<file>, /<tenant>/<file> or
// /t/<token>/<file>, with any folders that the phone adds before the file.
type target struct {
	folder string // first folder, which may be a tenant's code; not with a token
	token  string
	name   string // base name
	phone  string // last folder, which may be a MAC: for names that are the same for all phones
	query  string // raw, bounded
}

// Bounds of a path, in bytes.
const (
	maxPath  = 512
	maxToken = 64
)

// parseTarget reads a decoded path. It refuses what no phone sends: parent
// folders, backslashes, control characters, bytes that are not UTF-8.
func parseTarget(path, query string) (target, bool) {
	if len(path) > maxPath || len(query) > maxPath || !strings.HasPrefix(path, "/") || !utf8.ValidString(path) {
		return target{}, false
	}
	if strings.ContainsFunc(path, func(c rune) bool { return c < ' ' || c == '\\' || c >= 0x7f && c <= 0x9f }) {
		return target{}, false
	}
	parts := strings.FieldsFunc(path, func(c rune) bool { return c == '/' })
	for _, p := range parts {
		if p == ".." || p == "." {
			return target{}, false
		}
	}
	if len(parts) == 0 || strings.HasSuffix(path, "/") {
		return target{}, false
	}
	t := target{name: parts[len(parts)-1], query: query}
	folders := parts[:len(parts)-1]
	if len(folders) > 0 {
		t.phone = folders[len(folders)-1]
	}
	switch {
	case len(folders) >= 2 && folders[0] == "t":
		if len(folders[1]) > maxToken {
			return target{}, false
		}
		t.token = folders[1]
	case len(folders) >= 1:
		t.folder = folders[0]
	}
	return t, true
}

// file is the name with its query, as brands read it.
func (t target) file() string {
	if t.query == "" {
		return t.name
	}
	q, err := url.QueryUnescape(t.query)
	if err != nil {
		return t.name
	}
	return t.name + "?" + q
}

// prefix is the folder under which the phone shall come back: who came by a
// token gets the next one, if there is one.
func (t target) prefix(tenant bool, next string) string {
	switch {
	case t.token != "":
		return "t/" + url.PathEscape(cmp.Or(next, t.token)) + "/"
	case tenant:
		return t.folder + "/"
	}
	return ""
}
