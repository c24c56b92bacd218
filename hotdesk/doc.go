// Package hotdesk decides who sits where: it logs extensions in at seats and
// out again under the tenant's policy, checks PINs and counts failures, for
// every door alike. It knows no SIP, no HTTP and no Redis; it promises that a
// change it reports is committed, and that a refusal changed nothing.
package hotdesk
