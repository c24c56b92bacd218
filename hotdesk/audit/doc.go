// Package audit is the permanent record of who did what at which desk: every
// login, logout, move and refusal, and what admins and supervisors did. It makes
// records of the events that the store's scripts write, each once, and answers
// who sat where at a moment. It knows no store and no door. Its promise: a record
// is never changed, holds no secret and no number that was not an extension's;
// whose number it was can be forgotten without touching the record.
package audit
