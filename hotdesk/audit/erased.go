package audit

// Erased says what the erasure of a person's data did.
type Erased struct {
	Pseudonym string // stands in the audit from now on; empty where no record named the number
	Traces    int    // that carry the pseudonym now
	Events    int    // that are gone from the stream
	Calls     int    // that had ended and are forgotten
	Files     int    // of phones that carried the extension's account, whose text is forgotten
}
