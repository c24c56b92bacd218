// Package tools pins the programs that check the code - gofumpt and
// staticcheck - in a module of their own, so that what they need never reaches
// the product's go.mod. It holds no code; make lint runs them.
package tools
