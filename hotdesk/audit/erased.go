package audit

// Erased says what the erasure of a person's data did.
type Erased struct {
	Pseudonym string // stands in the audit from now on; empty where no record named the number
	Traces    int    // that carry the pseudonym now
	Events    int    // that are gone from the stream
}
