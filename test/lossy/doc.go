// Package lossy is an office of SIP phones behind a bad network: datagrams are
// lost, late and out of order in both directions. The phones register, watch each
// other, call, answer, cancel and hang up, with the retransmissions of RFC 3261
// section 17 and nothing more; they share no code with the server. It is for
// tests and measurements, and asserts nothing: it tells what each phone believes.
package lossy
