package metrics

import "github.com/prometheus/client_golang/prometheus"

// The feature codes, by what they are for: what is dialled is the tenant's choice.
const (
	FeatureLogin  = "login"
	FeatureLogout = "logout"
	FeatureWhoami = "whoami"
	FeatureReload = "reload"
)

// How a feature-code call ended.
const (
	FeatureOK        = "ok"        // done, and the melody for yes was played
	FeatureRefused   = "refused"   // answered, and the melody for no was played
	FeatureCancelled = "cancelled" // CANCEL before the answer
	FeatureFailed    = "failed"    // never answered: no common codec, malformed SDP, an error
)

// Features counts calls to feature codes.
type Features struct{ calls counters }

func newFeatures(reg prometheus.Registerer) *Features {
	return &Features{newCounters(reg, "perch_feature_calls_total", "Calls to feature codes, by code and by how they ended.",
		[]string{"code", "result"},
		newSet(FeatureLogin, FeatureLogout, FeatureWhoami, FeatureReload),
		newSet(FeatureOK, FeatureRefused, FeatureCancelled, FeatureFailed))}
}

// Call counts one call: code is what the code is for, never the digits.
func (f *Features) Call(code, result string) {
	if f != nil {
		f.calls.count(code, result)
	}
}
