package metrics

import "github.com/prometheus/client_golang/prometheus"

// The feature codes, by what they are for: what is dialled is the tenant's choice.
const (
	FeatureLogin  = "login"
	FeatureLogout = "logout"
	FeatureWhoami = "whoami"
	FeatureReload = "reload"

	FeaturePIN        = "pin"        // change the own PIN
	FeatureSupervisor = "supervisor" // a login with a supervisor's PIN
)

// How a feature-code call ended.
const (
	FeatureOK        = "ok"        // done, and said so
	FeatureRefused   = "refused"   // answered, and said why not
	FeatureAbandoned = "abandoned" // hung up before anything was decided
	FeatureCancelled = "cancelled" // CANCEL before the answer
	FeatureFailed    = "failed"    // never answered: no common codec, malformed SDP, an error
)

// The ways by which keys are pressed in a call.
const (
	KeysByRTP  = "rtp"    // telephone events, RFC 4733
	KeysByInfo = "info"   // SIP INFO
	KeysInBand = "inband" // tones
)

// Why RTP packets were not used.
const (
	IgnoredStranger  = "stranger"     // from an address that is not the phone's
	IgnoredType      = "payload_type" // not agreed on
	IgnoredMalformed = "malformed"    // no RTP
)

// Features counts calls to feature codes and what was heard in them.
type Features struct{ calls, keys, ignored counters }

func newFeatures(reg prometheus.Registerer) *Features {
	return &Features{
		calls: newCounters(reg, "perch_feature_calls_total", "Calls to feature codes, by code and by how they ended.",
			[]string{"code", "result"},
			newSet(FeatureLogin, FeatureLogout, FeatureWhoami, FeatureReload, FeaturePIN, FeatureSupervisor),
			newSet(FeatureOK, FeatureRefused, FeatureAbandoned, FeatureCancelled, FeatureFailed)),
		keys: newCounters(reg, "perch_feature_keys_total", "Keys pressed in calls to feature codes, by how they reached us.",
			[]string{"way"}, newSet(KeysByRTP, KeysByInfo, KeysInBand)),
		ignored: newCounters(reg, "perch_media_ignored_total", "RTP packets that were not used, by reason.",
			[]string{"reason"}, newSet(IgnoredStranger, IgnoredType, IgnoredMalformed)),
	}
}

// Call counts one call: code is what the code is for, never the digits.
func (f *Features) Call(code, result string) {
	if f != nil {
		f.calls.count(code, result)
	}
}

// Keys counts the keys of a call that came by one way.
func (f *Features) Keys(way string, n int) {
	if f != nil {
		f.keys.add(float64(n), way)
	}
}

// Ignored counts packets of a call that were not used.
func (f *Features) Ignored(reason string, n int) {
	if f != nil {
		f.ignored.add(float64(n), reason)
	}
}
