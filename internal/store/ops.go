package store

// Ops lists the operations that Observe is told of: the closed set of the
// label op of perch_redis_seconds.
func Ops() []string {
	return []string{
		"ack", "adopt", "all_seats", "all_traces", "append", "applied", "attempt", "attempt_good", "ban", "bans", "bind", "busy", "call", "call_claim", "call_save", "calls", "calls_of",
		"check_key", "claim", "confirm", "contact_update", "contacts", "counts", "desk", "desk_put", "device", "device_by_mac",
		"device_contacts", "directory_drop", "directory_put", "each_contact",
		"each_desk", "each_device", "each_extension", "expire", "expire_subscriptions", "extension", "fetched", "group", "lamps", "list",
		"logins", "look_again", "mark", "pending", "phone", "phones", "ping", "positions", "proofs", "release", "reload", "reload_arm", "reload_claim", "reload_close",
		"reload_open", "reload_save", "seats", "subscription", "subscription_end", "subscription_lit",
		"subscription_save", "subscriptions", "subscriptions_of", "tenant", "tenant_by_domain", "tenant_of_mac",
		"tenants", "timer_claim", "timer_end", "timer_set", "todo", "touch", "trace", "trace_save", "unbind",
		"lease", "logged_in", "upstream_claim", "upstream_save", "upstream_want", "upstreams",
	}
}
