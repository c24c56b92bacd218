package audit

import "context"

// Actor is who changes something that has no field of its own for that: it goes
// from the door to the script that writes the event.
type Actor struct {
	By     string `json:"by,omitempty"`     // "admin", "config"
	Door   string `json:"door,omitempty"`   // "api", "cli"
	Detail string `json:"detail,omitempty"` // what is done, in a few words
}

type actorKey struct{}

// With gives a context in which what is changed is the actor's doing.
func With(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// ActorIn tells whose doing it is; the zero Actor where nobody said.
func ActorIn(ctx context.Context) Actor {
	a, _ := ctx.Value(actorKey{}).(Actor)
	a.Detail = clean(a.Detail)
	return a
}
