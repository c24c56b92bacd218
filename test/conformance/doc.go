// Package conformance holds the tests of Perch against the SIP RFCs by programs
// that nobody here wrote: SIPp plays one scenario for each rule, register*.xml
// for the registrar's, against the whole server over each transport. A program
// that is missing fails its tests. There is no code here that runs outside of
// tests.
package conformance
