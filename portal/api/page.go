package api

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// List is what every list can be asked: for a tenant, a site, a part.
type List struct {
	Tenant string `query:"tenant" maxLength:"32" doc:"Only this tenant"`
	Site   string `query:"site" maxLength:"255" doc:"Only devices of this site"`
	Limit  int    `query:"limit" minimum:"0" maximum:"100000" doc:"At most so many, with a Link to the next; 0 is all"`
	Cursor string `query:"cursor" maxLength:"4096" doc:"Where to go on: from the Link of the part before"`
}

// page gives the part of a list that was asked for, in the order of key, and the
// Link to the next part, empty at the end.
func page[T any](rows []T, key func(T) string, path string, q List) (part []T, link string, err error) {
	slices.SortFunc(rows, func(a, b T) int { return strings.Compare(key(a), key(b)) })
	if q.Cursor != "" {
		after, err := base64.RawURLEncoding.DecodeString(q.Cursor)
		if err != nil {
			return nil, "", badRequest("cursor: is not one that this server gave out.")
		}
		i, found := slices.BinarySearchFunc(rows, string(after), func(row T, k string) int { return strings.Compare(key(row), k) })
		for found && i < len(rows) && key(rows[i]) == string(after) {
			i++
		}
		rows = rows[i:]
	}
	if q.Limit == 0 || len(rows) <= q.Limit {
		return rows, "", nil
	}
	rows = rows[:q.Limit]
	next := url.Values{"limit": {strconv.Itoa(q.Limit)}, "cursor": {base64.RawURLEncoding.EncodeToString([]byte(key(rows[len(rows)-1])))}}
	if q.Tenant != "" {
		next.Set("tenant", q.Tenant)
	}
	if q.Site != "" {
		next.Set("site", q.Site)
	}
	return rows, "<" + Prefix + path + "?" + next.Encode() + `>; rel="next"`, nil
}
