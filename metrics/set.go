package metrics

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// other stands for every word outside a set.
const other = "other"

// set is a closed set of label values; its last member is other.
type set []string

// newSet keeps the words in their order, without doubles and blanks, and adds other.
func newSet(words ...string) set {
	s := make(set, 0, len(words)+1)
	for _, w := range words {
		if w != "" && w != other && !slices.Contains(s, w) {
			s = append(s, w)
		}
	}
	return append(s, other)
}

// in gives the word itself if the set holds it, else other.
func (s set) in(word string) string {
	if slices.Contains(s, word) {
		return word
	}
	return other
}

// counters is a counter with labels from closed sets.
type counters struct {
	vec  *prometheus.CounterVec
	sets []set
}

// newCounters registers the counter and creates every combination at zero.
func newCounters(reg prometheus.Registerer, name, help string, labels []string, sets ...set) counters {
	c := counters{prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels), sets}
	reg.MustRegister(c.vec)
	combinations(sets, func(values []string) { c.vec.WithLabelValues(values...) })
	return c
}

// count adds one; each value is first mapped into its set.
func (c counters) count(values ...string) { c.vec.WithLabelValues(mapped(c.sets, values)...).Inc() }

// add adds n, which is not below 0.
func (c counters) add(n float64, values ...string) {
	c.vec.WithLabelValues(mapped(c.sets, values)...).Add(n)
}

// histograms is a histogram in seconds with labels from closed sets.
type histograms struct {
	vec  *prometheus.HistogramVec
	sets []set
}

// newHistograms registers the histogram and creates every combination at zero.
func newHistograms(reg prometheus.Registerer, name, help string, buckets []float64, labels []string, sets ...set) histograms {
	h := histograms{prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels), sets}
	reg.MustRegister(h.vec)
	combinations(sets, func(values []string) { h.vec.WithLabelValues(values...) })
	return h
}

// observe takes a time in seconds.
func (h histograms) observe(seconds float64, values ...string) {
	h.vec.WithLabelValues(mapped(h.sets, values)...).Observe(seconds)
}

// mapped puts each value into the set of its place.
func mapped(sets []set, values []string) []string {
	out := make([]string, len(sets))
	for i := range sets {
		out[i] = sets[i].in(values[i])
	}
	return out
}

// combinations calls f with each choice of one member per set.
func combinations(sets []set, f func([]string)) {
	values := make([]string, len(sets))
	var choose func(int)
	choose = func(i int) {
		if i == len(sets) {
			f(slices.Clone(values))
			return
		}
		for _, w := range sets[i] {
			values[i] = w
			choose(i + 1)
		}
	}
	choose(0)
}
