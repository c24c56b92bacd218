// Package e2e holds the tests of Perch as a whole: the real server with its own
// redis-server, on free ports of the loopback, with virtual phones and with
// programs that nobody here wrote (baresip, SIPp, sipsak, curl, redis-cli,
// Prometheus). A test waits for what must happen, never for time to pass; a
// program that is missing fails its test, because a test that is skipped proves
// nothing. There is no code here that runs outside of tests.
package e2e
