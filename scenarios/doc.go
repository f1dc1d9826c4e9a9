// Package scenarios holds acceptance tests: stations that speak literal frames
// over TCP, to the real endpoint, a real SQLite state and the real loop.
package scenarios
