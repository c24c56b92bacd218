// Package sim holds virtual desk phones that behave on the wire as those of
// twelve brands do: they boot, ask a provisioning server for their brand's files
// in their brand's order, register as the account they find there, subscribe
// their keys, dial, play what they hear into a buffer, challenge a NOTIFY when
// told to, and reload or reboot when it asks them. A phone knows its MAC, one
// URL and one password; everything else it has fetched over HTTP. Nothing here
// is shared with the server under test but the identifiers of the directory and
// a SIP parser: requests, digests, SDP offers and the configuration readers
// are written again from the vendors' guides and the RFCs. A phone costs one
// UDP socket and a handful of goroutines, all of which end with Run.
package sim
