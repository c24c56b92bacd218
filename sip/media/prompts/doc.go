// Package prompts is what Perch says on the telephone: clips that were spoken
// when it was built, one per word or phrase, in each language, and the grammar
// that puts numbers, times and days together from them. Clips in a folder of
// the operator's go before, per tenant and language. It knows no call and no
// reason for what is said; it promises that a clip which cannot be read is never
// played, but named, and the built-in one is taken.
package prompts
