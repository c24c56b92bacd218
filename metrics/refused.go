package metrics

// sipRefusals are the words for why a SIP request was answered with something
// else than success; a word outside is counted as other.
func sipRefusals() set {
	return newSet(
		// the message
		"malformed", "scheme", "require", "unsupported", "event", "accept", "content_type", "encoding", "no_codec", "too_brief", "out_of_order", "merged", "loop",
		"no_dialog", "foreign_dialog", "no_outbound",
		// who sent it
		"challenged", "stale", "incomplete", "foreign", "no_device",
		DigestPassword, DigestUnknown, DigestRealm, DigestAlgorithm, DigestEnding, DigestLocked,
		// hot desking
		"bad_credentials", "elsewhere", "desk_taken", "ask", "site_forbidden", "unknown_device", "nobody_here",
		// calls
		"unknown_number", "not_here", "not_entitled", "foreign_route", "too_many_hops", "breadth", "privacy", "no_emergency_route", "not_a_call",
		"busy", "no_answer", "declined", "refused", "failed", "caller_gone", "flow", "unusable",
		// this server
		"not_served", "too_many", "conflict", "overload", "no_rtp_port", "closing", "draining", "cancelled", "unavailable", "error", "panic",
	)
}

// Refused counts a request that was not served; why is the word of its refusal.
func (s *SIP) Refused(why string) {
	if s != nil {
		s.refused.count(why)
	}
}
