package store

import (
	"context"
	_ "embed" // the scripts
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"perch/hotdesk/directory"
)

//go:embed lua/lib.lua
var luaLib string

// script is one change: a Lua body with the keys it declares. keys are names of
// the tenant's keys; extra are keys that differ per call (request:<id>), under
// the name that the body knows them by.
type script struct {
	op   string
	keys []string
	lua  *redis.Script
}

// newScript puts a prelude before the body: the table K, which names KEYS in the
// order in which they are declared here, DECLARED, how many those are, and the
// common library.
func newScript(op, body string, keys []string, extra ...string) script {
	var b strings.Builder
	b.WriteString("local K = {")
	for i, name := range keys {
		fmt.Fprintf(&b, "%s = KEYS[%d], ", strings.ReplaceAll(name, "-", "_"), i+1)
	}
	for i, name := range extra {
		fmt.Fprintf(&b, "%s = KEYS[%d], ", name, len(keys)+i+1)
	}
	fmt.Fprintf(&b, "}\nlocal DECLARED = %d\n", len(keys)+len(extra))
	b.WriteString(luaLib + body)
	return script{op: op, keys: keys, lua: redis.NewScript(b.String())}
}

// change runs a script for one tenant. extra are the keys named as such in
// newScript; args follow now, node and tenant.
func (s *Store) change(ctx context.Context, sc script, t directory.TenantCode, now time.Time, extra []string, args ...any) (any, error) {
	keys := make([]string, 0, len(sc.keys)+len(extra))
	for _, name := range sc.keys {
		keys = append(keys, key(t, name))
	}
	keys = append(keys, extra...)
	argv := make([]any, 0, 3+len(args))
	argv = append(argv, ms(now), s.node, string(t))
	return s.run(ctx, sc.op, sc.lua, keys, append(argv, args...)...)
}

// changeJSON runs a script that answers with a JSON text.
func (s *Store) changeJSON(ctx context.Context, into any, sc script, t directory.TenantCode, now time.Time, extra []string, args ...any) error {
	v, err := s.change(ctx, sc, t, now, extra, args...)
	if err != nil {
		return err
	}
	text, _ := v.(string)
	if err := json.Unmarshal([]byte(text), into); err != nil {
		return fmt.Errorf("store: %s: answer: %w", sc.op, err)
	}
	return nil
}

// asJSON is a script argument that travels as JSON.
type asJSON struct{ v any }

// MarshalBinary is how go-redis asks for the bytes.
func (a asJSON) MarshalBinary() ([]byte, error) { return json.Marshal(a.v) }

// ms writes a time as the scripts take it.
func ms(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }
