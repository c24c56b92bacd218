// Package api is the REST side of Perch under /api/v1: what an admin's scripts
// and the command line ask for. Whoever holds the token is an admin. It parses,
// calls one method of the domain or the store, and renders; it has no rules of
// its own, knows no Redis and no SIP, and promises that no answer carries a
// session id, a password or a PIN.
package api
