package arch

// rule forbids imports. Patterns are paths: perch's own begin with "perch/" in
// an import and are written here without it; "/..." takes what is below as well,
// and "/*" only what is below.
type rule struct {
	from   []string // packages the rule is about; the module's root is "..."
	except []string // of these, packages that it is not about
	deny   []string // imports that are forbidden
	allow  []string // of these, imports that are not
	tests  bool     // holds in test files too
	why    string
}

// Foreign modules, by what they are for.
const (
	sipgo      = "github.com/emiago/sipgo/..."
	goRedis    = "github.com/redis/go-redis/..."
	miniredis  = "github.com/alicebob/miniredis/..."
	prometheus = "github.com/prometheus/client_golang/..."
	huma       = "github.com/danielgtaylor/huma/..."
	kong       = "github.com/alecthomas/kong/..."
	pion       = "github.com/pion/..."
)

// The storeys of the house, from the ground up.
var (
	leaves = []string{"hotdesk/directory", "hotdesk/calendar", "internal/credential", "internal/event", "sip/digest/...", "sip/media/...", "sip/dialog/...", "sip/siptrace/..."}
	lower  = []string{"hotdesk", "sip/location", "sip/calls/...", "sip/emergency/...", "provisioning/brand/...", "provisioning/device/..."}
	upper  = []string{"hotdesk/reload/...", "hotdesk/trace/...", "hotdesk/audit/...", "hotdesk/schedule/...", "sip/presence/...", "sip/upstream/registration/..."}
	domain = append(append([]string{}, lower...), upper...)
	inner  = append(append([]string{}, leaves...), domain...)

	sipEdges = []string{"sip/front/...", "sip/websocket/...", "sip/registrar/...", "sip/keepalive/...", "sip/auth/...", "sip/proxy/...", "sip/notify/...", "sip/probe/...", "sip/publish/...", "sip/feature/...", "sip/upstream"}
	webEdges = []string{"provisioning", "provisioning/phoneapp/...", "portal/api/...", "portal/live/...", "portal/ui/..."}
	edges    = append(append([]string{"sip", "sip/handler/...", "sip/flow/..."}, sipEdges...), webEdges...)
	around   = []string{"cmd/...", "internal/app/...", "internal/config/...", "internal/certs/...", "internal/sim/...", "internal/httpserver/...", "internal/ratelimit/...", "portal/client/..."}
)

