package metrics

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// Why a datagram or a connection was dropped without an answer.
const (
	DropTooBig      = "too_big"     // longer than a message may be
	DropMalformed   = "malformed"   // no SIP message, or one that cannot be answered
	DropRate        = "rate"        // the source's budget is spent
	DropConnections = "connections" // too many connections, in all or from one source
	DropIdle        = "idle"        // a connection that began a message and never ended it
	DropAnonymous   = "anonymous"   // a connection over which nobody was authenticated in time
	DropLength      = "length"      // a Content-Length that is missing, unreadable or a lie
	DropHeaders     = "headers"     // too many header fields, or too long ones
	DropMemory      = "memory"      // unfinished messages of one address, or of all, fill what there is for them
	DropBanned      = "banned"      // the source is banned
	DropScanner     = "scanner"     // the message names a known scanner
	DropLooped      = "looped"      // Perch's own message come back
	DropOverload    = "overload"    // too much work waiting
	DropHandshake   = "handshake"   // a TLS or WebSocket handshake that came to nothing
)

// What was refused because of too much work, the least valuable first.
const (
	ShedSubscribe = "subscribe" // a new subscription
	ShedOther     = "other"     // what nobody waits for
	ShedRefresh   = "refresh"   // a registration, or a subscription's refresh
	ShedCall      = "call"      // a call, or something inside one
	ShedEmergency = "emergency" // an emergency call
)

// Why a digest answer was not accepted. A stale nonce is no failure and is not counted.
const (
	DigestPassword  = "password"  // the answer does not fit the password
	DigestUnknown   = "unknown"   // a username that names nobody
	DigestMalformed = "malformed" // parameters missing, doubled or nonsense
	DigestRealm     = "realm"     // an answer for a realm that is not ours
	DigestAlgorithm = "algorithm" // an algorithm that was not offered
	DigestForeign   = "foreign"   // good credentials, used for somebody else's AOR
	DigestEnding    = "ending"    // credentials of a session that has ended
	DigestLocked    = "locked"    // the source is locked out
)

// SIP counts messages at the listeners and what became of them.
type SIP struct {
	requests counters
	dropped  counters
	refused  counters
	shed     counters
	banned   counters
	bans     prometheus.Gauge
	parse    prometheus.Counter
	digest   counters
}

// sipMethods are the methods of RFC 3261 section 7.1 and its extensions.
func sipMethods() set {
	return newSet("REGISTER", "INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "SUBSCRIBE", "NOTIFY",
		"PUBLISH", "MESSAGE", "INFO", "REFER", "PRACK", "UPDATE")
}

// sipCodes are the final statuses that Perch sends; "none" is for a request
// that gets no response (ACK) or got none.
func sipCodes() set {
	return newSet("none", "200", "202", "400", "401", "403", "404", "405", "408", "413", "415", "416", "420", "421",
		"423", "480", "481", "482", "483", "486", "487", "488", "489", "500", "501", "503", "505", "513")
}

func newSIP(reg prometheus.Registerer, banReasons []string) *SIP {
	s := &SIP{
		requests: newCounters(reg, "perch_sip_requests_total",
			"SIP requests received, by method and by the final status they were given (none: no response).",
			[]string{"method", "code"}, sipMethods(), sipCodes()),
		refused: newCounters(reg, "perch_sip_refused_total",
			"SIP requests that were not served, by reason, challenges included.", []string{"reason"}, sipRefusals()),
		dropped: newCounters(reg, "perch_sip_dropped_total",
			"SIP messages and connections dropped without an answer, by reason.", []string{"reason"},
			newSet(DropTooBig, DropMalformed, DropRate, DropConnections, DropIdle, DropAnonymous, DropLength, DropHeaders,
				DropMemory, DropBanned, DropScanner, DropLooped, DropOverload, DropHandshake)),
		shed: newCounters(reg, "perch_sip_shed_total",
			"SIP requests answered 503 because of too much work, by what they were.", []string{"reason"},
			newSet(ShedSubscribe, ShedOther, ShedRefresh, ShedCall, ShedEmergency)),
		banned: newCounters(reg, "perch_sip_bans_total", "Addresses banned from SIP by this node, by reason.", []string{"reason"}, newSet(banReasons...)),
		bans: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "perch_sip_bans", Help: "Addresses banned from SIP now, by whichever node.",
		}),
		parse: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "perch_sip_parse_errors_total", Help: "SIP messages that could not be parsed.",
		}),
		digest: newCounters(reg, "perch_digest_failures_total",
			"SIP requests whose digest answer was not accepted, by reason; stale nonces are not failures.", []string{"reason"},
			newSet(DigestPassword, DigestUnknown, DigestMalformed, DigestRealm, DigestAlgorithm, DigestForeign, DigestEnding, DigestLocked)),
	}
	reg.MustRegister(s.parse, s.bans)
	return s
}

// Request counts one request and its final status; 0 stands for no response.
func (s *SIP) Request(method string, code int) {
	if s == nil {
		return
	}
	status := "none"
	if code != 0 {
		status = strconv.Itoa(code)
	}
	s.requests.count(method, status)
}

// Dropped counts what was not answered; reason is one of the Drop words.
func (s *SIP) Dropped(reason string) {
	if s != nil {
		s.dropped.count(reason)
	}
}

// Shed counts a request answered 503; what is one of the Shed words.
func (s *SIP) Shed(what string) {
	if s != nil {
		s.shed.count(what)
	}
}

// Banned counts a ban that begins here; reason is one of Sets.BanReasons.
func (s *SIP) Banned(reason string) {
	if s != nil {
		s.banned.count(reason)
	}
}

// SetBans says how many addresses are banned now.
func (s *SIP) SetBans(n int) {
	if s != nil {
		s.bans.Set(float64(n))
	}
}

// ParseError counts a message that is no SIP.
func (s *SIP) ParseError() {
	if s != nil {
		s.parse.Inc()
	}
}

// DigestFailure counts a digest answer that was not accepted; reason is one of
// the Digest words.
func (s *SIP) DigestFailure(reason string) {
	if s != nil {
		s.digest.count(reason)
	}
}
