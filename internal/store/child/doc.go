// Package child runs a redis-server or valkey-server of our own: on a unix
// socket, with an append-only file that is on disk before each answer,
// restarted when it dies, stopped when told. It knows nothing of what is kept
// there; it promises that no two servers ever write one append-only file, and
// that a server left behind by a killed parent is found and ended.
package child