// rules is the diagram of the architecture, read from below. Neighbours among
// the edges are added by neighbours.
func rules() []rule {
	all := []rule{
		{
			from: inner, deny: []string{sipgo, goRedis, miniredis, prometheus, huma, kong, "net/http/...", "database/sql"},
			why: "the domain imports no technology: it is decided and tested without a socket, and SIP, HTTP and Redis can change without it",
		},
		{
			from: domain, deny: []string{pion, "metrics/..."},
			why: "the domain says what happened as an event; what is counted is the business of whoever listens",
		},
		{
			from: inner, deny: append(append([]string{"internal/store/..."}, edges...), around...),
			why: "imports point down: whoever needs the store or an edge declares an interface, and internal/app injects it",
		},
		{
			from: leaves, deny: domain,
			why: "a leaf holds words that the domain is made of, so it cannot know the domain",
		},
		{
			from: lower, deny: upper,
			why: "imports point down: reloads, traces, audit and presence follow from who sits where, never the reverse",
		},
		{
			from: []string{"metrics/..."}, deny: append(append(append([]string{"internal/..."}, inner...), edges...), "cmd/...", "portal/..."),
			why: "metrics knows no domain: the words that become labels are passed in as closed sets",
		},
		{
			from: []string{"internal/store/..."}, deny: append(append([]string{prometheus, sipgo, huma, "net/http/..."}, edges...), around...),
			why: "the store implements interfaces of the domain and of the edges; it never knows who asks",
		},
		{
			from: edges, deny: []string{"internal/store/...", "internal/app/...", "internal/config/...", "internal/sim/...", "cmd/..."},
			why: "an edge declares what it needs as an interface; only internal/app knows the store and the configuration",
		},
		{
			from: []string{"..."}, except: []string{"metrics/..."}, deny: []string{prometheus}, tests: true,
			why: "metrics is the sole importer of Prometheus: names and labels are reviewed in one place",
		},
		{
			from: []string{"..."}, except: []string{"internal/store/..."}, deny: []string{goRedis, miniredis},
			why: "internal/store is the only package that talks to Redis: keys and scripts are reviewed in one place",
		},
		{
			from: []string{"..."}, except: []string{"sip/...", "internal/sim/..."}, deny: []string{sipgo},
			why: "only the packages below sip/ and the virtual phones speak SIP; internal/app wires our own sip",
		},
		{
			from: []string{"sip/digest/...", "sip/location/...", "sip/calls/...", "sip/presence/...", "sip/dialog/...", "sip/front/...", "sip/websocket/..."}, deny: []string{sipgo},
			why: "these decide on plain values, so that a faster reader than sipgo can use them",
		},
		{
			from: []string{"..."}, except: []string{"portal/..."}, deny: []string{huma},
			why: "REST is the portal's business",
		},
		{
			from: []string{"..."}, except: []string{"cmd/..."}, deny: []string{kong},
			why: "only cmd parses command lines",
		},
		{
			from: []string{"internal/sim/..."},
			deny: []string{
				"provisioning/...", "portal/...", "hotdesk/...", "internal/credential/...", "internal/store/...", "internal/app/...",
				"internal/config/...", "sip", "sip/registrar/...", "sip/auth/...", "sip/notify/...", "sip/feature/...", "sip/flow/...", "sip/handler/...", "sip/location/...", "sip/presence/...",
			},
			allow: []string{"hotdesk/directory"},
			why:   "a virtual phone knows only what it fetched: sharing code with the server would let both be wrong alike",
		},
		{
			from: []string{"..."}, except: []string{"cmd/...", "test/...", "internal/app/..."}, deny: []string{"internal/app/..."},
			why: "internal/app is the only place that imports across, and only a command starts it",
		},
		{
			from: []string{"..."}, except: []string{"cmd/...", "test/...", "portal/client/..."}, deny: []string{"portal/client/..."},
			why: "the client is for the command line; inside the server nobody asks by HTTP",
		},
		{
			from: []string{"..."}, except: []string{"cmd/...", "internal/app/...", "provisioning/brand/all"}, deny: []string{"provisioning/brand/all"},
			why: "the list of brands is injected: a package that imports it would depend on every brand",
		},
		{
			from: []string{"..."}, except: []string{"provisioning/brand/..."}, deny: []string{"provisioning/brand/*"}, allow: []string{"provisioning/brand/all"},
			why: "all of one brand is in its folder, and only the list knows it: no switch over brands elsewhere",
		},
		{
			from: []string{"..."}, except: []string{"cmd/...", "internal/arch", "test/..."}, deny: []string{"cmd/..."}, tests: true,
			why: "a command only parses and calls",
		},
	}
	return append(all, neighbours()...)
}

// neighbours forbids each edge every other one.
func neighbours() []rule {
	var all []rule
	for i, edge := range sipEdges {
		others := append(append([]string{"sip"}, webEdges...), sipEdges[:i]...)
		all = append(all, rule{
			from: []string{edge}, deny: append(others, sipEdges[i+1:]...),
			why: "an edge of sip/ may use sip/handler, sip/flow and the domain, never a neighbour nor sip itself: what they share goes through the domain",
		})
	}
	for i, edge := range webEdges {
		others := append(append([]string{"sip/..."}, webEdges[:i]...), webEdges[i+1:]...)
		all = append(all, rule{
			from: []string{edge}, deny: others, allow: inner,
			why: "an edge never imports an edge: what two of them share is the domain's",
		})
	}
	shared := []string{"sip/handler/...", "sip/flow/..."}
	return append(all, rule{
		from: shared, deny: append(append([]string{"sip"}, sipEdges...), webEdges...),
		why: "what every edge of sip/ uses cannot use one of them",
	}, rule{
		from: []string{"sip"}, deny: append([]string{"sip/registrar/...", "sip/auth/...", "sip/proxy/...", "sip/notify/...", "sip/probe/...", "sip/publish/...", "sip/feature/..."}, webEdges...),
		why: "sip listens and dispatches to handlers that internal/app gives it; it knows none of them",
	}, rule{
		from: append(append([]string{"provisioning/brand/*"}, "provisioning/brand/all"), "internal/httpserver/..."),
		deny: []string{"internal/store/...", "internal/app/...", "provisioning", "hotdesk/reload/..."},
		why:  "a brand is data and rendering, a server is bounds: neither knows what is served",
	})
}
