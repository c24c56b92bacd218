// Package media is what answers a feature-code call: the SDP answer (or offer),
// a UDP port for RTP, and the sound. It speaks G.711 and plays two melodies made
// in code, one for yes and one for no. It knows no SIP: bodies come in as bytes
// and its errors are a closed set that the caller turns into a status. It
// promises that what a peer writes or sends is bounded in size and rate, and that
// frames leave on an absolute schedule, so that a long sound does not drift.
package media
