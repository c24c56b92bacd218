package metrics

import "github.com/prometheus/client_golang/prometheus"

// Audit counts the records of the audit, and lockouts as they begin.
type Audit struct {
	records  counters
	lockouts counters
}

func newAudit(reg prometheus.Registerer, sets Sets) *Audit {
	return &Audit{
		records: newCounters(reg, "perch_audit_records_total", "Records written to the audit by this node, by act.",
			[]string{"act"}, newSet(sets.Acts...)),
		lockouts: newCounters(reg, "perch_lockouts_total",
			"Lockouts told of by this node: a source that is refused (source), an extension that is guessed at from many (extension).",
			[]string{"reason"}, newSet("source", "extension")),
	}
}

// Recorded counts one record.
func (a *Audit) Recorded(act string) {
	if a != nil {
		a.records.count(act)
	}
}

// Lockout counts one that began; reason is "source" or "extension".
func (a *Audit) Lockout(reason string) {
	if a != nil {
		a.lockouts.count(reason)
	}
}
